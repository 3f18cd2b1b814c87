import Core
import TestKit
import Testing

@testable import Engine

@Suite struct PurgeSyncTests {
    private final class Sidecar: Sendable {
        let clock = ManualClock()
        let scheduler: ManualScheduler
        let stage = Stage()
        let home: FakePurgeHome
        let ledger = PurgeLedger(isShared: true)
        let log = RecordingLog()
        let sync: PurgeSync
        private let applied = Box<[PurgeMark]>([])

        init(home: FakePurgeHome = FakePurgeHome()) {
            self.home = home
            scheduler = ManualScheduler(clock: clock)
            sync = PurgeSync(
                home: home, ledger: ledger, clock: clock, scheduler: scheduler, log: log, executor: stage,
                apply: { [applied] marks in applied.change { $0 += marks } })
        }

        /// What was made felt since this was last asked.
        func takeApplied() -> [PurgeMark] {
            applied.change { marks in
                defer { marks = [] }
                return marks
            }
        }

        func refresh() {
            sync.refresh()
            stage.run()
        }

        func advance(_ duration: Duration) {
            scheduler.advance(duration) { stage.run() }
            stage.run()
        }

        func raise(_ group: PurgeGroup) -> PurgeMark? {
            let box = Box<PurgeMark?>(nil)
            stage.spawn { [sync] in box.value = try? await sync.raise(group) }
            stage.run()
            return box.value
        }
    }

    private static let down = PurgeHomeFailure("as scripted")

    @Test("the first look settles, and makes felt what was purged meanwhile") func firstLook() async throws {
        let home = FakePurgeHome()
        let mark = try await home.raise(.model("m"), above: 0, deadline: 0)
        let sidecar = Sidecar(home: home)
        #expect(!sidecar.ledger.isSettled)
        sidecar.refresh()
        #expect(sidecar.ledger.isSettled)
        #expect(sidecar.ledger.all == [mark])
        #expect(sidecar.takeApplied() == [mark])
        #expect(sidecar.log.lines.isEmpty)
    }

    @Test("an empty home settles too") func emptyHome() {
        let sidecar = Sidecar()
        sidecar.refresh()
        #expect(sidecar.ledger.isSettled)
    }

    @Test("a home that fails is asked again soon, and said to fail once") func recovery() {
        let sidecar = Sidecar()
        sidecar.home.failure = Self.down
        sidecar.refresh()
        sidecar.advance(.seconds(2))
        #expect(!sidecar.ledger.isSettled)
        #expect(sidecar.home.calls.count == 9)
        #expect(sidecar.log.lines.map(\.event) == ["purges-unread"])
        sidecar.home.failure = nil
        sidecar.advance(.milliseconds(250))
        #expect(sidecar.ledger.isSettled)
        #expect(sidecar.log.lines.map(\.event) == ["purges-unread", "purges-read"])
        // Being away later on is no reason to distrust what it knows.
        sidecar.home.failure = Self.down
        sidecar.advance(.seconds(10))
        #expect(sidecar.ledger.isSettled)
    }

    @Test("a home that has not changed is not read") func revision() async throws {
        let sidecar = Sidecar()
        sidecar.refresh()
        sidecar.advance(.seconds(15))
        #expect(sidecar.home.calls == ["revision", "marks", "revision", "revision", "revision"])
        let mark = try await sidecar.home.raise(.tag("t"), above: 0, deadline: 0)
        sidecar.advance(.seconds(5))
        #expect(sidecar.takeApplied() == [mark])
        sidecar.advance(.seconds(5))
        #expect(sidecar.home.calls.count { $0 == "marks" } == 2)
        #expect(sidecar.scheduler.count == 1)
    }

    @Test("what the home has lost is brought back, and only that") func lostMarks() async throws {
        let sidecar = Sidecar()
        _ = sidecar.ledger.adopt([PurgeMark(.model("m"), 5), PurgeMark(.tag("t"), 9), PurgeMark(.older, 2)])
        try await sidecar.home.join([PurgeMark(.tag("t"), 12), PurgeMark(.everything, 7)], deadline: 0)
        sidecar.refresh()
        let kept = try await sidecar.home.marks(deadline: 0)
        #expect(Set(kept) == [PurgeMark(.tag("t"), 12), PurgeMark(.everything, 7), PurgeMark(.older, 2)])
    }

    @Test("marks that the home could not be told of are brought although it has not changed") func untold() async throws
    {
        let sidecar = Sidecar()
        sidecar.refresh()
        sidecar.home.failure = Self.down
        let mark = sidecar.ledger.raise(.model("m"), wall: 0)
        sidecar.sync.refresh()
        sidecar.stage.run()
        #expect(sidecar.home.announced.isEmpty)
        sidecar.home.failure = nil
        sidecar.advance(.milliseconds(250))
        #expect(sidecar.home.announced == [mark])
        let count = sidecar.home.calls.count { $0 == "join" }
        sidecar.advance(.seconds(30))
        #expect(sidecar.home.calls.count { $0 == "join" } == count)
    }

    @Test("raising goes above all that is known here and there") func raise() throws {
        let sidecar = Sidecar()
        _ = sidecar.ledger.adopt([PurgeMark(.model("m"), 1 << 50)])
        let mark = try #require(sidecar.raise(.tag("t")))
        #expect(mark.number == (1 << 50) + 1)
        sidecar.home.failure = Self.down
        #expect(sidecar.raise(.tag("t")) == nil)
    }

    @Test("being asked during a look makes it look once more") func askedAgain() {
        let sidecar = Sidecar()
        for _ in 0..<5 { sidecar.sync.refresh() }
        sidecar.stage.run()
        #expect(sidecar.home.calls == ["revision", "marks", "revision"])
        #expect(sidecar.scheduler.count == 1)
    }

    @Test("once closed it looks no more") func close() {
        let sidecar = Sidecar()
        sidecar.refresh()
        sidecar.sync.close()
        #expect(sidecar.scheduler.count == 0)
        sidecar.refresh()
        sidecar.sync.refresh()
        sidecar.advance(.seconds(30))
        #expect(sidecar.home.calls == ["revision", "marks"])
    }

    @Test("closed during a look it sets no timer") func closeDuringLook() {
        let sidecar = Sidecar()
        sidecar.sync.refresh()
        sidecar.sync.refresh()
        sidecar.sync.close()
        sidecar.stage.run()
        #expect(sidecar.scheduler.count == 0)
        #expect(sidecar.home.calls == ["revision", "marks"])
    }
}
