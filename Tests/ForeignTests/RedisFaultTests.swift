import Core
import Foundation
import TestKit
import Testing
import Tiers

@testable import Foreign

/// A Redis that dies, stalls, fills up or lies, under load: failures are misses, no call hangs, no answer is wrong.
@Suite(.serialized, .timeLimit(.minutes(1))) struct RedisFaultTests {
    /// A tier with the deadlines of a real one, and a breaker that looks again soon.
    private func tier(_ bench: RedisBench) -> RedisTier {
        bench.tier {
            $0.deadline = 20 * Duration64.nanosecondsPerMillisecond
            $0.writeDeadline = 100 * Duration64.nanosecondsPerMillisecond
            $0.breaker.pause = 50 * Duration64.nanosecondsPerMillisecond
            $0.breaker.longestPause = 100 * Duration64.nanosecondsPerMillisecond
        }
    }

    private func isOpen(_ tier: RedisTier) async -> Bool { await eventually { tier.breakerState != .closed } }

    @Test func killedAndStartedAgain() async throws {
        let server = try await RedisServer()
        let bench = try RedisBench(server.url)
        defer { bench.close() }
        let tier = tier(bench)
        let load = RedisLoad(tier)
        for _ in 0..<3 {
            #expect(await load.hits(more: 200))
            server.kill()
            #expect(await isOpen(tier))
            #expect(await eventually { !canConnect(server.port) })
            try await server.start()
        }
        #expect(await load.hits(more: 200))
        let totals = await load.stop()
        #expect(totals.wrong == [])
        // One line for each change of the breaker, not one for each failure: what it says alternates.
        let changes = bench.events("breaker")
        #expect(changes.first?.contains("from=closed to=open") == true)
        for (before, after) in zip(changes, changes.dropFirst()) { #expect(before != after) }
        #expect(changes.last?.contains("to=closed") == true)
        #expect(bench.events("redis-lost").count == 3)
        #expect(bench.events("redis-connected").count == 3)
    }

    @Test func asleep() async throws {
        let server = try await RedisServer()
        let bench = try RedisBench(server.url) {
            $0.stallLimit = 100 * Duration64.nanosecondsPerMillisecond
            $0.connectTimeout = Duration64.nanosecondsPerSecond
            $0.silenceLimit = 500 * Duration64.nanosecondsPerMillisecond
        }
        defer { bench.close() }
        let tier = tier(bench)
        let load = RedisLoad(tier)
        #expect(await load.hits(more: 200))
        // Shorter than the connection's patience, then longer.
        for seconds in ["0.3", "1.5"] {
            server.cli("debug sleep \(seconds)")
            #expect(await load.hits(more: 200))
        }
        #expect(await load.stop().wrong == [])
        #expect(tier.statistics.failures["timeout", default: 0] > 0)
        #expect(bench.events("redis-lost").contains { $0.contains("no answer for 500 ms") })
    }

    @Test func aConnectionThatOwesAnAnswerIsPassedByUntilItComes() async throws {
        let server = try await RedisServer()
        let proxy = try RedisProxy(to: server.port)
        defer { proxy.close() }
        let bench = try RedisBench(proxy.url) {
            $0.stallLimit = 100 * Duration64.nanosecondsPerMillisecond
            $0.silenceLimit = 60 * Duration64.nanosecondsPerSecond
        }
        defer { bench.close() }
        #expect(await bench.connected())
        #expect(await eventually { (try? await bench.ask("ECHO", "first")) == .bulk(Bytes("first")) })
        proxy.set(.stall)
        var seen: Set<String> = []
        let isPassedBy = await eventually {
            let failure = await Fixture.failure { () throws(KeyValueFailure) in
                _ = try await bench.client.perform(
                    RedisCommand("PING"), deadline: RedisBench.deadline(milliseconds: 30))
            }
            if let failure { seen.insert(failure.word) }
            return failure == .stalled
        }
        #expect(isPassedBy && seen.isSubset(of: ["timeout", "stalled"]))
        proxy.set(.pass)
        // Late answers went to nobody, and the connection is the same.
        #expect(await eventually { (try? await bench.ask("ECHO", "mine")) == .bulk(Bytes("mine")) })
        #expect(bench.events("redis-lost") == [])
    }

    @Test func fullAndRefusingWrites() async throws {
        let server = try await RedisServer(["--maxmemory-policy", "noeviction"])
        let bench = try RedisBench(server.url)
        defer { bench.close() }
        let tier = tier(bench)
        await tier.store(Fixture.entry("kept"), under: Fixture.key)
        server.cli("config set maxmemory 1")
        let load = RedisLoad(tier)
        #expect(await eventually { tier.statistics.failures["server", default: 0] > 50 })
        // Reads go on: a refusal is no outage.
        #expect(await tier.find(Fixture.key)?.text == "kept")
        #expect(tier.breakerState == .closed)
        #expect(bench.events("redis-refuses").count == 1)
        #expect(bench.events("redis-refuses").first?.contains("OOM") == true)
        server.cli("config set maxmemory 0")
        #expect(await load.hits(more: 200))
        #expect(await load.stop().wrong == [])
    }

    @Test func behindAProxyThatStalls() async throws {
        let server = try await RedisServer()
        let proxy = try RedisProxy(to: server.port)
        defer { proxy.close() }
        let bench = try RedisBench(proxy.url) {
            $0.stallLimit = 100 * Duration64.nanosecondsPerMillisecond
            $0.connectTimeout = Duration64.nanosecondsPerSecond
            $0.silenceLimit = 400 * Duration64.nanosecondsPerMillisecond
        }
        defer { bench.close() }
        let tier = tier(bench)
        let load = RedisLoad(tier)
        for _ in 0..<3 {
            #expect(await load.hits(more: 200))
            proxy.set(.stall)
            #expect(await isOpen(tier))
            // Every caller is turned away, and the connection given up, while nothing is heard.
            #expect(await eventually { bench.events("breaker").last?.contains("to=open") == true })
            proxy.set(.pass)
        }
        #expect(await load.hits(more: 200))
        #expect(await load.stop().wrong == [])
    }

    @Test func behindAProxyThatCuts() async throws {
        let server = try await RedisServer()
        let proxy = try RedisProxy(to: server.port)
        defer { proxy.close() }
        let bench = try RedisBench(proxy.url)
        defer { bench.close() }
        let load = RedisLoad(tier(bench))
        for _ in 0..<10 {
            #expect(await load.hits(more: 50))
            proxy.cut()
        }
        #expect(await load.stop().wrong == [])
    }

    @Test func behindAProxyThatCorrupts() async throws {
        let server = try await RedisServer()
        let proxy = try RedisProxy(to: server.port)
        defer { proxy.close() }
        let bench = try RedisBench(proxy.url) {
            $0.firstBackoff = 5 * Duration64.nanosecondsPerMillisecond
            $0.longestBackoff = 50 * Duration64.nanosecondsPerMillisecond
            $0.connectTimeout = 500 * Duration64.nanosecondsPerMillisecond
            $0.silenceLimit = 500 * Duration64.nanosecondsPerMillisecond
        }
        defer { bench.close() }
        let tier = tier(bench)
        let load = RedisLoad(tier)
        #expect(await load.hits(more: 200))
        for oneIn: UInt64 in [5000, 500, 50] {
            proxy.set(.corrupt(oneIn: oneIn))
            let before = refusals(tier)
            #expect(await eventually { refusals(tier) > before + 20 })
        }
        proxy.set(.pass)
        #expect(await load.hits(more: 200))
        #expect(await load.stop().wrong == [])
    }

    /// From there on every answer would be taken for that of an older command, for as long as commands come.
    @Test func behindAProxyThatLosesAReply() async throws {
        let server = try await RedisServer()
        let proxy = try RedisProxy(to: server.port)
        defer { proxy.close() }
        let bench = try RedisBench(proxy.url)
        defer { bench.close() }
        let load = RedisLoad(tier(bench))
        for _ in 0..<5 {
            #expect(await load.hits(more: 200))
            proxy.set(.loseOne)
        }
        #expect(await load.hits(more: 200))
        #expect(await load.stop().wrong == [])
    }

    /// What was found damaged, in an entry or in the protocol.
    private func refusals(_ tier: RedisTier) -> Int {
        let numbers = tier.statistics
        return numbers.refused.values.reduce(0, +) + numbers.failures.values.reduce(0, +)
    }

    @Test func somethingElseListens() async throws {
        let server = try await HTTPGreeter()
        let bench = try RedisBench("redis://127.0.0.1:\(server.port)") { $0.mode = .single }
        defer { bench.close() }
        #expect(await eventually { bench.events("redis-lost").count == 1 })
        let failure = await Fixture.failure { () throws(KeyValueFailure) in _ = try await bench.ask("GET", "x") }
        #expect([.notConnected, .malformed, .disconnected].contains(failure))
    }
}

/// Speaks first, and no Redis.
private final class HTTPGreeter: Sendable {
    let port: UInt16
    private let listener: CInt

    init() async throws {
        listener = socket(AF_INET, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        let listener = listener
        var bound: UInt16 = 0
        for candidate: UInt16 in 22_100..<22_400 where bound == 0 {
            if lendAddress(of: candidate, { bind(listener, $0, $1) == 0 }), listen(listener, 8) == 0 {
                bound = candidate
            }
        }
        port = bound
        try #require(bound != 0)
        Thread.detachNewThread {
            while true {
                let client = accept4(listener, __SOCKADDR_ARG(__sockaddr__: nil), nil, CInt(SOCK_CLOEXEC.rawValue))
                guard client >= 0 else { break }
                let greeting = Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8)
                _ = send(client, greeting, greeting.count, CInt(MSG_NOSIGNAL))
                usleep(200_000)
                close(client)
            }
            close(listener)
        }
    }

    deinit { shutdown(listener, CInt(SHUT_RDWR)) }
}
