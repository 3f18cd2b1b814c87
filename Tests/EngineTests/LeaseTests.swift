import Core
import TestKit
import Testing
import Tiers

@testable import Engine

/// Two sidecars over one shared tier and one table of leases.
@Suite struct LeaseTests {
    private struct Pair {
        let tier = FakeTier(.redis)
        let table: FakeLeaseTable
        let first: Scene
        let second: Scene

        init(timeout: Duration = .seconds(60), upstream: @autoclosure () -> FakeUpstream = FakeUpstream()) {
            let clock = ManualClock()
            table = FakeLeaseTable(clock: clock)
            var lowers = [FakeLower([tier]), FakeLower([tier])]
            for owner in lowers.indices {
                lowers[owner].leases = FakeCallLeases(table, owner: owner + 1)
                lowers[owner].leaseTimeout = timeout.nanoseconds
            }
            first = Scene(clock: clock, upstream: upstream(), lower: lowers[0])
            second = Scene(beside: first, upstream: upstream(), lower: lowers[1])
        }

        var calls: [FakeCall] { first.calls + second.calls }

        func expectQuiet(_ clients: [Client]) {
            first.expectQuiet(clients)
            second.expectQuiet()
            #expect((try? first.key()).map { table.isHeld($0) } == false)
        }
    }

    @Test("two sidecars make one call", arguments: Form.allCases, Form.allCases)
    func oneCall(asked: Form, waiting: Form) throws {
        let pair = Pair()
        let leaders = try (0..<5).map { _ in try pair.first.ask(form: asked) }
        let waiters = try (0..<5).map { _ in try pair.second.ask(form: waiting) }
        pair.first.advance(.seconds(5))
        #expect(pair.calls.count == 1)
        pair.first.answer("shared", asked)
        #expect(leaders[0].served?.outcome == .miss)
        pair.second.advance(.milliseconds(51))
        #expect(waiters.allSatisfy { $0.served?.outcome == .coalesced } == true)
        #expect(waiters.allSatisfy { $0.body?.contains("shared") == true } == true)
        #expect(waiters.allSatisfy { $0.body?.hasPrefix("data: ") == (waiting == .stream) } == true)
        #expect(pair.second.rig.count(.coalesced) == 5)
        #expect(try pair.second.ask().served?.outcome == .hit(.memory))
        #expect(pair.calls.count == 1)
        #expect(pair.tier.stored.count == 1)
        pair.expectQuiet(leaders + waiters)
    }

    @Test("an answer that came between the look and the lease is found") func justMissed() throws {
        let pair = Pair()
        let gate = Gate()
        let key = try pair.first.key()
        pair.tier.during = { verb, _ in if verb == .find { await gate.pass() } }
        let client = try pair.first.ask()
        pair.tier[key] = try pair.first.entry()
        pair.first.then { gate.open() }
        #expect(pair.calls.isEmpty)
        #expect(client.served?.outcome == .coalesced)
        pair.expectQuiet([client])
    }

    @Test("when the holder dies, the one that waits goes on") func holderDies() throws {
        let pair = Pair()
        let key = try pair.second.key()
        let dead = FakeCallLeases(pair.table, owner: 3)
        pair.second.stage.spawn { _ = await dead.take(key) }
        let waiter = try pair.second.ask()
        pair.second.advance(.milliseconds(1_900))
        #expect(pair.calls.isEmpty)
        pair.second.advance(.milliseconds(200))
        #expect(pair.second.calls.count == 1)
        #expect(pair.table.isHeld(key))
        pair.second.answer()
        #expect(waiter.served?.outcome == .miss)
        pair.expectQuiet([waiter])
    }

    @Test("an answer that is not kept makes all others ask at once", arguments: [true, false])
    func fruitless(fails: Bool) throws {
        let pair = Pair()
        let leader = try pair.first.ask()
        let waiter = try pair.second.ask()
        pair.first.then {
            if fails {
                pair.first.calls[0].fail()
            } else {
                pair.first.calls[0].answer(.whole, [ModelAnswer.whole(.chat, "x", finish: "content_filter")])
            }
        }
        pair.second.advance(.milliseconds(51))
        #expect(pair.second.calls.count == 1)
        #expect(pair.table.calls.contains("1 release-fruitless"))
        let other = try pair.first.ask()
        #expect(pair.first.calls.count == 2, "nor does it wait for the other one")
        pair.first.answer()
        pair.second.answer()
        #expect(leader.served != nil)
        pair.expectQuiet([leader, waiter, other])
    }

