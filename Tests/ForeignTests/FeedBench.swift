import Core
import Foreign
import Synchronization
import TestKit

/// A sidecar's feed on a loop's thread, and what it heard. To be closed.
final class FeedBench: Sendable {
    let log = RecordingLog()
    let feed: RedisFeed
    private let loop: EventLoop
    private let client: RedisClient
    private let thread: SystemThread
    private let heard = Mutex<[Bytes]>([])

    init(_ url: String, _ change: (inout RedisFeed.Options) -> Void = { _ in }) throws {
        Signals.ignoreBrokenPipes()
        var redis = RedisOptions(url: try RedisURL(url))
        redis.connectTimeout = 5 * Duration64.nanosecondsPerSecond
        redis.longestBackoff = 200 * Duration64.nanosecondsPerMillisecond
        var options = RedisFeed.Options()
        options.deadline = 5 * Duration64.nanosecondsPerSecond
        change(&options)
        loop = try EventLoop()
        client = try RedisClient(
            loop: loop, options: redis, clock: SystemClock(), random: SystemRandom(), log: log)
        feed = try RedisFeed(
            client: client, redis: redis, options: options, clock: SystemClock(), random: SystemRandom(), log: log)
        thread = try loop.startThread(named: "feed")
        loop.execute { [client] in client.open() }
        feed.open { [self] record in heard.withLock { $0.append(record) } }
    }

    func close() {
        feed.close()
        loop.execute { [client] in client.close() }
        loop.stop()
        thread.join()
    }

    var records: [String] { heard.withLock { $0.map(\.text) } }
    var sizes: [Int] { heard.withLock { $0.map(\.count) } }
    func events(_ name: String) -> Int { log.lines.count { $0.event == name } }
}
