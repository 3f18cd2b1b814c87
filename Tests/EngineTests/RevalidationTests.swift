import Core
import TestKit
import Testing
import Tiers

@testable import Engine

/// Expired answers that are served while a fresh one is fetched behind.
@Suite struct RevalidationTests {
    /// An answer that expired a while ago is in memory.
    private func scene(
        age: Int64 = 20_000, lower: FakeLower? = nil, change: (inout Settings) -> Void = { _ in }
    ) throws -> Scene {
        let scene = Scene(lower: lower, change: change)
        let entry = try scene.entry("old", age: age, ttl: 10_000)
        scene.rig.memory.insert(entry, under: try scene.key(), now: scene.rig.clock.wall())
        return scene
    }

    private func ask(_ scene: Scene, _ control: String) throws -> Client {
        try scene.ask(headers: [EngineRig.credential, ("cache-control", control)])
    }

    private func results(_ scene: Scene) -> [Int] {
        RevalidationResult.allCases.map { scene.rig.count(.revalidations, $0.rawValue) }
    }

    @Test("everybody has the expired answer at once, and one call goes behind") func once() throws {
        let scene = try scene()
        let clients = try (0..<50).map { _ in try scene.ask() }
        #expect(clients.allSatisfy { $0.served?.outcome == .stale(.memory) } == true)
        #expect(clients.allSatisfy { $0.body?.contains("old") == true } == true)
        #expect(scene.calls.count == 1)
        scene.answer("new")
        let late = try scene.ask()
        #expect(late.served?.outcome == .hit(.memory))
        #expect(late.body?.contains("new") == true)
        #expect(results(scene) == [1, 0, 0, 0])
        scene.expectQuiet(clients + [late])
    }

    @Test("the other form is served too", arguments: Form.allCases) func forms(form: Form) throws {
        let scene = try scene()
        let client = try scene.ask(form: form)
        #expect(client.served?.outcome == .stale(.memory))
        #expect(client.body?.hasPrefix("data: ") == (form == .stream))
        scene.answer("new", form)
        #expect(try scene.ask(form: form).served?.outcome == .hit(.memory))
        scene.expectQuiet([client])
    }

    @Test("an expired answer below is served at once, to those who wait for the look as well")
    func below() throws {
        let redis = FakeTier(.redis)
        let scene = Scene(lower: FakeLower([redis]))
        redis[try scene.key()] = try scene.entry("old", age: 20_000, ttl: 10_000)
        let gate = Gate()
        redis.during = { verb, _ in if verb == .find { await gate.pass() } }
        let leader = try scene.ask()
        let follower = try scene.ask()
        let strict = try ask(scene, "max-age=600")
        scene.then { gate.open() }
        #expect(leader.served?.outcome == .stale(.redis))
        #expect(follower.served?.outcome == .stale(.memory))
        #expect(strict.served == nil, "it waits for the fresh one")
        #expect(scene.calls.count == 1)
        scene.answer("new")
        #expect(strict.body?.contains("new") == true)
        #expect(try scene.ask().served?.outcome == .hit(.memory))
        scene.expectQuiet([leader, follower, strict])
    }

    @Test(
        "who wants no expired answer has none",
        arguments: [
            ("cache-control", "max-age=3600"), ("cache-control", "no-cache"), ("x-refrain-ttl", "0"),
        ])
    func unwanted(header: (String, String)) throws {
        let scene = try scene()
        let client = try scene.ask(headers: [EngineRig.credential, header])
        #expect(client.served == nil)
        #expect(scene.calls.count == 1)
        scene.answer("new")
        #expect(client.served?.outcome == .miss)
        scene.expectQuiet([client])
    }

    @Test("who wants an answer out of the cache or none makes nobody call") func onlyIfCached() throws {
        let scene = try scene()
        #expect(try ask(scene, "only-if-cached").served?.kind == .notCached)
        #expect(scene.calls.isEmpty)
        scene.expectQuiet()
    }

    @Test(
        "the window ends when it says",
        arguments: [(0, 0, false), (0, 1, false), (5, 0, true), (5, 5, true), (5, 6, false)])
    func window(seconds: Int, past: Int, isServed: Bool) throws {
        let scene = try scene(age: 10_000 + Int64(past) * 1000) {
            $0.cache.staleWhileRevalidate = .seconds(seconds)
        }
        let client = try scene.ask()
        #expect((client.served?.outcome == .stale(.memory)) == isServed)
        scene.answer("new")
        #expect(client.served?.outcome == (isServed ? .stale(.memory) : .miss))
        scene.expectQuiet([client])
    }