    @Test(
        "an answer that the shared tier does not take makes all others ask at once",
        arguments: [
            StoreResult.refused, .failed,
        ])
    func untaken(result: StoreResult) throws {
        let pair = Pair()
        pair.tier.results = Array(repeating: result, count: result == .failed ? 8 : 1)
        let leader = try pair.first.ask()
        let waiter = try pair.second.ask()
        pair.first.answer()
        pair.second.advance(.seconds(20))
        #expect(pair.table.calls.contains("1 release-fruitless"))
        #expect(pair.second.calls.count == 1)
        pair.second.answer()
        #expect(waiter.served?.kind == .answer)
        pair.expectQuiet([leader, waiter])
    }

    @Test("another's answer is waited for so long and no longer") func bound() throws {
        let pair = Pair(timeout: .seconds(3))
        let leader = try pair.first.ask()
        let waiter = try pair.second.ask()
        pair.first.advance(.milliseconds(2_900))
        #expect(pair.second.calls.isEmpty)
        pair.first.advance(.milliseconds(200))
        #expect(pair.second.calls.count == 1)
        pair.second.answer("its own")
        pair.first.answer("the first")
        #expect(waiter.body?.contains("its own") == true)
        pair.expectQuiet([leader, waiter])
    }

    @Test("a lease is kept alive as long as the call takes, and not longer") func renewal() throws {
        let pair = Pair()
        let key = try pair.first.key()
        let client = try pair.first.ask(form: .stream)
        pair.first.calls[0].respond(.stream)
        for event in ChatAnswer(text: "one two three four").events {
            pair.first.advance(.seconds(4))
            #expect(pair.table.isHeld(key))
            pair.first.then { pair.first.calls[0].deliver(event) }
        }
        pair.first.then { pair.first.calls[0].finish() }
        #expect(!pair.table.isHeld(key))
        let renewals = pair.table.calls.count { $0 == "1 renew" }
        #expect(renewals > 30)
        pair.first.advance(.seconds(10))
        #expect(pair.table.calls.count { $0 == "1 renew" } == renewals)
        pair.expectQuiet([client])
    }

    @Test("a lease is given back when the entry can be found, not before") func releaseAfterWrite() throws {
        let pair = Pair()
        let key = try pair.first.key()
        let gate = Gate()
        pair.tier.during = { verb, _ in if verb == .store { await gate.pass() } }
        let leader = try pair.first.ask()
        pair.first.answer()
        #expect(leader.served?.outcome == .miss)
        let waiter = try pair.second.ask()
        pair.first.advance(.seconds(10))
        #expect(pair.table.isHeld(key))
        #expect(waiter.served == nil)
        pair.first.then { gate.open() }
        #expect(!pair.table.isHeld(key))
        pair.first.advance(.milliseconds(51))
        #expect(waiter.served?.outcome == .coalesced)
        #expect(pair.calls.count == 1)
        pair.expectQuiet([leader, waiter])
    }

    @Test("a call that everybody left gives its lease back") func abandoned() throws {
        let pair = Pair()
        let client = try pair.first.ask()
        pair.first.then { client.leave() }
        pair.first.advance(.seconds(600))
        #expect(pair.first.calls[0].isCancelled)
        let other = try pair.second.ask()
        #expect(pair.second.calls.count == 1)
        pair.second.answer()
        pair.expectQuiet([client, other])
    }

    @Test("the one who waits for another sidecar leaves, and those behind it have the answer") func waiterLeaves()
        throws
    {
        let pair = Pair()
        let leader = try pair.first.ask()
        let waiter = try pair.second.ask()
        let follower = try pair.second.ask()
        pair.second.then { waiter.leave() }
        pair.first.answer()
        pair.second.advance(.milliseconds(51))
        #expect(follower.served?.outcome == .coalesced)
        #expect(pair.calls.count == 1)
        pair.expectQuiet([leader, waiter, follower])
    }

    @Test("leases that cannot be had make everybody ask") func noLeases() throws {
        let pair = Pair()
        pair.table.isFailing = true
        let clients = [try pair.first.ask(), try pair.second.ask()]
        #expect(pair.calls.count == 2)
        pair.first.answer()
        pair.second.answer()
        pair.expectQuiet(clients)
    }

    @Test("leases that fail while one waits make it ask") func leasesFail() throws {
        let pair = Pair()
        let leader = try pair.first.ask()
        let waiter = try pair.second.ask()
        pair.table.isFailing = true
        pair.second.advance(.milliseconds(51))
        #expect(pair.second.calls.count == 1)
        pair.table.isFailing = false
        pair.first.answer()
        pair.second.answer()
        pair.first.advance(.seconds(3))
        pair.expectQuiet([leader, waiter])
    }

    @Test("who wants a new answer neither waits nor makes others wait") func noCache() throws {
        let pair = Pair()
        let leader = try pair.first.ask()
        let own = try pair.second.ask(headers: [EngineRig.credential, ("cache-control", "no-cache")])
        #expect(pair.second.calls.count == 1)
        #expect(pair.table.calls == ["1 take"])
        pair.second.answer()
        pair.first.answer()
        pair.expectQuiet([leader, own])
    }
}
