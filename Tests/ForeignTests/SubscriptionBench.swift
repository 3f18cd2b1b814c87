import Core
import Foreign
import Synchronization
import TestKit
import Tiers

/// A subscription on a loop's thread, and what it heard. To be closed.
final class SubscriptionBench: Sendable {
    private struct Heard {
        var subscriptions = 0
        var messages: [Bytes] = []
    }

    private final class Ears: Sendable {
        let heard = Mutex(Heard())
    }

    let log = RecordingLog()
    private let loop: EventLoop
    private let subscription: RedisSubscription
    private let thread: SystemThread
    private let ears = Ears()

    init(_ url: String, channel: String = "news", _ change: (inout RedisOptions) -> Void = { _ in }) throws {
        Signals.ignoreBrokenPipes()
        var options = RedisOptions(url: try RedisURL(url))
        options.connectTimeout = 5 * Duration64.nanosecondsPerSecond
        options.longestBackoff = 200 * Duration64.nanosecondsPerMillisecond
        change(&options)
        loop = try EventLoop()
        subscription = try RedisSubscription(
            loop: loop, options: options, channel: channel, random: SystemRandom(), log: log,
            handlers: RedisSubscription.Handlers(
                subscribed: { [ears] in ears.heard.withLock { $0.subscriptions += 1 } },
                message: { [ears] message in ears.heard.withLock { $0.messages.append(message) } }))
        thread = try loop.startThread(named: "subscription")
        loop.execute { [subscription] in subscription.open() }
    }

    func close() {
        loop.execute { [subscription] in subscription.close() }
        loop.stop()
        thread.join()
    }

    var subscriptions: Int { ears.heard.withLock { $0.subscriptions } }
    var messages: [String] { ears.heard.withLock { $0.messages.map(\.text) } }
    var marks: [PurgeMark?] { ears.heard.withLock { $0.messages.map { RedisPurgeHome.mark(in: $0) } } }

    func events(_ name: String) -> [String] {
        log.lines.filter { $0.event == name }.map { line in
            line.fields.map { "\($0.name)=\($0.value)" }.joined(separator: " ")
        }
    }
}
