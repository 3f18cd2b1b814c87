import Core
import TestKit
import Testing
import Tiers

@testable import Engine

/// What stands behind memory.
@Suite struct LowerTests {
    private let redis = FakeTier(.redis)
    private let objects = FakeTier(.objects)

    /// Stale answers are served only when the upstream fails; `RevalidationTests` have the others.
    private func scene(
        home: FakePurgeHome? = nil, capacity: Int = 64 << 20, change: (inout Settings) -> Void = { _ in }
    ) -> Scene {
        Scene(capacity: capacity, lower: FakeLower([redis, objects], home: home)) { settings in
            settings.cache.staleWhileRevalidate = .zero
            change(&settings)
        }
    }

    private func ask(_ scene: Scene, _ control: String, _ prompt: String = "hi") throws -> Client {
        try scene.ask(prompt, headers: [EngineRig.credential, ("cache-control", control)])
    }

    @Test("a new answer is written to every tier") func fill() throws {
        let scene = scene()
        let client = try scene.ask()
        #expect(redis.calls == [.find])
        #expect(objects.calls == [.find])
        scene.answer()
        #expect(client.served?.outcome == .miss)
        #expect(client.served?.notStored == nil)
        let key = try scene.key()
        #expect(redis[key]?.facts == scene.rig.memory.peek(key, now: scene.rig.clock.wall())?.facts)
        #expect(objects[key] != nil)
        scene.expectQuiet([client])
    }

    @Test(
        "a hit below is served, and promoted with what is left of its lifetime", arguments: Form.allCases, Form.allCases
    )
    func hit(held: Form, wanted: Form) throws {
        let scene = scene()
        let key = try scene.key()
        redis[key] = try scene.entry(form: held, age: 1_000, ttl: 10_000)
        let first = try scene.ask(form: wanted)
        #expect(first.served?.outcome == .hit(.redis))
        #expect(first.body?.contains("kept") == true)
        #expect(first.body?.hasPrefix("data: ") == (wanted == .stream))
        #expect(objects.calls.isEmpty)
        #expect(redis.stored.isEmpty, "it is there already")
        #expect(try scene.ask(form: wanted).served?.outcome == .hit(.memory))
        #expect(redis.count(of: .find) == 1)
        scene.advance(.milliseconds(9_001))
        redis[key] = nil
        let late = try scene.ask(form: wanted)
        #expect(scene.calls.count == 1, "it has expired in memory")
        scene.answer("fresh", wanted)
        #expect(late.served?.outcome == .miss)
        scene.expectQuiet([first, late])
    }

    @Test("a hit in the second tier goes to the first") func second() throws {
        let scene = scene()
        let (key, entry) = (try scene.key(), try scene.entry(age: 5_000))
        objects[key] = entry
        let client = try scene.ask()
        #expect(client.served?.outcome == .hit(.objects))
        #expect(redis[key]?.facts == entry.facts)
        #expect(objects.stored.isEmpty)
        #expect(scene.calls.isEmpty)
        scene.expectQuiet([client])
    }

    @Test("followers have what the leader finds below") func followers() throws {
        let scene = scene()
        redis[try scene.key()] = try scene.entry()
        let gate = Gate()
        redis.during = { _, _ in await gate.pass() }
        let clients = try (0..<20).map { try scene.ask(form: $0.isMultiple(of: 2) ? .whole : .stream) }
        #expect(redis.calls.count == 1)
        scene.then { gate.open() }
        #expect(clients[0].served?.outcome == .hit(.redis))
        #expect(clients.dropFirst().allSatisfy { $0.served?.outcome == .coalesced } == true)
        #expect(clients.allSatisfy { $0.body?.contains("kept") == true } == true)
        #expect(scene.calls.isEmpty)
        scene.expectQuiet(clients)
    }

