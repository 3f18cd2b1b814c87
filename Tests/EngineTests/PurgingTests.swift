import Core
import TestKit
import Testing
import Tiers

@testable import Engine

@Suite struct PurgingTests {
    private static let headers = [
        EngineRig.credential, ("x-refrain-namespace", "n"), ("x-refrain-tags", "t, u"),
    ]

    /// A sidecar that holds "hi" with every label, and "other" with none.
    private func scene(_ lower: FakeLower? = nil) throws -> Scene {
        let scene = Scene(lower: lower)
        let clients = [try scene.ask(headers: Self.headers)]
        scene.answer()
        let other = try scene.ask("other", headers: [("Authorization", "Bearer two")])
        scene.answer()
        scene.expectQuiet(clients + [other])
        return scene
    }

    enum Aim: String, CaseIterable {
        case everything, older, olderThanAll, key, model, otherModel, tag, otherTag, namespace, tenant
    }

    private func group(_ aim: Aim, _ scene: Scene) throws -> (group: PurgeGroup, moment: Int64, count: Int) {
        let call = try scene.call(headers: Self.headers)
        let now = scene.rig.clock.wall()
        return switch aim {
        case .everything: (.everything, 0, 2)
        case .older: (.older, now + 1, 2)
        case .olderThanAll: (.older, now, 0)
        case .key: (.key(call.admitted.key), 0, 1)
        case .model: (.model("m"), 0, 2)
        case .otherModel: (.model("M"), 0, 0)
        case .tag: (.tag("u"), 0, 1)
        case .otherTag: (.tag("v"), 0, 0)
        case .namespace: (.namespace("n"), 0, 1)
        case .tenant: (.tenant(call.admitted.tenant.word0), 0, 1)
        }
    }

    @Test("a group is purged and nothing else, and a trial counts the same", arguments: Aim.allCases)
    func groups(aim: Aim) throws {
        let scene = try scene()
        let (group, moment, count) = try group(aim, scene)
        #expect(scene.rig.engine.count(of: group, before: moment) == count)
        #expect(scene.rig.memory.statistics.entries == 2, "a trial drops nothing")
        let report = scene.purge(group, before: moment)
        #expect(report?.count == count)
        #expect(report?.isShared == false)
        #expect(report?.failure == nil)
        #expect(scene.rig.memory.statistics.entries == 2 - count)
        #expect(scene.purge(group, before: moment)?.count == 0)
        #expect(scene.rig.engine.count(of: group, before: moment) == 0)
    }

    @Test("a purge of a key removes it below at once") func keyBelow() throws {
        let (redis, objects) = (FakeTier(.redis), FakeTier(.objects))
        let scene = try scene(FakeLower([redis, objects]))
        let key = try scene.key(headers: Self.headers)
        #expect(redis[key] != nil)
        scene.purge(.key(key))
        #expect(redis[key] == nil)
        #expect(objects[key] == nil)
        #expect(redis.count == 1)
    }

    @Test("others hear of it: at once, or by looking") func shared() throws {
        let (redis, home) = (FakeTier(), FakePurgeHome())
        let first = Scene(lower: FakeLower([redis], home: home))
        let second = Scene(beside: first, lower: FakeLower([redis], home: home))
        for scene in [first, second] { scene.then { scene.rig.sync?.refresh() } }
        let client = try first.ask()
        first.answer()
        #expect(try second.ask().served?.outcome == .hit(.redis))
        let report = try #require(first.purge(.model("m")))
        #expect(report.isShared)
        #expect(home.announced == [report.mark])
        #expect(second.rig.memory.statistics.entries == 1)
        second.then { second.rig.engine.heard(report.mark) }
        #expect(second.rig.memory.statistics.entries == 0)
        let again = try second.ask()
        #expect(second.calls.count == 1)
        second.answer()
        #expect(again.served?.outcome == .miss)
        // One that misses the announcement.
        let later = try #require(first.purge(.everything))
        second.advance(.seconds(5))
        #expect(second.rig.engine.purges.all.contains(later.mark))
        #expect(second.rig.memory.statistics.entries == 0)
        for scene in [first, second] { scene.rig.sync?.close() }
        first.expectQuiet([client])
    }

    @Test("when the others cannot be told, this sidecar is purged all the same, and they are told later")
    func unreachable() throws {
        let (redis, home) = (FakeTier(), FakePurgeHome())
        let scene = Scene(lower: FakeLower([redis], home: home))
        scene.then { scene.rig.sync?.refresh() }
        let client = try scene.ask()
        scene.answer()
        home.failure = PurgeHomeFailure("as scripted")
        for (group, count) in [(PurgeGroup.model("m"), 1), (.older, 0)] {
            let report = scene.purge(group, before: scene.rig.clock.wall() + 1)
            #expect(report?.count == count)
            #expect(report?.isShared == false)
            #expect(report?.failure?.description == "as scripted")
        }
        #expect(home.announced.isEmpty)
        home.failure = nil
        scene.advance(.seconds(1))
        #expect(Set(home.announced.map(\.group)) == [.model("m"), .older])
        scene.rig.sync?.close()
        scene.expectQuiet([client])
    }