    @Test("who names an age joins the call that is under way", arguments: Form.allCases) func joins(form: Form) throws {
        let scene = try scene()
        let first = try scene.ask(form: form)
        let strict = try scene.ask(form: form, headers: [EngineRig.credential, ("cache-control", "max-age=3600")])
        #expect(scene.calls.count == 1)
        scene.answer("new", form)
        #expect(strict.body?.contains("new") == true)
        #expect(strict.served?.outcome == .coalesced)
        scene.expectQuiet([first, strict])
    }

    @Test("what fails leaves the expired answer, and the key rests", arguments: [0, 401, 429, 503])
    func failure(status: Int) throws {
        let scene = try scene { $0.cache.staleIfError = .seconds(3600) }
        func answerBadly() {
            scene.then {
                if status == 0 {
                    scene.calls.last?.fail()
                } else {
                    scene.calls.last?.answer(.whole, ["{}"], status: status)
                }
            }
        }
        var clients = [try scene.ask()]
        answerBadly()
        clients += try (0..<10).map { _ in try scene.ask() }
        #expect(scene.calls.count == 1)
        scene.advance(.seconds(1))
        clients.append(try scene.ask())
        #expect(scene.calls.count == 2)
        answerBadly()
        #expect(clients.allSatisfy { $0.served?.outcome == .stale(.memory) } == true)
        #expect(results(scene) == [0, 0, 2, 0])
        // Past the window the upstream is asked first, and the answer is still there in case it fails.
        scene.advance(.seconds(700))
        let late = try scene.ask()
        #expect(late.served == nil)
        answerBadly()
        #expect(late.served?.outcome == (status == 401 ? .miss : .stale(.memory)))
        scene.expectQuiet(clients + [late])
    }

    @Test("it is finished whatever becomes of calls that nobody waits for", arguments: Settings.OnAbort.allCases)
    func onAbort(rule: Settings.OnAbort) throws {
        let scene = try scene { $0.cache.onAbort = rule }
        let first = try scene.ask(form: .stream)
        let joined = try scene.ask(
            form: .stream, headers: [EngineRig.credential, ("cache-control", "max-age=3600")])
        scene.then { joined.leave() }
        scene.then { scene.calls[0].respond(.stream) }
        for event in ChatAnswer(text: "one two").events { scene.then { scene.calls[0].deliver(event) } }
        scene.then { scene.calls[0].finish() }
        #expect(try scene.ask(form: .stream).body?.contains("two") == true)
        #expect(results(scene) == [1, 0, 0, 0])
        scene.expectQuiet([first, joined])
    }

    @Test("one that takes too long, or grows too large, is given up") func givenUp() throws {
        let scene = try scene { $0.cache.maxAnswer = .kibibytes(1) }
        let first = try scene.ask()
        scene.advance(.seconds(121))
        #expect(scene.calls[0].isCancelled)
        let second = try scene.ask()
        scene.then { scene.calls[1].respond(.whole) }
        scene.then { scene.calls[1].deliver(String(repeating: " ", count: 600) + "{") }
        scene.then { scene.calls[1].deliver(String(repeating: " ", count: 600)) }
        #expect(scene.calls[1].isCancelled)
        #expect(results(scene) == [0, 0, 2, 0])
        scene.expectQuiet([first, second])
    }

    @Test("an answer that is purged meanwhile is neither kept nor served") func purged() throws {
        let scene = try scene()
        let first = try scene.ask()
        scene.purge(.everything)
        scene.answer("new")
        let second = try scene.ask()
        #expect(second.served == nil)
        scene.answer("newest")
        #expect(second.served?.outcome == .miss)
        #expect(results(scene) == [0, 0, 1, 0])
        scene.expectQuiet([first, second])
    }

