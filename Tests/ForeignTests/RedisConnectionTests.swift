import Core
import Foundation
import TestKit
import Testing
import Tiers

@testable import Foreign

/// Every way to a single server. A suite of real servers: one after another, so that they do not starve each other.
@Suite(.serialized, .timeLimit(.minutes(1))) struct RedisConnectionTests {
    private func faults(of bench: RedisBench) async -> [String] {
        await contractFaults(bench.tier()) { _ = try? await bench.ask("FLUSHDB") }
    }

    @Test func aTierWithAPassword() async throws {
        let server = try await RedisServer(["--requirepass", "s3cret@/:"])
        let bench = try RedisBench("redis://:s3cret%40%2F%3A@127.0.0.1:\(server.port)/3")
        defer { bench.close() }
        #expect(await faults(of: bench) == [])
        _ = try await bench.ask("FLUSHDB")
        // It is the database that was asked for, and the name that was given.
        await bench.tier().store(Fixture.entry("x"), under: Fixture.key)
        #expect(server.cli("-a s3cret@/: --no-auth-warning -n 3 dbsize") == "1\n")
        #expect(server.cli("-a s3cret@/: --no-auth-warning -n 0 dbsize") == "0\n")
        #expect(server.cli("-a s3cret@/: --no-auth-warning client list").contains("name=refrain"))
    }

    @Test func aUserOfAnAccessControlList() async throws {
        let server = try await RedisServer([
            "--user", "cache", "on", ">pw", "~refrain:*", "+get", "+set", "+unlink", "--user", "default", "off",
        ])
        let bench = try RedisBench("redis://cache:pw@127.0.0.1:\(server.port)")
        defer { bench.close() }
        let tier = bench.tier()
        await tier.store(Fixture.entry("mine"), under: Fixture.key)
        #expect(await tier.find(Fixture.key)?.text == "mine")
        // Not its key: the server's refusal is a failure, and no outage.
        let failure = await Fixture.failure { () throws(KeyValueFailure) in
            _ = try await bench.store.get(Bytes("foreign"), deadline: RedisBench.deadline())
        }
        #expect(failure?.description.hasPrefix("server: NOPERM") == true && failure?.isOutage == false)
    }

    @Test(arguments: [
        ("redis://:wrong@", "WRONGPASS"), ("redis://", "NOAUTH"), ("redis://nobody:s3cret@", "WRONGPASS"),
        ("redis://:s3cret@/99", "out of range"),
    ]) func saysOnceWhyItIsRefused(_ url: String, _ word: String) async throws {
        let server = try await RedisServer(["--requirepass", "s3cret"])
        let parts = url.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        let host = "127.0.0.1:\(server.port)"
        let whole = parts.count == 2 ? "\(parts[0])@\(host)\(parts[1])" : url + host
        let bench = try RedisBench(whole)
        defer { bench.close() }
        #expect(await eventually { bench.events("redis-lost").contains { $0.contains(word) } })
        let failure = await Fixture.failure { () throws(KeyValueFailure) in _ = try await bench.ask("GET", "x") }
        #expect(failure == .notConnected)
        #expect(bench.events("redis-lost").count == 1)
        #expect(!bench.log.lines.contains { $0.fields.contains { $0.value.contains("s3cret") } })
    }

    @Test func aUnixSocket() async throws {
        let server = try await RedisServer(["--unixsocket", "redis.sock"])
        let bench = try RedisBench("unix://\(server.folder.path)/redis.sock?db=2")
        defer { bench.close() }
        #expect(await faults(of: bench) == [])
    }

    @Test func overTLSWithAClientCertificate() async throws {
        let certificates = try RedisCertificates()
        let server = try await RedisServer(tls: certificates)
        let bench = try RedisBench("rediss://127.0.0.1:\(server.port)") {
            $0.tls.caFile = certificates.path("ca.pem")
            $0.tls.certificateFile = certificates.path("client.pem")
            $0.tls.keyFile = certificates.path("client.key")
        }
        defer { bench.close() }
        #expect(await faults(of: bench) == [])
    }

    @Test(arguments: ["redis.test", "other.test"]) func theServersNameIsChecked(_ name: String) async throws {
        let certificates = try RedisCertificates()
        let server = try await RedisServer(["--tls-auth-clients", "no"], tls: certificates)
        let bench = try RedisBench("rediss://127.0.0.1:\(server.port)") {
            $0.tls.caFile = certificates.path("ca.pem")
            $0.tls.serverName = name
        }
        defer { bench.close() }
        if name == "redis.test" {
            #expect(await bench.connected())
        } else {
            #expect(await eventually { bench.events("redis-lost").contains { $0.contains("certificate refused") } })
            #expect(await bench.onLoop { $0.readyServers }.isEmpty)
        }
    }

    @Test func strangersAreRefusedOverTLS() async throws {
        let certificates = try RedisCertificates()
        let server = try await RedisServer(tls: certificates)
        // An authority that did not sign the server's certificate; none of our own; no TLS at all.
        let stranger = try RedisBench("rediss://127.0.0.1:\(server.port)") {
            $0.tls.caFile = certificates.path("other.pem")
        }
        let nameless = try RedisBench("rediss://127.0.0.1:\(server.port)") {
            $0.tls.caFile = certificates.path("ca.pem")
        }
        let plain = try RedisBench(server.url)
        for bench in [stranger, nameless, plain] {
            #expect(await eventually { bench.events("redis-lost").count == 1 })
            let failure = await Fixture.failure { () throws(KeyValueFailure) in _ = try await bench.ask("GET", "x") }
            #expect([.notConnected, .disconnected].contains(failure))
            bench.close()
        }
        #expect(stranger.events("redis-lost").first?.contains("certificate refused") == true)
    }

    @Test func certificatesThatCannotBeReadStopTheStart() throws {
        let certificates = try RedisCertificates()
        let cases: [(String, (inout RedisOptions) -> Void)] = [
            ("authorities", { $0.tls.caFile = "/nowhere.pem" }),
            ("without its key", { $0.tls.certificateFile = certificates.path("client.pem") }),
            (
                "does not fit",
                {
                    $0.tls.certificateFile = certificates.path("client.pem")
                    $0.tls.keyFile = certificates.path("other.key")
                }
            ),
            ("database 0 only", { $0.mode = .cluster }),
            ("client name", { $0.clientName = "a b" }),
        ]
        for (words, change) in cases {
            let error = #expect(throws: RedisSetupFailure.self) { try RedisBench("rediss://h/1", change).close() }
            #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
        }
    }

    @Test func aNameIsLookedUp() async throws {
        let server = try await RedisServer()
        let bench = try RedisBench("redis://localhost:\(server.port)")
        let lost = try RedisBench("redis://no-such-host.invalid:\(server.port)")
        defer {
            bench.close()
            lost.close()
        }
        #expect(await bench.connected())
        #expect(await eventually { lost.events("redis-lost").count == 1 })
    }

    @Test func answersBelongToTheirCommands() async throws {
        let server = try await RedisServer()
        let bench = try RedisBench(server.url)
        defer { bench.close() }
        #expect(await bench.connected())
        await withTaskGroup(of: Bool.self) { group in
            for number in 0..<2000 {
                group.addTask {
                    (try? await bench.ask("ECHO", "\(number)")) == .bulk(Bytes("\(number)"))
                }
            }
            for await isRight in group { #expect(isRight) }
        }
    }

    /// Lives on a loop, as a worker does.
    private actor Resident {
        nonisolated let loop: EventLoop
        let store: RedisStore
        nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

        init(_ loop: EventLoop, _ store: RedisStore) {
            self.loop = loop
            self.store = store
        }

        /// Whether it is still on its loop after each wait, and found what it wrote.
        func roundTrip(_ text: String) async throws(KeyValueFailure) -> Bool {
            let bytes = Bytes(text)
            try await store.setPX(bytes, bytes, milliseconds: 10_000, deadline: RedisBench.deadline())
            let isHome = loop.isCurrent
            return try await store.get(bytes, deadline: RedisBench.deadline()) == bytes && isHome && loop.isCurrent
        }
    }

    @Test func aWorkersCallsGoOverItsOwnConnection() async throws {
        let server = try await RedisServer()
        let benches = try (0..<2).map { number in
            try RedisBench(server.url) { $0.clientName = "worker-\(number)" }
        }
        defer { for bench in benches { bench.close() } }
        for bench in benches { #expect(await bench.connected()) }
        let store = RedisStore(clients: benches.map(\.client))
        let before = commands(server)
        for number in 0..<50 { #expect(try await Resident(benches[1].loop, store).roundTrip("\(number)")) }
        let after = commands(server)
        #expect(after["worker-0"] == before["worker-0"])
        #expect(after["worker-1"] == "get")
    }

    /// The last command of each client.
    private func commands(_ server: RedisServer) -> [String: String] {
        var found: [String: String] = [:]
        for line in server.cli("client list").split(separator: "\n") {
            let fields = line.split(separator: " ").map { $0.split(separator: "=", omittingEmptySubsequences: false) }
            func field(_ name: Substring) -> String? {
                fields.first { $0.first == name }.flatMap { $0.last.map(String.init) }
            }
            if let name = field("name"), let command = field("cmd") { found[name] = command }
        }
        return found
    }

    @Test func thereIsABoundOnWhatWaits() async throws {
        let server = try await RedisServer()
        let bench = try RedisBench(server.url) {
            $0.inFlightCommands = 8
            $0.inFlightBytes = 10_000
            $0.largestReply = 100_000
        }
        defer { bench.close() }
        #expect(await bench.connected())
        // All in one turn of the loop, so that none is answered before the last is sent.
        let ends = await burst(bench, count: 20, argument: "x")
        #expect(ends.filter { $0 == .overloaded }.count == 12)
        #expect(ends.filter { $0 == nil }.count == 8)
        let large = await burst(bench, count: 3, argument: String(repeating: "x", count: 9000))
        #expect(large == [nil, .overloaded, .overloaded])

        // A reply that is too large costs the connection, not memory.
        _ = try await bench.ask("SETRANGE", "big", "200000", "x")
        let failure = await Fixture.failure { () throws(KeyValueFailure) in _ = try await bench.ask("GET", "big") }
        #expect(failure == .tooLarge)
        #expect(await eventually { (try? await bench.ask("ECHO", "again")) == .bulk(Bytes("again")) })
    }

    private func burst(_ bench: RedisBench, count: Int, argument: String) async -> [KeyValueFailure?] {
        let gathered = Gathered()
        return await withCheckedContinuation { done in
            bench.loop.execute {
                for _ in 0..<count {
                    let call = RedisCall(RedisCommand("ECHO", argument), deadline: RedisBench.deadline()) { result in
                        if case .failure(let failure) = result {
                            gathered.ends.append(failure)
                        } else {
                            gathered.ends.append(nil)
                        }
                        if gathered.ends.count == count {
                            done.resume(returning: gathered.ends.sorted { $0 == nil && $1 != nil })
                        }
                    }
                    bench.client.begin(call)
                }
            }
        }
    }

    /// Touched on the loop's thread alone.
    private final class Gathered: @unchecked Sendable { var ends: [KeyValueFailure?] = [] }

    @Test func aClosedClientEndsWhatComes() async throws {
        let server = try await RedisServer()
        let bench = try RedisBench(server.url)
        #expect(await bench.connected())
        let calls = (0..<50).map { _ in
            Task {
                await Fixture.failure { () throws(KeyValueFailure) in _ = try await bench.ask("DEBUG", "SLEEP", "0.02")
                }
            }
        }
        bench.close()
        for call in calls {
            #expect([nil, .disconnected, .notConnected, .stalled, .timeout].contains(await call.value))
        }
        let failure = await Fixture.failure { () throws(KeyValueFailure) in _ = try await bench.ask("PING") }
        #expect(failure == .notConnected)
    }

    @Test func valuesExpire() async throws {
        let server = try await RedisServer()
        let bench = try RedisBench(server.url)
        defer { bench.close() }
        let tier = bench.tier { $0.retainStale = 5000 }
        await tier.store(Fixture.entry("x", ttl: 20_000), under: Fixture.key)
        let name = "refrain:v1:" + Fixture.key.hex
        let left = Int(server.cli("pttl \(name)").dropLast()) ?? 0
        #expect((1...25_000).contains(left) && left > 20_000)
        // What is damaged is a miss, and gone.
        _ = try await bench.ask("SETRANGE", name, "60", "!!")
        #expect(await tier.find(Fixture.key) == nil)
        #expect(server.cli("exists \(name)") == "0\n")
        #expect(tier.statistics.refused == [.corrupt: 1])
        #expect(tier.statistics.deleted == 1)
    }
}

enum Fixture {
    static let key = CacheKey(1, 2, 3, 4)

    static func entry(_ text: String, ttl: Int64 = 60_000) -> Entry {
        let facts = Entry.Facts(createdAt: SystemClock().wall(), ttl: ttl, dialect: .chat, origin: .whole)
        return Entry(facts: facts, whole: Bytes(text), stream: nil)
    }

    static func failure(_ body: () async throws(KeyValueFailure) -> Void) async -> KeyValueFailure? {
        do throws(KeyValueFailure) {
            try await body()
            return nil
        } catch {
            return error
        }
    }
}

extension Entry {
    var text: String? { content(.whole).map { String(decoding: $0, as: UTF8.self) } }
}
