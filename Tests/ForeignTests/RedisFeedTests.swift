import Core
import Foreign
import TestKit
import Testing

@Suite(.serialized, .timeLimit(.minutes(1))) struct RedisFeedTests {
    @Test func othersHearWhatOneAnnounces() async throws {
        let server = try await RedisServer()
        let a = try FeedBench(server.url)
        let b = try FeedBench(server.url)
        defer { for bench in [a, b] { bench.close() } }
        for number in 0..<20 { a.feed.announce(Bytes("a\(number)")) }
        #expect(await eventually { b.records.count == 20 })
        b.feed.announce(Bytes("b"))
        #expect(await eventually { a.records == ["b"] })
        #expect(Set(b.records) == Set((0..<20).map { "a\($0)" }))
        #expect(a.feed.counts.announced == 20 && a.feed.counts.received == 1 && b.feed.counts.garbled == 0)
    }

    @Test func whoComesLaterHearsTheLatest() async throws {
        let server = try await RedisServer()
        let a = try FeedBench(server.url) { $0.length = 100 }
        defer { a.close() }
        for number in 0..<2000 {
            a.feed.announce(Bytes(String(number)))
            if number % 32 == 31 {
                #expect(await eventually { a.feed.counts.announced + a.feed.counts.dropped == number + 1 })
            }
        }
        #expect(await eventually { a.feed.counts.announced + a.feed.counts.dropped == 2000 })
        let b = try FeedBench(server.url)
        defer { b.close() }
        #expect(await eventually { b.records.last == "1999" })
        // Trimming leaves whole nodes of the stream's tree, of a hundred entries.
        #expect(b.records.count < 400)
    }

    @Test func goesOnAfterAnOutage() async throws {
        let server = try await RedisServer(["--appendonly", "yes"])
        let a = try FeedBench(server.url)
        let b = try FeedBench(server.url)
        defer { for bench in [a, b] { bench.close() } }
        a.feed.announce(Bytes("before"))
        #expect(await eventually { b.records == ["before"] })
        server.kill()
        #expect(await eventually { b.events("redis-feed-lost") == 1 })
        a.feed.announce(Bytes("during"))
        #expect(await eventually { a.feed.counts.dropped == 1 })
        try await server.start()
        #expect(await eventually { b.events("redis-feed-joined") == 1 })
        #expect(
            await eventually {
                a.feed.announce(Bytes("after"))
                return b.records.contains("after")
            })
        #expect(b.records.count { $0 == "before" } == 1 && !b.records.contains("during"))
    }

    @Test func aServerThatForgotTheStream() async throws {
        let server = try await RedisServer()
        let a = try FeedBench(server.url)
        let b = try FeedBench(server.url)
        defer { for bench in [a, b] { bench.close() } }
        a.feed.announce(Bytes("one"))
        #expect(await eventually { b.records == ["one"] })
        server.cli("flushall")
        a.feed.announce(Bytes("two"))
        #expect(await eventually { b.records == ["one", "two"] })
    }

    @Test func whatIsNoAnnouncement() async throws {
        let server = try await RedisServer()
        let a = try FeedBench(server.url) { $0.largest = 1000 }
        let b = try FeedBench(server.url) { $0.largest = 1000 }
        defer { for bench in [a, b] { bench.close() } }
        server.cli("xadd refrain:semantic '*' some thing")
        server.cli("xadd refrain:semantic '*' from x record y and more")
        server.cli("xadd refrain:semantic '*' from x record \(String(repeating: "z", count: 1001))")
        #expect(await eventually { b.feed.counts.garbled == 3 })
        a.feed.announce(Bytes("good"))
        #expect(await eventually { b.records == ["good"] })
        // Larger than anything that is read.
        server.cli(
            "eval \"return redis.call('XADD', KEYS[1], '*', 'from', 'x', 'record', string.rep('x', 3000000))\" 1 "
                + "refrain:semantic")
        #expect(
            await eventually {
                a.feed.announce(Bytes("again"))
                return b.records.contains("again")
            })
        a.feed.announce(Bytes(String(repeating: "z", count: 1001)))
        #expect(a.feed.counts.dropped >= 1)
    }

    @Test func aKeyThatIsNoStream() async throws {
        let server = try await RedisServer()
        server.cli("set refrain:semantic text")
        let a = try FeedBench(server.url)
        defer { a.close() }
        #expect(await eventually { a.events("redis-feed-lost") == 1 })
        a.feed.announce(Bytes("one"))
        #expect(await eventually { a.feed.counts.dropped == 1 })
        server.cli("del refrain:semantic")
        #expect(await eventually { a.events("redis-feed-joined") == 1 })
    }

    @Test func closingAtAnyMoment() async throws {
        let server = try await RedisServer()
        for _ in 0..<20 { try FeedBench(server.url).close() }
        #expect(await eventually { !server.cli("client list").contains("name=refrain") })
    }
}