    @Test("an answer that was asked for before the purge is not kept, and late comers ask again")
    func duringFlight() throws {
        let redis = FakeTier()
        let scene = Scene(lower: FakeLower([redis]))
        let leader = try scene.ask()
        scene.purge(.tag("nothing of this"))
        scene.purge(.model("m"))
        let late = try scene.ask()
        #expect(scene.calls.count == 2, "it does not join a call from before the purge")
        scene.then { scene.calls[0].answer(.whole, [ModelAnswer.whole(.chat, "old")]) }
        #expect(leader.body?.contains("old") == true)
        #expect(leader.served?.notStored == .purged)
        #expect(redis.stored.isEmpty)
        scene.answer("new")
        #expect(late.body?.contains("new") == true)
        #expect(try scene.ask().body?.contains("new") == true)
        #expect(redis.count == 1)
        scene.expectQuiet([leader, late])
    }

    @Test("found below before the purge, it is not put into memory", arguments: [true, false])
    func duringLookup(isKey: Bool) throws {
        let redis = FakeTier()
        let scene = Scene(lower: FakeLower([redis]))
        let key = try scene.key()
        redis[key] = try scene.entry()
        let gate = Gate()
        redis.during = { verb, _ in if verb == .find { await gate.pass() } }
        let leader = try scene.ask()
        scene.purge(isKey ? .key(key) : .everything)
        let late = try scene.ask()
        scene.then { gate.open() }
        #expect(scene.rig.memory.statistics.entries == 0)
        #expect(scene.calls.count == 2)
        for call in scene.calls { scene.then { call.answer(.whole, [ModelAnswer.whole(.chat, "new")]) } }
        #expect(late.body?.contains("new") == true)
        scene.expectQuiet([leader, late])
    }

    @Test("purged while it waits to be written to the tier above, it is not written") func duringPromotion() throws {
        let (redis, objects) = (FakeTier(.redis), FakeTier(.objects))
        var lower = FakeLower([redis, objects])
        lower.fill.workers = 1
        let scene = Scene(lower: lower)
        let gate = Gate()
        redis.during = { verb, _ in if verb == .store { await gate.pass() } }
        objects[try scene.key("first")] = try scene.entry(for: "first")
        objects[try scene.key()] = try scene.entry()
        #expect(try scene.ask("first").served?.outcome == .hit(.objects))
        #expect(try scene.ask().served?.outcome == .hit(.objects))
        #expect(redis.count(of: .store) == 1)
        scene.purge(.everything)
        scene.then { gate.open() }
        #expect(redis.count(of: .store) == 1)
        // The one that was under way has arrived, and is known to be purged by its stamp.
        let client = try scene.ask("first")
        #expect(scene.calls.count == 1)
        scene.answer()
        #expect(client.served?.outcome == .miss)
        scene.expectQuiet([client])
    }

    @Test("an answer of another sidecar from before the purge is not taken by those who wait for it")
    func duringWait() throws {
        let redis = FakeTier()
        let first = Scene(lower: FakeLower([redis]))
        let table = FakeLeaseTable(clock: first.rig.clock)
        let second = Scene(beside: first, lower: FakeLower([redis], leases: FakeCallLeases(table, owner: 2)))
        let other = FakeCallLeases(table, owner: 1)
        let key = try second.key()
        second.stage.spawn { _ = await other.take(key) }
        second.stage.run()
        let waiter = try second.ask()
        second.advance(.milliseconds(100))
        #expect(second.calls.isEmpty)
        second.purge(.everything)
        redis[key] = try second.entry("old")
        second.advance(.seconds(3))
        #expect(second.calls.count == 1, "the lease has ended and nothing usable came")
        second.answer("new")
        #expect(waiter.body?.contains("new") == true)
        second.advance(.seconds(1))
        second.expectQuiet([waiter])
    }

    @Test("once a purge has returned, nothing from before it comes into memory", .timeLimit(.minutes(5)))
    func onAllThreads() async throws {
        let scene = Scene()
        let engine = scene.rig.engine
        let now = scene.rig.clock.wall()
        let keys = (0..<64).map { CacheKey($0, $0 << 58, 0, 0) }
        for _ in 0..<100 {
            let entry = try scene.entry(generation: engine.purges.latest)
            let left = await withTaskGroup(of: Int.self) { group in
                group.addTask { @concurrent in
                    for key in keys { _ = engine.hold(entry, under: key, now: now) }
                    return 0
                }
                group.addTask { @concurrent in
                    engine.purgeHere(.everything)
                    return keys.count { engine.memory.peek($0, now: now) != nil }
                }
                return await group.reduce(0, +)
            }
            #expect(left == 0)
        }
    }
}
