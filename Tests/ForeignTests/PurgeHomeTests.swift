import Core
import Foreign
import Foundation
import TestKit
import Testing
import Tiers

/// The contract of homes of marks, over every one of them, on real servers and a real directory.
@Suite(.serialized, .timeLimit(.minutes(2))) struct PurgeHomeTests {
    private static let seeds = 0..<12 as Range<UInt64>

    /// Runs all checks on homes that `make` empties; what was wrong.
    private func faults(
        _ make: (_ run: Int) async throws -> PurgeHomeContract.Subject
    ) async rethrows -> [String] {
        var faults: [String] = []
        for (run, check) in PurgeHomeContract.all.enumerated() {
            faults += await check.violations(try await make(run)).map { "\(check): \($0)" }
        }
        for seed in PurgeHomeTests.seeds {
            let subject = try await make(PurgeHomeContract.all.count + Int(seed))
            faults += await PurgeHomeContract.joiningIsAJoin(subject, seed: seed)
        }
        return faults
    }

    @Test func theFakeKeepsTheContract() async {
        let faults = await faults { _ in PurgeHomeContract.Subject(home: FakePurgeHome(), deadline: .max) }
        #expect(faults == [])
    }

    @Test func objectsOfAnyStoreKeepTheContract() async {
        let faults = await faults { _ in
            let home = ObjectPurgeHome(
                store: FakeObjectStore(), digest: FakeDigest(), clock: ManualClock(), log: RecordingLog())
            return PurgeHomeContract.Subject(home: home, deadline: .max)
        }
        #expect(faults == [])
    }

    @Test func redisKeepsTheContract() async throws {
        let server = try await RedisServer()
        let bench = try RedisBench(server.url)
        defer { bench.close() }
        let faults = await faults { _ in
            _ = try? await bench.ask("FLUSHDB")
            return subject(of: bench)
        }
        #expect(faults == [])
        #expect(bench.log.lines.isEmpty)
        #expect(server.cli("ttl refrain:v1:purges") == "-1\n")
    }

    @Test func aClusterKeepsTheContract() async throws {
        let cluster = try await RedisClusterRig()
        let bench = try RedisBench(cluster.urls)
        defer { bench.close() }
        #expect(await bench.knowsCluster())
        // Hashes of their own, which lie with different masters.
        let faults = await faults { run in subject(of: bench) { $0.map = "refrain:v1:purges:\(run)" } }
        #expect(faults == [])

        // What is announced through one server is heard through any other, and through the next where one is gone.
        let seeds = cluster.servers.suffix(2).map { "127.0.0.1:\($0.port)" }.joined(separator: ",")
        let channel = try SubscriptionBench("redis://" + seeds, channel: "news")
        defer { channel.close() }
        #expect(await eventually { channel.subscriptions == 1 })
        let home = bench.home { $0.channel = "news" }
        let first = try await home.raise(.tag("a b"), above: 0, deadline: RedisBench.deadline())
        #expect(await eventually { channel.marks == [first] })
        // The first of them is tried first.
        cluster.servers[4].kill()
        #expect(await eventually { channel.subscriptions == 2 })
        let second = try await home.raise(.tag("c"), above: 0, deadline: RedisBench.deadline())
        #expect(await eventually { channel.marks == [first, second] })
    }

    @Test func aDirectoryKeepsTheContract() async throws {
        let fixture = try DirectoryFixture()
        let faults = try await faults { run in
            let store = try await fixture.store(at: "/\(run)")
            return PurgeHomeContract.Subject(
                home: fixture.home(on: store), deadline: fixture.deadline)
        }
        #expect(faults == [])
    }

    private func subject(
        of bench: RedisBench, _ change: (inout RedisPurgeHome.Options) -> Void = { _ in }
    ) -> PurgeHomeContract.Subject {
        PurgeHomeContract.Subject(home: bench.home(change), deadline: RedisBench.deadline())
    }

    // MARK: Redis

    @Test func otherSidecarsAreToldOfWhatRose() async throws {
        let server = try await RedisServer()
        let bench = try RedisBench(server.url)
        defer { bench.close() }
        let channel = try SubscriptionBench(server.url, channel: "refrain:v1:purges")
        defer { channel.close() }
        #expect(await eventually { channel.subscriptions > 0 })
        let home = bench.home()
        let deadline = RedisBench.deadline()
        let first = try await home.raise(.model("m"), above: 0, deadline: deadline)
        let risen = PurgeMark(.tag("x y"), first.number + 7)
        try await home.join([first, risen, PurgeMark(.older, 5)], deadline: deadline)
        try await home.join([first, risen], deadline: deadline)
        let last = try await home.raise(.everything, above: 0, deadline: deadline)
        #expect(await eventually { channel.marks.count >= 4 })
        #expect(channel.marks == [first, risen, PurgeMark(.older, 5), last])
    }

    @Test func aFullRedisTakesPurges() async throws {
        let server = try await RedisServer()
        let bench = try RedisBench(server.url)
        defer { bench.close() }
        let home = bench.home()
        let deadline = RedisBench.deadline()
        let first = try await home.raise(.tag("a"), above: 0, deadline: deadline)
        _ = try await bench.ask("CONFIG", "SET", "maxmemory-policy", "noeviction")
        _ = try await bench.ask("CONFIG", "SET", "maxmemory", "1")
        #expect(server.cli("set x y").hasPrefix("OOM"))
        let second = try await home.raise(.tag("b"), above: 0, deadline: deadline)
        let third = PurgeMark(.tag("c"), second.number + 1)
        try await home.join([third], deadline: deadline)
        #expect(Set(try await home.marks(deadline: deadline)) == [first, second, third])
    }

    @Test func whatSomebodyElseWroteIsNoReasonToForgetAPurge() async throws {
        let server = try await RedisServer()
        let bench = try RedisBench(server.url)
        defer { bench.close() }
        let home = bench.home()
        let deadline = RedisBench.deadline()
        let before = UInt64(SystemClock().wall())
        for (field, text) in [
            ("nonsense", "1"), ("key:xyz", "2"), ("tag:a", "many"), ("tag:b", "-1"), ("tag:c", "1e300"),
            ("tag:d", "0x10"),
            ("tag:e", "nan"), ("tag:f", "9007199254740992"), ("tag:g", "12"), ("highest", "inf"), ("revision", "?"),
        ] {
            _ = try await bench.ask("HSET", "refrain:v1:purges", field, text)
        }
        let marks = Dictionary(
            uniqueKeysWithValues: try await home.marks(deadline: deadline).map { ($0.group, $0.number) })
        #expect(Set(marks.keys.map(\.name)) == Set("abcdefg".map { "tag:\($0)" }))
        for group in marks.keys where group != .tag("g") { #expect(marks[group] ?? 0 > before) }
        #expect(marks[.tag("g")] == 12)
        // Mended: the second look finds the same.
        let again = try await home.marks(deadline: deadline)
        #expect(Dictionary(uniqueKeysWithValues: again.map { ($0.group, $0.number) }) == marks)
        #expect(bench.events("purges-unknown") == ["map=refrain:v1:purges fields=2"])
        #expect(try await home.raise(.tag("h"), above: 0, deadline: deadline).number > marks[.tag("a")] ?? .max)
        #expect(try await home.revision(deadline: deadline) > before)

        await #expect(throws: PurgeHomeFailure.self) {
            try await home.raise(.everything, above: 1 << 53, deadline: deadline)
        }
        _ = try await bench.ask("SET", "refrain:v1:purges", "a text")
        await #expect(throws: PurgeHomeFailure.self) { try await home.marks(deadline: deadline) }
    }

    @Test func moreMarksThanAreHeldBecomeOneOnEverything() async throws {
        let server = try await RedisServer()
        let bench = try RedisBench(server.url)
        defer { bench.close() }
        let home = bench.home { $0.mostMarks = 4000 }
        let deadline = RedisBench.deadline(milliseconds: 50_000)
        let marks = (1...9000).map { PurgeMark(.tag("t\($0)"), UInt64($0)) } + [PurgeMark(.older, 1)]
        try await home.join(marks, deadline: deadline)
        for _ in 0..<2 {
            let found = try await home.marks(deadline: deadline)
            #expect(found.count == 3001)
            #expect(covers(found, marks))
            #expect(found.contains(PurgeMark(.older, 1)))
        }
        #expect(server.cli("hlen refrain:v1:purges") == "3003\n")
        // Purging goes on without an end to the hash.
        for number in 1...1100 {
            _ = try await home.raise(.tag("u\(number)"), above: 0, deadline: deadline)
        }
        #expect(Int(server.cli("hlen refrain:v1:purges").dropLast()) ?? .max <= 4002)
    }

    /// Whether every mark is there, or one on everything that is as high.
    private func covers(_ found: [PurgeMark], _ marks: [PurgeMark]) -> Bool {
        let known = Set(found)
        let everything = found.first { $0.group == .everything }?.number ?? 0
        return marks.allSatisfy { known.contains($0) || $0.group != .older && $0.number <= everything }
    }

    @Test func withoutRedisEveryCallSaysSo() async throws {
        let server = try await RedisServer()
        let bench = try RedisBench(server.url)
        defer { bench.close() }
        let home = bench.home()
        _ = try await home.raise(.everything, above: 0, deadline: RedisBench.deadline())
        server.kill()
        #expect(await eventually { !canConnect(server.port) })
        await #expect(throws: PurgeHomeFailure.self) { try await home.marks(deadline: RedisBench.deadline()) }
        await #expect(throws: PurgeHomeFailure.self) { try await home.revision(deadline: RedisBench.deadline()) }
        await #expect(throws: PurgeHomeFailure.self) {
            try await home.raise(.everything, above: 0, deadline: RedisBench.deadline())
        }
        await #expect(throws: PurgeHomeFailure.self) {
            try await home.join([PurgeMark(.everything, 1)], deadline: RedisBench.deadline())
        }
    }

    @Test func whoMayNotPublishStillPurges() async throws {
        let server = try await RedisServer([
            "--user", "cache", "on", ">pw", "~refrain:*", "resetchannels", "+@all", "--user", "default", "off",
        ])
        let bench = try RedisBench("redis://cache:pw@127.0.0.1:\(server.port)")
        defer { bench.close() }
        let home = bench.home()
        let mark = try await home.raise(.everything, above: 0, deadline: RedisBench.deadline())
        try await home.join([PurgeMark(.tag("a"), 1)], deadline: RedisBench.deadline())
        #expect(Set(try await home.marks(deadline: RedisBench.deadline())) == [mark, PurgeMark(.tag("a"), 1)])
        #expect(bench.events("purges-unannounced").count == 1)
    }

    @Test(arguments: [
        "", "5", "5 ", " all", "x all", "-1 all", "5 nothing", "9007199254740992 all", "5  all", "5 key:1",
    ])
    func whatIsNoMark(_ text: String) { #expect(RedisPurgeHome.mark(in: Bytes(text)) == nil) }

    // MARK: Objects

    @Test func anObjectThatCannotBeReadIsAPurgeOfEverything() async throws {
        let fixture = try DirectoryFixture()
        let store = try await fixture.store()
        let home = fixture.home(on: store)
        var marks: [PurgeMark] = []
        for tag in ["a", "b", "c", "d"] {
            marks.append(try await home.raise(.tag(tag), above: 0, deadline: fixture.deadline))
        }
        let files = try fixture.files().sorted()
        #expect(files.count == 4)
        let named = { (mark: PurgeMark) in files.first { $0.hasSuffix("-\(mark.number)") } ?? "" }
        try fixture.place(named(marks[0]), "tag:x")
        try fixture.place(named(marks[1]), "")
        try fixture.place(named(marks[2]), String(repeating: "x", count: 100_000))
        try fixture.place("purges/v1/not-a-mark")
        try fixture.place("purges/v1/readme")
        let other = fixture.home(on: store)
        for _ in 0..<2 {
            let found = try await other.marks(deadline: fixture.deadline)
            #expect(Set(found) == Set(marks.prefix(3).map { PurgeMark(.everything, $0.number) } + [marks[3]]))
        }
        #expect(
            fixture.log.lines.filter { $0.event.hasPrefix("purge") }.map(\.event).sorted() == [
                "purge-unreadable", "purges-unknown",
            ])
        // A sidecar that knows them writes them again, and above what is there.
        let raised = try await home.raise(.tag("a"), above: 0, deadline: fixture.deadline)
        #expect(try await other.marks(deadline: fixture.deadline).contains(raised))
    }

    @Test func moreObjectsThanAreHeldBecomeOneOnEverything() async throws {
        let fixture = try DirectoryFixture()
        let store = try await fixture.store()
        let home = fixture.home(on: store) { $0.mostMarks = 40 }
        let marks = (1...100).map { PurgeMark(.tag("t\($0)"), UInt64($0)) } + [PurgeMark(.older, 1)]
        try await home.join(marks, deadline: fixture.deadline)
        for _ in 0..<2 {
            let found = try await home.marks(deadline: fixture.deadline)
            #expect(found.count == 31)
            #expect(covers(found, marks))
        }
        #expect(try fixture.files().count == 31)
    }

    @Test func listsOfManyPages() async throws {
        let store = FakeObjectStore()
        let home = ObjectPurgeHome(store: store, digest: FakeDigest(), clock: ManualClock(), log: RecordingLog())
        let marks = (1...2500).map { PurgeMark(.tag("t\($0)"), UInt64($0)) }
        try await home.join(marks, deadline: .max)
        #expect(Set(try await home.marks(deadline: .max)) == Set(marks))
        #expect(store.calls.count { $0 == "list purges/v1/" } == 4)
        // What was read once is known.
        let reads = store.calls.count { $0.hasPrefix("get") }
        #expect(reads == 2500)
        _ = try await home.marks(deadline: .max)
        #expect(store.calls.count { $0.hasPrefix("get") } == reads)
    }

    @Test func anObjectStoreThatFailsIsSaidSo() async throws {
        let store = FakeObjectStore()
        let home = ObjectPurgeHome(store: store, digest: FakeDigest(), clock: ManualClock(), log: RecordingLog())
        let mark = try await home.raise(.tag("a"), above: 0, deadline: .max)
        store.failure = ObjectFailure(.unavailable, "it is away")
        for call in 0..<4 {
            let failure = await #expect(throws: PurgeHomeFailure.self) {
                switch call {
                case 0: _ = try await home.marks(deadline: .max)
                case 1: _ = try await home.revision(deadline: .max)
                case 2: _ = try await home.raise(.tag("b"), above: 0, deadline: .max)
                default: try await home.join([PurgeMark(.tag("b"), 1)], deadline: .max)
                }
            }
            #expect(failure?.description == "object store: it is away")
        }
        store.failure = nil
        #expect(try await home.marks(deadline: .max) == [mark])
    }

    /// Many sidecars on one directory: none of the purges is lost, and old marks go.
    @Test func sidecarsThatRaiseTheSameMarkAtOnce() async throws {
        let fixture = try DirectoryFixture()
        let store = try await fixture.store()
        let homes = (0..<4).map { _ in fixture.home(on: store) }
        let deadline = fixture.deadline
        let numbers = await withTaskGroup(of: UInt64.self) { tasks in
            for home in homes {
                tasks.addTask {
                    var last: UInt64 = 0
                    for _ in 0..<10 {
                        last = (try? await home.raise(.tag("a"), above: 0, deadline: deadline).number) ?? 0
                    }
                    return last
                }
            }
            return await tasks.reduce(into: []) { $0.append($1) }
        }
        let highest = try #require(numbers.max())
        #expect(!numbers.contains(0))
        for home in homes { #expect(try await home.marks(deadline: deadline) == [PurgeMark(.tag("a"), highest)]) }
        let last = try await homes[0].raise(.tag("a"), above: 0, deadline: deadline)
        #expect(try await homes[1].marks(deadline: deadline) == [last])
        #expect(try fixture.files().count == 1)
    }
}

extension RedisBench {
    func home(_ change: (inout RedisPurgeHome.Options) -> Void = { _ in }) -> RedisPurgeHome {
        var options = RedisPurgeHome.Options()
        change(&options)
        return RedisPurgeHome(store: store, options: options, clock: SystemClock(), log: log)
    }
}

extension DirectoryFixture {
    func home(
        on store: DirectoryStore, _ change: (inout ObjectPurgeHome.Options) -> Void = { _ in }
    ) -> ObjectPurgeHome {
        var options = ObjectPurgeHome.Options()
        change(&options)
        return ObjectPurgeHome(
            store: store, digest: SystemDigest(secret: []), options: options, clock: clock, log: log)
    }
}
