import Core
import Foreign
import Foundation
import TestKit
import Testing
import Tiers

/// What a bucket must do, on servers that check signatures. One after the other: all at once, they ask more of a node of
/// OpenStack Swift than it answers within the 15 seconds after which libs3 gives up.
@Suite(.serialized, .timeLimit(.minutes(5))) struct S3StoreTests {
    private static let names = [
        "a", "folder/with space+=&~%", "日本/ü/x", "v1/ab/cd", "v1/messages", "%41/%2F", "a?b#c;d",
        "'\"<&>/`{|}^[]$@!*()",
        "trailing space ", "new\u{85}line", "+", "100%",
    ]

    @Test(arguments: TierContract.all, S3Target.allCases)
    func contract(_ contract: TierContract, _ target: S3Target) async throws {
        let fixture = try await target.store()
        let log = RecordingLog()
        let clock = ManualClock()
        #expect(await contract.violations(tier(fixture, log), clock.wall()) == [])
        #expect(log.lines.map(\.event) == [])
    }

    private func tier(_ fixture: S3Fixture, _ log: RecordingLog) -> ObjectTier {
        var options = ObjectTier.Options()
        options.retainStale = 60_000
        options.deadline = 60 * Duration64.nanosecondsPerSecond
        options.writeDeadline = 60 * Duration64.nanosecondsPerSecond
        let codec = EntryCodec(compression: LZ4Compression(), checksum: XXH3Checksum(), limit: 1 << 20)
        return ObjectTier(
            store: fixture.store, codec: codec, options: options, clock: TestTimes(real: fixture.clock), log: log)
    }

    @Test(arguments: S3Target.allCases, names)
    func objectsAreWrittenReadListedAndRemoved(_ target: S3Target, _ text: String) async throws {
        let fixture = try await target.store()
        let (store, deadline) = (fixture.store, fixture.deadline)
        let name = DirectoryFixture.name(text)
        #expect(try await store.get(name, limit: 100, deadline: deadline) == nil)
        for content in ["first", "", "the second one"] {
            try await store.put(name, Bytes(content), deadline: deadline)
            #expect(try await store.get(name, limit: 100, deadline: deadline)?.text == content)
        }
        let page = try await store.list(prefix: text, continuation: nil, limit: 10, deadline: deadline)
        #expect(page.items.map(\.name) == [name])
        #expect(page.items.map(\.size) == [14])
        #expect(page.next == nil)
        #expect(try await store.delete(name, deadline: deadline))
        #expect(try await store.delete(name, deadline: deadline) == false)
        #expect(try await store.get(name, limit: 100, deadline: deadline) == nil)
    }

    @Test(arguments: S3Target.allCases, [1, 2, 7, 1000])
    func listsGoOnWhereTheyStopped(_ target: S3Target, limit: Int) async throws {
        let fixture = try await target.store()
        let names = ["x/a b", "x/c&d", "x/e+f", "x/ü", "y/z"] + (0..<7).map { "x/n\($0)" }
        for name in names {
            try await fixture.store.put(DirectoryFixture.name(name), Bytes(name), deadline: fixture.deadline)
        }
        var found: [String] = []
        var next: String?
        repeat {
            let page = try await fixture.store.list(
                prefix: "x/", continuation: next, limit: limit, deadline: fixture.deadline)
            #expect(page.items.count <= limit)
            found += page.items.map(\.name.text)
            next = page.next
        } while next != nil && found.count <= names.count
        #expect(found.sorted() == names.filter { $0.hasPrefix("x/") }.sorted())
    }

    @Test(arguments: S3Target.allCases)
    func timesAreThoseOfWriting(_ target: S3Target) async throws {
        let fixture = try await target.store()
        let before = fixture.clock.wall()
        try await fixture.store.put(DirectoryFixture.name("a"), Bytes("text"), deadline: fixture.deadline)
        let page = try await fixture.store.list(prefix: "", continuation: nil, limit: 9, deadline: fixture.deadline)
        let item = try #require(page.items.first)
        // Some servers keep whole seconds.
        #expect(item.modifiedAt >= before - 1000 && item.modifiedAt <= fixture.clock.wall() + 1000)
    }

    @Test(arguments: S3Target.allCases)
    func largeObjectsPassWholeOrAreRefused(_ target: S3Target) async throws {
        let fixture = try await target.store()
        var random = SeededRandom(seed: 7)
        let content = Bytes((0..<3_000_000).map { _ in UInt8.random(in: 0...255, using: &random) })
        let name = DirectoryFixture.name("large")
        try await fixture.store.put(name, content, deadline: fixture.deadline)
        #expect(try await fixture.store.get(name, limit: content.count, deadline: fixture.deadline) == content)
        let failure = await fixture.failure { () async throws(ObjectFailure) in
            _ = try await fixture.store.get(name, limit: content.count - 1, deadline: fixture.deadline)
        }
        #expect(failure?.kind == .tooLarge)
    }

    @Test(arguments: S3Target.allCases)
    func manyAtOnce(_ target: S3Target) async throws {
        let fixture = try await target.store()
        // rclone fails where two requests would make the same folder.
        try await fixture.store.put(DirectoryFixture.name("many/first"), .empty, deadline: fixture.deadline)
        let faults = await withTaskGroup(of: String?.self) { group in
            for number in 0..<64 {
                group.addTask {
                    let name = DirectoryFixture.name("many/\(number)")
                    let failure = await fixture.failure { () async throws(ObjectFailure) in
                        try await fixture.store.put(name, Bytes("\(number)"), deadline: fixture.deadline)
                        let found = try await fixture.store.get(name, limit: 9, deadline: fixture.deadline)
                        guard found?.text == "\(number)" else {
                            throw ObjectFailure(.broken, "found \(found as Bytes?)")
                        }
                    }
                    return failure?.message
                }
            }
            return await group.reduce(into: [String]()) { faults, fault in if let fault { faults.append(fault) } }
        }
        #expect(faults == [])
    }

    @Test(arguments: S3Target.allCases)
    func aWrongSecretIsRefusedInClearWords(_ target: S3Target) async throws {
        var credentials = try await target.credentials
        credentials.secret = Secret("wrong-secret")
        let fixture = try await target.store(credentials: credentials)
        let failures = await fixture.failures(deadline: fixture.deadline)
        #expect(failures.map(\.?.kind) == [.denied, .denied, .denied, .denied])
        // HEAD, with which removing begins, has no body to say more in.
        for index in [0, 1, 3] {
            let message = try #require(failures[index]?.message)
            #expect(message.contains("SignatureDoesNotMatch") && message.contains("'bucket'"), "\(message)")
            #expect(!message.contains("wrong-secret"))
        }
        let log = RecordingLog()
        let tier = tier(fixture, log)
        var entries = RandomEntries(seed: 1)
        for _ in 0..<3 { #expect(await tier.find(entries.key()) == nil) }
        #expect(log.lines.map(\.event) == ["objects-failing"])
        let fields = log.lines[0].fields.map { "\($0.name)=\($0.value)" }.joined(separator: " ")
        #expect(fields.contains("reason=denied") && fields.contains("SignatureDoesNotMatch"), "\(fields)")
    }

    @Test(arguments: S3Target.allCases)
    func anUnknownKeyIsRefused(_ target: S3Target) async throws {
        let credentials = BucketCredentials(accessKey: "NOBODYKNOWSIT", secret: Secret("secret"))
        let fixture = try await target.store(credentials: credentials)
        let failures = await fixture.failures(deadline: fixture.deadline)
        #expect(failures.map(\.?.kind) == [.denied, .denied, .denied, .denied])
    }

    @Test(arguments: [S3Target.rclone, .openStack, .openStackV2])
    func aBucketThatIsNotThereIsNoMiss(_ target: S3Target) async throws {
        let fixture = try await target.store(target.url(bucket: "nowhere"))
        let failure = await fixture.failures(deadline: fixture.deadline)[0]
        #expect(failure?.kind == .unavailable)
        #expect(failure?.message.contains("NoSuchBucket") == true, "\(failure?.message ?? "")")
    }

    @Test func aStrangersCertificateIsRefused() async throws {
        var url = try await S3Target.rcloneTLS.url()
        url.caFile = nil
        let fixture = try await S3Target.rcloneTLS.store(url)
        #expect(
            await fixture.failures(deadline: fixture.deadline).map(\.?.kind) == Array(repeating: .unavailable, count: 4)
        )
    }

    @Test(arguments: [S3Target.rclone, .openStackV2])
    func aClosedStoreSaysSo(_ target: S3Target) async throws {
        let fixture = try await target.store()
        try await fixture.store.put(DirectoryFixture.name("a"), Bytes("text"), deadline: fixture.deadline)
        fixture.close()
        #expect(
            await fixture.failures(deadline: fixture.deadline).map(\.?.kind) == Array(repeating: .shutdown, count: 4))
    }
}

/// Deadlines pass as they do, and entries are as old as the contract wants them.
private struct TestTimes: Clock {
    let real: SystemClock
    private let still = ManualClock()

    init(real: SystemClock) { self.real = real }

    func monotonic() -> Int64 { real.monotonic() }
    func wall() -> Int64 { still.wall() }
}