    @Test("a stale answer below is served when the upstream fails", arguments: [TierName.redis, .objects])
    func stale(tier: TierName) throws {
        let scene = scene()
        let below = tier == .redis ? redis : objects
        below[try scene.key()] = try scene.entry(age: 10_000, ttl: 5_000)
        let leader = try scene.ask()
        let follower = try scene.ask()
        #expect(scene.calls.count == 1, "it is not served while the upstream may answer")
        scene.then { scene.calls[0].answer(.whole, ["{}"], status: 503) }
        #expect(leader.served?.outcome == .stale(tier))
        #expect(leader.body?.contains("kept") == true)
        // It was promoted, so that is where the follower has it from.
        #expect(follower.served?.outcome == .stale(.memory))
        let third = try scene.ask()
        scene.then { scene.calls[1].fail() }
        #expect(third.served?.outcome == .stale(.redis) || third.served?.outcome == .stale(.memory))
        scene.expectQuiet([leader, follower, third])
    }

    @Test("of two stale answers the newer one is served") func newerStale() throws {
        let scene = scene()
        let key = try scene.key()
        redis[key] = try scene.entry("older", age: 20_000, ttl: 5_000)
        objects[key] = try scene.entry("newer", age: 10_000, ttl: 5_000)
        let client = try scene.ask()
        scene.then { scene.calls[0].fail() }
        #expect(client.served?.outcome == .stale(.objects))
        #expect(client.body?.contains("newer") == true)
        #expect(redis.stored.isEmpty, "stale answers are not written again")
        scene.expectQuiet([client])
    }

    @Test("one that is stale above and fresh below is served from below") func freshBelow() throws {
        let scene = scene()
        let key = try scene.key()
        scene.rig.memory.insert(try scene.entry("old", age: 9_000, ttl: 5_000), under: key, now: scene.rig.clock.wall())
        redis[key] = try scene.entry("new")
        let client = try scene.ask()
        #expect(client.body?.contains("new") == true)
        #expect(client.served?.outcome == .hit(.redis))
        #expect(try scene.ask().served?.outcome == .hit(.memory))
        scene.expectQuiet([client])
    }

    @Test("max-age counts from when the answer was finished, wherever it was kept") func maxAge() throws {
        let scene = scene()
        redis[try scene.key()] = try scene.entry(age: 10_000)
        let client = try ask(scene, "max-age=5")
        #expect(scene.calls.count == 1)
        scene.then { scene.calls[0].fail() }
        #expect(client.served?.kind == .failed(.reset), "it is no stale one")
        #expect(try ask(scene, "max-age=15").served?.kind == .answer)
        scene.expectQuiet([client])
    }

    @Test("who wants an answer out of the cache or none has it from below") func onlyIfCached() throws {
        let scene = scene()
        objects[try scene.key()] = try scene.entry()
        let client = try ask(scene, "only-if-cached")
        #expect(client.served?.outcome == .hit(.objects))
        #expect(try ask(scene, "only-if-cached", "other").served?.kind == .notCached)
        objects[try scene.key("stale")] = try scene.entry(for: "stale", age: 2_000, ttl: 1_000)
        #expect(try ask(scene, "only-if-cached", "stale").served?.kind == .notCached)
        #expect(scene.calls.isEmpty)
        scene.expectQuiet([client])
    }

