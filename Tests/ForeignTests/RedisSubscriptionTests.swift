import Core
import Foreign
import Foundation
import TestKit
import Testing

@Suite(.serialized, .timeLimit(.minutes(1))) struct RedisSubscriptionTests {
    /// Publishes until it is heard.
    private func hears(_ channel: SubscriptionBench, _ message: String, from server: RedisServer, _ with: String = "")
        async -> Bool
    {
        await eventually {
            server.cli("\(with) publish news \(message)")
            return channel.messages.last == message
        }
    }

    @Test func messagesOfTheChannelAndNoOther() async throws {
        let server = try await RedisServer()
        let channel = try SubscriptionBench(server.url)
        defer { channel.close() }
        #expect(await eventually { channel.subscriptions == 1 })
        for (name, message) in [("news", "one"), ("other", "no"), ("news", "''"), ("news", "'two words'")] {
            server.cli("publish \(name) \(message)")
        }
        #expect(await eventually { channel.messages.count >= 3 })
        #expect(channel.messages == ["one", "", "two words"])
        #expect(channel.subscriptions == 1)
        #expect(channel.log.lines.isEmpty)
        #expect(server.cli("client list").contains("name=refrain"))
    }

    @Test func killedAndStartedAgain() async throws {
        let server = try await RedisServer()
        let channel = try SubscriptionBench(server.url)
        defer { channel.close() }
        #expect(await eventually { channel.subscriptions == 1 })
        for round in 1...3 {
            server.kill()
            #expect(await eventually { !canConnect(server.port) })
            #expect(await eventually { channel.events("redis-subscription-lost").count == round })
            try await server.start()
            #expect(await eventually { channel.subscriptions == 1 + round })
            #expect(await hears(channel, "round-\(round)", from: server))
        }
        #expect(channel.events("redis-subscription-lost").count == 3)
        #expect(channel.events("redis-subscribed").count == 3)
    }

    @Test func aServerThatIsNotThereAtFirst() async throws {
        let server = try await RedisServer()
        server.kill()
        #expect(await eventually { !canConnect(server.port) })
        let channel = try SubscriptionBench(server.url)
        defer { channel.close() }
        #expect(await eventually { channel.events("redis-subscription-lost").count == 1 })
        #expect(channel.subscriptions == 0)
        try await server.start()
        #expect(await eventually { channel.subscriptions == 1 })
        #expect(channel.log.lines.map(\.event) == ["redis-subscription-lost", "redis-subscribed"])
    }

    @Test func aPeerThatIsSilent() async throws {
        let server = try await RedisServer()
        let proxy = try RedisProxy(to: server.port)
        defer { proxy.close() }
        let channel = try SubscriptionBench(proxy.url) {
            $0.connectTimeout = 300 * Duration64.nanosecondsPerMillisecond
        }
        defer { channel.close() }
        #expect(await eventually { channel.subscriptions >= 1 })
        proxy.set(.stall)
        #expect(await eventually { !channel.events("redis-subscription-lost").isEmpty })
        #expect(channel.events("redis-subscription-lost").contains { $0.contains("no answer for 2000 ms") })
        let before = channel.subscriptions
        proxy.set(.pass)
        #expect(await eventually { channel.subscriptions > before })
        #expect(await hears(channel, "again", from: server))
    }

    @Test func garbageEndsTheConnectionAndNothingElse() async throws {
        let server = try await RedisServer()
        let proxy = try RedisProxy(to: server.port)
        defer { proxy.close() }
        let channel = try SubscriptionBench(proxy.url)
        defer { channel.close() }
        #expect(await eventually { channel.subscriptions == 1 })
        proxy.set(.corrupt(oneIn: 3))
        let isNoticed = await eventually {
            server.cli("publish news abcdefghijklmnopqrstuvwxyz")
            return !channel.events("redis-subscription-lost").isEmpty
        }
        #expect(isNoticed)
        proxy.set(.pass)
        #expect(await hears(channel, "clean", from: server))
    }

    @Test func aMessageBeyondTheLimit() async throws {
        let server = try await RedisServer()
        let channel = try SubscriptionBench(server.url)
        defer { channel.close() }
        #expect(await eventually { channel.subscriptions == 1 })
        server.cli("eval \"return redis.call('PUBLISH', 'news', string.rep('x', 3000000))\" 0")
        #expect(await eventually { channel.subscriptions == 2 })
        #expect(channel.messages == [])
        #expect(channel.events("redis-subscription-lost").first?.contains("too-large") == true)
    }

    @Test(arguments: [("s3cret", ""), ("wrong", "WRONGPASS")]) func aPassword(_ password: String, _ word: String)
        async throws
    {
        let server = try await RedisServer(["--requirepass", "s3cret"])
        let channel = try SubscriptionBench("redis://:\(password)@127.0.0.1:\(server.port)/2")
        defer { channel.close() }
        if word.isEmpty {
            #expect(await eventually { channel.subscriptions == 1 })
            #expect(await hears(channel, "in", from: server, "-a s3cret --no-auth-warning"))
        } else {
            #expect(await eventually { channel.events("redis-subscription-lost").contains { $0.contains(word) } })
            #expect(channel.subscriptions == 0)
        }
        #expect(!channel.log.lines.contains { $0.fields.contains { $0.value.contains(password) } })
    }

    @Test func aUserWhoMayNotListen() async throws {
        let server = try await RedisServer([
            "--user", "cache", "on", ">pw", "~*", "resetchannels", "&other", "+@all", "--user", "default", "off",
        ])
        let channel = try SubscriptionBench("redis://cache:pw@127.0.0.1:\(server.port)")
        defer { channel.close() }
        #expect(await eventually { channel.events("redis-subscription-lost").contains { $0.contains("NOPERM") } })
        #expect(channel.events("redis-subscription-lost").count == 1 && channel.subscriptions == 0)
    }

    @Test func overAUnixSocket() async throws {
        let server = try await RedisServer(["--unixsocket", "redis.sock"])
        let channel = try SubscriptionBench("unix://\(server.folder.path)/redis.sock")
        defer { channel.close() }
        #expect(await hears(channel, "local", from: server))
    }

    @Test func overTLS() async throws {
        let certificates = try RedisCertificates()
        let server = try await RedisServer(tls: certificates)
        let trusting = try SubscriptionBench("rediss://127.0.0.1:\(server.port)") {
            $0.tls.caFile = certificates.path("ca.pem")
            $0.tls.certificateFile = certificates.path("client.pem")
            $0.tls.keyFile = certificates.path("client.key")
        }
        defer { trusting.close() }
        let stranger = try SubscriptionBench("rediss://127.0.0.1:\(server.port)") {
            $0.tls.caFile = certificates.path("other.pem")
        }
        defer { stranger.close() }
        #expect(await eventually { trusting.subscriptions == 1 })
        #expect(await eventually { !stranger.events("redis-subscription-lost").isEmpty })
        #expect(stranger.subscriptions == 0)
    }

    @Test func closingWhileItConnects() async throws {
        let server = try await RedisServer()
        for _ in 0..<20 { try SubscriptionBench(server.url).close() }
        #expect(await eventually { !server.cli("client list").contains("name=refrain") })
    }
}
