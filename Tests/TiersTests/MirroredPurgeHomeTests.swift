import Core
import TestKit
import Testing
import Tiers

/// Marks that outlive the home that tells of them.
@Suite struct MirroredPurgeHomeTests {
    private let first = FakePurgeHome()
    private let second = FakePurgeHome()
    private let log = RecordingLog()

    private func home() -> MirroredPurgeHome { MirroredPurgeHome(first, mirroredIn: second, log: log) }

    private func numbers(_ home: any PurgeHome) async throws -> [PurgeGroup: UInt64] {
        Dictionary(uniqueKeysWithValues: try await home.marks(deadline: .max).map { ($0.group, $0.number) })
    }

    @Test("it keeps the contract") func contract() async {
        var faults: [String] = []
        for check in PurgeHomeContract.all {
            let home = MirroredPurgeHome(FakePurgeHome(), mirroredIn: FakePurgeHome(), log: log)
            faults += await check.violations(.init(home: home, deadline: .max)).map { "\(check): \($0)" }
        }
        for seed in 0..<12 as Range<UInt64> {
            let home = MirroredPurgeHome(FakePurgeHome(), mirroredIn: FakePurgeHome(), log: log)
            faults += await PurgeHomeContract.joiningIsAJoin(.init(home: home, deadline: .max), seed: seed)
        }
        #expect(faults == [])
    }

    @Test("a first home that forgot while no sidecar ran is told again") func restart() async throws {
        let before = home()
        let raised = try await before.raise(.model("m"), above: 0, deadline: .max)
        try await before.join([PurgeMark(.older, 7)], deadline: .max)
        await before.lasting(deadline: .max)

        let forgetful = FakePurgeHome()
        let after = MirroredPurgeHome(forgetful, mirroredIn: second, log: log)
        let expected: [PurgeGroup: UInt64] = [.model("m"): raised.number, .older: 7]
        #expect(try await numbers(after) == expected)
        #expect(try await numbers(forgetful) == expected)
    }

    @Test("marks from before there was a second home are brought there") func late() async throws {
        let raised = try await first.raise(.tag("t"), above: 0, deadline: .max)
        let home = home()
        _ = try await home.marks(deadline: .max)
        _ = try await home.revision(deadline: .max)
        #expect(await eventually { (try? await numbers(second)) == [.tag("t"): raised.number] })
    }

    @Test("a second home that fails fails nothing, and is read and told once it can be") func outage() async throws {
        try await second.join([PurgeMark(.tag("old"), 5)], deadline: .max)
        second.failure = PurgeHomeFailure("no such bucket")
        let home = home()
        let raised = try await home.raise(.tag("new"), above: 0, deadline: .max)
        var revision = try await home.revision(deadline: .max)
        #expect(try await numbers(home) == [.tag("new"): raised.number])
        // Whoever looks again only when the revision changes has to.
        #expect(try await home.revision(deadline: .max) != revision)
        #expect(await eventually { log.lines.map(\.event) == ["purges-unsaved"] })

        second.failure = nil
        #expect(try await numbers(home) == [.tag("new"): raised.number, .tag("old"): 5])
        revision = try await home.revision(deadline: .max)
        #expect(try await home.revision(deadline: .max) == revision)
        #expect(await eventually { (try? await numbers(second))?[.tag("new")] == raised.number })
        #expect(await eventually { log.lines.map(\.event) == ["purges-unsaved", "purges-saved"] })
    }

    @Test("what the first home could not be told is saved") func unshared() async throws {
        let home = home()
        first.failure = PurgeHomeFailure("away")
        await #expect(throws: PurgeHomeFailure.self) { try await home.join([PurgeMark(.tag("t"), 9)], deadline: .max) }
        await home.lasting(deadline: .max)
        #expect(try await numbers(second) == [.tag("t"): 9])
    }

    @Test("a first home that takes no marks is no reason not to read those that were saved") func full() async throws {
        try await second.join([PurgeMark(.tag("t"), 9)], deadline: .max)
        let home = MirroredPurgeHome(FullPurgeHome(first), mirroredIn: second, log: log)
        #expect(try await numbers(home) == [.tag("t"): 9])
        #expect(try await numbers(home) == [.tag("t"): 9])
    }

    /// Whether it comes true within five seconds.
    private func eventually(_ condition: () async -> Bool) async -> Bool {
        for _ in 0..<500 {
            if await condition() { return true }
            try? await Task.sleep(for: .milliseconds(10))
        }
        return false
    }
}

/// Can be read, and takes nothing.
private struct FullPurgeHome: PurgeHome {
    let home: FakePurgeHome

    init(_ home: FakePurgeHome) { self.home = home }

    func marks(deadline: Int64) async throws(PurgeHomeFailure) -> [PurgeMark] {
        try await home.marks(deadline: deadline)
    }
    func revision(deadline: Int64) async throws(PurgeHomeFailure) -> UInt64 {
        try await home.revision(deadline: deadline)
    }
    func raise(
        _ group: PurgeGroup, above floor: UInt64, deadline: Int64
    ) async throws(PurgeHomeFailure) -> PurgeMark { throw PurgeHomeFailure("full") }
    func join(_ marks: [PurgeMark], deadline: Int64) async throws(PurgeHomeFailure) { throw PurgeHomeFailure("full") }
}