    @Test("who wants a new answer does not look below, and what comes replaces what is there") func noCache() throws {
        let scene = scene()
        let key = try scene.key()
        redis[key] = try scene.entry()
        let client = try ask(scene, "no-cache")
        #expect(redis.calls.isEmpty)
        #expect(scene.calls.count == 1)
        scene.answer()
        #expect(client.body?.contains("fresh") == true)
        #expect(
            redis[key].map { $0.content(.whole).map { String(decoding: $0, as: UTF8.self) } }??.contains("fresh")
                == true)
        scene.expectQuiet([client])
    }

    @Test("tiers that fail are misses") func failing() throws {
        let scene = scene()
        redis[try scene.key()] = try scene.entry()
        redis.isFailing = true
        objects.isFailing = true
        let client = try scene.ask()
        #expect(scene.calls.count == 1)
        scene.answer()
        #expect(client.served?.outcome == .miss)
        #expect(client.served?.kind == .answer)
        scene.advance(.seconds(60))
        #expect(scene.rig.engine.fill?.statistics(of: .redis).dropped[.failed] == 1)
        #expect(try scene.ask().served?.outcome == .hit(.memory))
        scene.expectQuiet([client])
    }

    @Test("one tier that fails leaves the other") func oneFails() throws {
        let scene = scene()
        redis.isFailing = true
        objects[try scene.key()] = try scene.entry()
        let client = try scene.ask()
        #expect(client.served?.outcome == .hit(.objects))
        scene.advance(.seconds(60))
        scene.expectQuiet([client])
    }

    @Test("what memory has no room for is kept below") func tooLargeForMemory() throws {
        let scene = scene(capacity: 1 << 10)
        let text = String(repeating: "word ", count: 200)
        let client = try scene.ask()
        scene.answer(text)
        #expect(client.served?.notStored == nil)
        let second = try scene.ask()
        #expect(second.served?.outcome == .hit(.redis))
        #expect(second.body == client.body)
        #expect(scene.calls.count == 1)
        scene.expectQuiet([client, second])
    }

    @Test("the leader leaves during a slow look-up, and the followers have everything", arguments: [true, false])
    func leaderLeaves(isFound: Bool) throws {
        let scene = scene { $0.cache.onAbort = .cancel }
        if isFound { redis[try scene.key()] = try scene.entry("fresh") }
        let gate = Gate()
        redis.during = { _, _ in await gate.pass() }
        let leader = try scene.ask()
        let followers = try (0..<5).map { _ in try scene.ask() }
        scene.then { leader.leave() }
        scene.then { gate.open() }
        if !isFound { scene.answer() }
        #expect(scene.calls.count == (isFound ? 0 : 1))
        #expect(followers.allSatisfy { $0.body?.contains("fresh") == true } == true)
        scene.expectQuiet([leader] + followers)
    }

    @Test("everybody leaves during a slow look-up") func allLeave() throws {
        let scene = scene { $0.cache.onAbort = .cancel }
        let gate = Gate()
        redis.during = { _, _ in await gate.pass() }
        let clients = try (0..<3).map { _ in try scene.ask() }
        scene.then { for client in clients { client.leave() } }
        scene.then { gate.open() }
        scene.expectQuiet(clients)
        let late = try scene.ask()
        scene.answer()
        #expect(late.served?.kind == .answer)
        scene.expectQuiet([late])
    }

    @Test("a follower that waited long enough asks by itself") func followerTimeout() throws {
        let scene = scene { $0.cache.followerTimeout = .seconds(1) }
        let gate = Gate()
        redis.during = { verb, _ in if verb == .find { await gate.pass() } }
        let leader = try scene.ask()
        let follower = try scene.ask()
        scene.advance(.seconds(1))
        scene.answer()
        #expect(follower.served?.outcome == .miss)
        scene.then { gate.open() }
        #expect(leader.served?.kind == .answer)
        #expect(scene.calls.count == 1, "the leader finds what the follower brought")
        scene.expectQuiet([leader, follower])
    }

    @Test("a newer answer that came during the look-up is not replaced by the one below") func newerMeanwhile() throws {
        let scene = scene()
        let key = try scene.key()
        redis[key] = try scene.entry("old", age: 5_000)
        let gate = Gate()
        redis.during = { verb, _ in if verb == .find { await gate.pass() } }
        let slow = try scene.ask()
        let own = try ask(scene, "no-cache")
        scene.answer("new")
        scene.then { gate.open() }
        #expect(slow.served?.kind == .answer)
        #expect(own.body?.contains("new") == true)
        #expect(try scene.ask().body?.contains("new") == true)
        scene.expectQuiet([slow, own])
    }

    // MARK: Purges

    @Test("before the marks of others are known, what they kept is not trusted") func unsettled() throws {
        let home = FakePurgeHome()
        home.failure = PurgeHomeFailure("as scripted")
        let scene = scene(home: home)
        redis[try scene.key()] = try scene.entry()
        let client = try scene.ask()
        #expect(try ask(scene, "only-if-cached", "hi").served == nil || redis.calls.isEmpty)
        #expect(redis.calls.isEmpty)
        scene.answer()
        #expect(client.served?.outcome == .miss)
        home.failure = nil
        scene.then { scene.rig.sync?.refresh() }
        redis[try scene.key("other")] = try scene.entry(for: "other")
        #expect(try scene.ask("other").served?.outcome == .hit(.redis))
        scene.rig.sync?.close()
        scene.expectQuiet([client])
    }

    @Test("purged entries below are not served, and are removed") func purged() throws {
        let scene = scene()
        let key = try scene.key()
        redis[key] = try scene.entry("old")
        objects[key] = try scene.entry("older", age: 1_000)
        scene.purge(.model("m"))
        let client = try scene.ask()
        #expect(scene.calls.count == 1)
        #expect(redis[key] == nil)
        #expect(objects[key] == nil)
        scene.then { scene.calls[0].fail() }
        #expect(client.served?.kind == .failed(.reset), "nor as stale ones")
        scene.expectQuiet([client])
    }

    @Test("what is asked for after a purge is kept below and found again") func afterPurge() throws {
        let scene = scene()
        scene.purge(.everything)
        let client = try scene.ask()
        scene.answer()
        scene.rig.memory.removeAll()
        #expect(try scene.ask().served?.outcome == .hit(.redis))
        scene.expectQuiet([client])
    }

    @Test(
        "credentials and namespaces never share what is below",
        arguments: [
            [("Authorization", "Bearer two")], [EngineRig.credential, ("x-refrain-namespace", "n")], [],
        ])
    func apart(headers: [(String, String)]) throws {
        let scene = scene()
        redis[try scene.key()] = try scene.entry()
        let client = try scene.ask(headers: headers)
        #expect(scene.calls.count == 1)
        scene.answer("their own")
        #expect(client.body?.contains("their own") == true)
        #expect(try scene.ask().body?.contains("kept") == true)
        #expect(redis.count == 2)
        scene.expectQuiet([client])
    }

    @Test("who holds an answer") func holders() async throws {
        let scene = scene()
        let key = try scene.key()
        redis[key] = try scene.entry()
        objects[key] = try scene.entry(age: 10)
        #expect(await scene.rig.engine.holders(of: key).map(\.tier) == [.redis, .objects])
        try scene.ask()
        #expect(await scene.rig.engine.holders(of: key).map(\.tier) == [.memory, .redis, .objects])
        _ = scene.rig.engine.purgeHere(.key(key))
        #expect(await scene.rig.engine.holders(of: key).map(\.tier) == [])
    }

    // MARK: Refill

    @Test("answers are brought back from the tiers, the hottest first") func refill() async throws {
        let scene = scene()
        let names = (0..<6).map { "p\($0)" }
        let keys = try names.map { try scene.key($0) }
        redis[keys[0]] = try scene.entry(for: names[0])
        objects[keys[1]] = try scene.entry(for: names[1])
        redis[keys[2]] = try scene.entry(for: names[2], age: 9_000, ttl: 5_000)
        redis[keys[3]] = try scene.entry(for: names[3])
        redis[keys[4]] = try scene.entry(for: names[4])
        let purged = scene.rig.engine.purges.raise(.key(keys[3]), wall: 0)
        #expect(purged.number > 0)
        try scene.ask(names[4])
        let finds = redis.count(of: .find)
        #expect(await scene.rig.engine.refill(keys) == 2)
        #expect(redis.count(of: .find) == finds + 5, "what memory has is not asked for")
        let now = scene.rig.clock.wall()
        #expect(keys.map { scene.rig.memory.peek($0, now: now) != nil } == [true, true, false, false, true, false])
        #expect(await scene.rig.engine.refill([]) == 0)
    }

    @Test("it stops when memory is nearly full") func refillStops() async throws {
        let scene = scene(capacity: 32 << 10)
        let keys = (0..<1000).map { CacheKey(UInt64($0), UInt64($0), 0, 0) }
        for key in keys { redis[key] = try scene.entry() }
        let count = await scene.rig.engine.refill(keys)
        #expect(count > 10 && count < 100, "\(count)")
        #expect(scene.rig.memory.statistics.bytes <= 32 << 10)
        #expect(redis.count(of: .find) <= count + 2)
        #expect(scene.rig.memory.peek(keys[0], now: scene.rig.clock.wall()) != nil)
    }

    @Test("it stops when its task is cancelled") func refillCancelled() async throws {
        let scene = scene()
        let keys = (0..<50).map { CacheKey(UInt64($0), UInt64($0), 0, 0) }
        for key in keys { redis[key] = try scene.entry() }
        let engine = scene.rig.engine
        redis.during = { _, _ in withUnsafeCurrentTask { $0?.cancel() } }
        #expect(await engine.refill(keys) <= 2)
        #expect(redis.count(of: .find) <= 2)
    }
}
