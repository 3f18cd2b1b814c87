import Core
import Foreign
import FoundationEssentials
import TestKit
import Testing
import Tiers

@testable import refrain

/// From settings to tiers: what ends a start, and what does not.
@Suite struct LowerTiersTests {
    private let log = RecordingLog()
    /// For files that a test writes.
    private let folder =
        FileManager.default.temporaryDirectory.path + "/refrain-lower-\(UInt64.random(in: 0...UInt64.max))"

    private func make(
        _ change: (inout Settings) throws -> Void, environment: [(name: String, value: String)] = []
    ) throws -> LowerTiers {
        var settings = Settings()
        settings.cache.secret = Secret("secret")
        try change(&settings)
        return try LowerTiers(
            settings, loops: [try EventLoop()], environment: environment, digest: FakeDigest(),
            clock: ManualClock(), log: log)
    }

    private let key = String(repeating: "5a", count: 32)
    private let credentials = [("AWS_ACCESS_KEY_ID", "key"), ("AWS_SECRET_ACCESS_KEY", "hunter2")]

    @Test func withoutURLsThereAreNone() async throws {
        let lower = try make { $0.cache.secret = Secret("") }
        #expect(lower.tiers.isEmpty && lower.store == nil && lower.objects == nil && lower.redisOptions == nil)
        #expect(log.lines.isEmpty)
        await lower.close()
    }

    @Test func theyStandInTheOrderInWhichTheyAreAsked() async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let lower = try make {
            $0.redis.url = try RedisURL("redis://127.0.0.1:1")
            $0.redis.deadline = .seconds(1)
            $0.objects.url = .directory(folder)
        }
        #expect(lower.tiers.map(\.name) == [.redis, .objects])
        #expect(lower.store != nil && lower.objects != nil)
        #expect(lower.redisOptions?.stallLimit == 1_000_000_000)
        let registry = MetricsRegistry(version: "test")
        lower.register(in: registry)
        let stats = StatsSnapshot(registry, uptime: 0)
        #expect(stats.tiers.map(\.tier) == ["redis", "objects"])
        #expect(stats.tiers.allSatisfy { $0.lower?.breaker == "closed" })
        #expect(stats.tiers.map(\.capacity) == [nil, 10 << 30])
        await lower.close()
    }

    @Test(arguments: ["s3://bucket?endpoint=http://127.0.0.1:1", "s3+v2://bucket?endpoint=http://127.0.0.1:1"])
    func aBucketThatCannotBeReachedIsNoReasonNotToStart(url: String) async throws {
        let lower = try make({ $0.objects.url = try ObjectsURL(url) }, environment: credentials)
        #expect(lower.tiers.map(\.name) == [.objects])
        await lower.close()
    }

    @Test(arguments: [
        ("redis.url=rediss://h", "redis.caFile=/nonexistent/ca.pem", "/nonexistent/ca.pem cannot be read"),
        ("redis.url=redis://h", "cache.encryptionKey=file:/nonexistent/keys", "cache.encryptionKey: /nonexistent/keys"),
        ("redis.url=redis://h", "cache.encryptionKey=file:/dev/zero", "cache.encryptionKey: /dev/zero is larger"),
        (
            "redis.url=redis://h", "cache.encryptionKey=file:/dev/null",
            "cache.encryptionKey: /dev/null: it holds no key"
        ),
        ("objects.url=file:///dev/null/objects", "objects.sync=full", "objects.url: opening /dev/null/objects"),
        (
            "objects.url=s3://bucket", "objects.write=always",
            "AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not"
        ),
        ("objects.url=s3://bucket", "objects.credentialsFile=/nonexistent", "/nonexistent cannot be read"),
    ])
    func whatCanNeverWorkEndsTheStartInOneLine(first: String, second: String, words: String) throws {
        var loader = SettingsLoader(syntax: YAMLDocument())
        loader.add(assignments: [first, second])
        let settings = try loader.finish().values
        let failure = #expect(throws: CommandFailure.self) {
            try LowerTiers(
                settings, loops: [try EventLoop()], environment: [("AWS_ACCESS_KEY_ID", "key")],
                digest: FakeDigest(), clock: ManualClock(), log: log)
        }
        #expect(failure?.kind == .failed && failure?.message.contains("\n") == false)
        #expect(failure?.message.contains(words) == true, "\(failure?.message ?? "")")
    }

    @Test func authoritiesOfABucketMustBeReadable() {
        let failure = #expect(throws: CommandFailure.self) {
            try make(
                { $0.objects.url = try ObjectsURL("s3://bucket?ca=/nonexistent/ca.pem") }, environment: credentials)
        }
        #expect(failure?.message.hasPrefix("objects.url: /nonexistent/ca.pem cannot be read") == true)
    }

    @Test(arguments: [
        (Settings.Partition.apiKey, "", true), (.header("x-team"), "", true), (.shared, "", false),
        (.apiKey, "secret", false),
    ])
    func withoutASecretKeysWouldNotBeFoundAgain(partition: Settings.Partition, secret: String, warns: Bool) throws {
        _ = try make {
            $0.redis.url = try RedisURL("redis://127.0.0.1:1")
            $0.cache.partition = partition
            $0.cache.secret = Secret(secret)
        }
        #expect(log.lines.map(\.event) == (warns ? ["no-secret"] : []))
        #expect(log.lines.first?.fields.first?.value.contains("set cache.secret") != false)
    }

    @Test func whatIsWrittenUnderOneKeyIsReadUnderAListThatHoldsIt() async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data("# the new one\n\(String(repeating: "00", count: 32))\n\(key)\n".utf8).write(
            to: URL(filePath: folder + "/keys"))
        let sources: [EncryptionKeySource] = [.given(try EncryptionKeys(list: key)), .file(folder + "/keys"), .none]
        let entry = Entry(
            facts: Entry.Facts(
                createdAt: SystemClock().wall(), ttl: 60_000, dialect: .chat, origin: .whole), whole: Bytes("text"),
            stream: nil)
        var found: [String?] = []
        for (index, source) in sources.enumerated() {
            let loop = try EventLoop()
            let thread = try loop.startThread(named: "test")
            var settings = Settings()
            settings.cache.encryptionKey = source
            settings.objects.url = .directory(folder + "/objects")
            settings.objects.deadline = .seconds(10)
            let lower = try LowerTiers(
                settings, loops: [loop], environment: [], digest: FakeDigest(),
                clock: SystemClock(), log: log)
            let tier = try #require(lower.tiers.first)
            if index == 0 { #expect(await tier.store(entry, under: CacheKey(1, 2, 3, 4)) == .stored) }
            found.append(await tier.find(CacheKey(1, 2, 3, 4))?.content(.whole)?.text)
            await lower.close()
            loop.stop()
            thread.join()
        }
        #expect(found == ["text", "text", nil])
    }
}