    @Test("of two sidecars one calls, and the other has its answer") func shared() throws {
        let clock = ManualClock()
        let tier = FakeTier(.redis)
        let table = FakeLeaseTable(clock: clock)
        let first = Scene(clock: clock, lower: FakeLower([tier], leases: FakeCallLeases(table, owner: 1)))
        let second = Scene(beside: first, lower: FakeLower([tier], leases: FakeCallLeases(table, owner: 2)))
        tier[try first.key()] = try first.entry("old", age: 20_000, ttl: 10_000)
        let clients = [try first.ask(), try second.ask()]
        #expect(clients.allSatisfy { $0.served?.outcome == .stale(.redis) } == true)
        #expect(first.calls.count == 1)
        #expect(second.calls.isEmpty)
        first.answer("new")
        second.advance(.milliseconds(51))
        #expect(second.calls.isEmpty)
        #expect(try second.ask().body?.contains("new") == true)
        #expect(results(first) == [1, 0, 0, 0])
        #expect(results(second) == [0, 1, 0, 0])
        first.expectQuiet(clients)
        second.expectQuiet()
    }

    @Test("a credential that the upstream refuses meanwhile has no more hits") func refused() throws {
        let scene = Scene { $0.cache.partition = .shared }
        scene.trust(EngineRig.credential.1)
        let entry = try scene.entry("old", age: 20_000, ttl: 10_000)
        scene.rig.memory.insert(entry, under: try scene.key(), now: scene.rig.clock.wall())
        let client = try scene.ask()
        #expect(client.served?.outcome == .stale(.memory))
        scene.then { scene.calls[0].answer(.whole, ["{}"], status: 401) }
        #expect(throws: BypassReason.untrusted) { try scene.key() }
        scene.expectQuiet([client])
    }

    @Test("those who wait for an answer go first", arguments: Priority.allCases) func priority(of client: Priority)
        throws
    {
        let scene = try scene()
        var call = try scene.call()
        call.upstream.demand.priority = client
        scene.stage.spawn { [rig = scene.rig, call] in _ = await rig.serve(call) }
        scene.stage.run()
        #expect(scene.calls[0].request.demand.priority == (client == .batch ? .batch : .standard))
        scene.answer()
        scene.expectQuiet()
    }

    @Test("after a stop nothing is fetched anew") func stopped() throws {
        let scene = try scene()
        scene.rig.engine.revalidations.close()
        let client = try scene.ask()
        #expect(client.served?.outcome == .stale(.memory))
        #expect(scene.calls.isEmpty)
        scene.expectQuiet([client])
    }

    /// 10,000 popular answers expire in one second, and each is asked for twice in it; a call takes a second.
    @Test("a storm of expired answers", arguments: [(32, 10_000), (7, 500)]) func storm(atOnce: Int, room: Int) throws {
        let count = 10_000
        let scene = Scene(capacity: 1 << 30) {
            $0.limits.revalidations = atOnce
            $0.limits.revalidationQueue = room
        }
        let entry = try scene.entry("old", age: 10_000, ttl: 10_000)
        let calls = try (0..<count).map { try scene.call("\($0)") }
        for call in calls { scene.rig.memory.insert(entry, under: call.admitted.key, now: scene.rig.clock.wall()) }
        let outcomes = Box<[Outcome?]>([])
        func askAll() {
            for call in calls {
                scene.stage.spawn { [rig = scene.rig] in
                    let outcome = await rig.serve(call).outcome
                    outcomes.change { $0.append(outcome) }
                }
            }
            scene.stage.run()
        }
        var answered = 0
        func answerAll() {
            while answered < scene.calls.count {
                let running = scene.calls[answered...]
                #expect(running.count <= atOnce)
                scene.advance(.seconds(1))
                for call in running { call.answer(.whole, [ModelAnswer.whole(.chat, "new")]) }
                answered += running.count
                scene.stage.run()
            }
        }
        askAll()
        askAll()
        // Without a moment having passed.
        #expect(outcomes.value == Array(repeating: .stale(.memory), count: 2 * count))
        #expect(scene.calls.count == atOnce)
        #expect(results(scene) == [0, 0, 0, 2 * max(0, count - atOnce - room)])
        answerAll()
        #expect(answered == min(count, atOnce + room))
        outcomes.value = []
        askAll()
        #expect(outcomes.value.count { $0 == .hit(.memory) } == answered)
        #expect(outcomes.value.count { $0 == .stale(.memory) } == count - answered)
        answerAll()
        scene.expectQuiet()
    }
}
