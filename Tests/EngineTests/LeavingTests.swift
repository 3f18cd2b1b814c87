import Core
import TestKit
import Testing

@testable import Engine

/// Clients that leave while the lower tiers, or another sidecar's answer, are waited for.
@Suite struct LeavingTests {
    private let tier = FakeTier(.redis)
    private let gate = Gate()

    private func scene(_ onAbort: Settings.OnAbort) -> Scene {
        tier.during = { [gate] verb, _ in if verb == .find { await gate.pass() } }
        return Scene(lower: FakeLower([tier])) { $0.cache.onAbort = onAbort }
    }

    @Test("the model is not asked for somebody who left during a look-up, where calls end with their clients")
    func cancel() throws {
        let scene = scene(.cancel)
        let client = try scene.ask()
        scene.then { client.leave() }
        scene.then { gate.open() }
        #expect(scene.calls.count == 0)
        scene.expectQuiet([client])
    }

    @Test("it is for those who joined meanwhile") func joined() throws {
        let scene = scene(.cancel)
        let leader = try scene.ask()
        let follower = try scene.ask()
        scene.then { leader.leave() }
        scene.then { gate.open() }
        #expect(scene.calls.count == 1)
        scene.then { scene.calls[0].answer(.whole, [ChatAnswer(text: "so").whole]) }
        #expect(follower.body == ChatAnswer(text: "so").whole)
        scene.expectQuiet([leader, follower])
    }

    @Test("where calls are finished it is, but not for longer than abortTimeout") func finish() throws {
        let scene = scene(.finish)
        let client = try scene.ask()
        scene.then { client.leave() }
        scene.then { gate.open() }
        #expect(scene.calls.count == 1)
        scene.advance(scene.rig.settings.cache.abortTimeout)
        #expect(scene.calls[0].isCancelled)
        scene.expectQuiet([client])
    }

    @Test("another sidecar's answer is not waited for on behalf of nobody") func lease() throws {
        let clock = ManualClock()
        let table = FakeLeaseTable(clock: clock)
        var lower = FakeLower([tier])
        lower.leases = FakeCallLeases(table, owner: 1)
        let first = Scene(clock: clock, lower: lower)
        let holder = try first.ask()
        var other = FakeLower([tier])
        other.leases = FakeCallLeases(table, owner: 2)
        let second = Scene(
            on: first.stage, clock: clock, scheduler: first.rig.scheduler, upstream: FakeUpstream(),
            capacity: 1 << 20, lower: other
        ) { $0.cache.onAbort = .cancel }
        let waiting = try second.ask()
        #expect(second.rig.engine.flights.count == 1)
        second.then { waiting.leave() }
        second.advance(.milliseconds(100))
        #expect(second.rig.engine.flights.count == 0)
        #expect(second.calls.count == 0)
        first.then { first.calls[0].answer(.whole, [ChatAnswer(text: "so").whole]) }
        first.expectQuiet([holder])
        second.expectQuiet([waiting])
    }

    @Test("purges of groups that are heard of at the same time are one search through memory, or two") func storm()
        throws
    {
        let scene = Scene(lower: FakeLower([tier]))
        for number in 1...1000 as ClosedRange<UInt64> {
            scene.rig.engine.heard(PurgeMark(.tag("t\(number)"), number))
        }
        #expect(scene.stage.count == 1)
        scene.stage.run()
        scene.expectQuiet()
    }
}
