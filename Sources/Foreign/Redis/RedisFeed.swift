import Core
import Synchronization

/// Announcements through a Redis stream: `XADD` over the worker's own connections, `XREAD` over one of its own that waits
/// in the server (https://redis.io/docs/latest/develop/data-types/streams/).
///
/// The stream keeps about so many of the latest, so a sidecar that was away, or is new, hears those first. After a lost
/// connection it goes on behind the last one that it heard.
///
/// Sendable because everything is either immutable, a lock's or an atomic, or touched on the loop's thread alone, where
/// all callbacks of the line come.
package final class RedisFeed: SemanticFeed, @unchecked Sendable {
    package struct Options: Sendable {
        /// The key of the stream.
        package var stream = "refrain:semantic"
        /// How many announcements the server keeps, nearly.
        package var length = 4096
        /// Of one announcement, in bytes.
        package var largest = 1 << 20
        /// How long a read waits in the server, in nanoseconds.
        package var block = Duration64.nanosecondsPerSecond
        /// Announcements on their way.
        package var inFlight = 64
        /// How long one may be on its way, in nanoseconds.
        package var deadline = Duration64.nanosecondsPerSecond
        package init() {}
    }

    private let client: RedisClient
    private let options: Options
    private let clock: any Clock
    /// Tells what we announced from what others did.
    private let sender: Bytes
    private let outstanding = Atomic(0)
    private let tally = Mutex(SemanticFeedCounts())
    private let line: RedisLine
    private var received: (@Sendable (Bytes) -> Void)?
    /// Of the last announcement that was read.
    private var last = RedisFeed.beginning
    /// Announcements that are read at once; one where they may be too large together.
    private var batch = RedisFeed.mostAtOnce

    private static let beginning = Bytes("0-0")
    /// From whatever comes next.
    private static let end = Bytes("$")
    private static let mostAtOnce = 8
    private static let senderName = Bytes("from")
    private static let recordName = Bytes("record")

    /// - Parameters:
    ///   - client: takes the announcements; its loop also runs the reading.
    ///   - redis: how to connect for reading.
    package init(
        client: RedisClient, redis: RedisOptions, options: Options = Options(), clock: any Clock,
        random: any RandomSource, log: any Log, servers: @escaping @Sendable () -> [RedisEndpoint] = { [] }
    ) throws(RedisSetupFailure) {
        self.client = client
        self.options = options
        self.clock = clock
        sender = withUnsafeBytes(of: (random.next(), random.next())) { Bytes(copying: $0) }
        line = try RedisLine(
            loop: client.loop, options: redis,
            names: .init(
                lost: "redis-feed-lost", back: "redis-feed-joined", subject: LogField("stream", options.stream)),
            random: random, log: log, servers: servers,
            largestReply: RedisFeed.mostAtOnce * (options.largest + 1024))
    }

    package var counts: SemanticFeedCounts { tally.withLock { $0 } }

    // MARK: Announcing

    package func announce(_ record: Bytes) {
        let isWelcome =
            record.count <= options.largest
            && outstanding.wrappingAdd(1, ordering: .relaxed).newValue <= options.inFlight
        guard isWelcome else {
            if record.count <= options.largest { outstanding.wrappingSubtract(1, ordering: .relaxed) }
            return tally.withLock { $0.dropped += 1 }
        }
        let command = RedisCommand(
            [
                Bytes("XADD"), Bytes(options.stream), Bytes("MAXLEN"), Bytes("~"), Bytes(String(options.length)),
                Bytes("*"), RedisFeed.senderName, sender, RedisFeed.recordName, record,
            ], keyIndex: 1, answers: .bulk)
        let deadline = clock.monotonic() + options.deadline
        Task {
            let isTold = (try? await client.perform(command, deadline: deadline)) != nil
            outstanding.wrappingSubtract(1, ordering: .relaxed)
            tally.withLock { tally in
                if isTold { tally.announced += 1 } else { tally.dropped += 1 }
            }
        }
    }

    // MARK: Listening

    package func open(_ received: @escaping @Sendable (Bytes) -> Void) {
        client.loop.execute { [self] in
            self.received = received
            line.open(
                .init(
                    ready: { [unowned self] in read() },
                    reply: { [unowned self] (reply) throws(KeyValueFailure) in try take(reply) },
                    timedOut: { [unowned self] in line.lose("no answer to a read whose time is over") },
                    overwhelmed: { [unowned self] in skip() }))
        }
    }

    package func close() {
        client.loop.execute { [self] in
            line.close()
            received = nil
        }
    }

    private func read() {
        let milliseconds = options.block / Duration64.nanosecondsPerMillisecond
        let words = ["XREAD", "COUNT", String(batch), "BLOCK", String(milliseconds), "STREAMS", options.stream]
        line.send(RedisCommand(words.map { Bytes($0) } + [last]))
        line.arm(after: options.block + RedisFeed.patience)
    }

    /// What an answer may take beside the time that the server waits, in nanoseconds.
    private static let patience = 2 * Duration64.nanosecondsPerSecond

    private func take(_ reply: RedisReply) throws(KeyValueFailure) {
        switch reply {
        case .null: break
        case .error(let message):
            return line.lose("the server refused: \(message)", next: line.redirection(message))
        case .array(let streams):
            guard case .array(let named)? = streams.first, named.count == 2, case .array(let entries) = named[1] else {
                throw .malformed
            }
            for entry in entries { try take(entry: entry) }
            batch = min(batch * 2, RedisFeed.mostAtOnce)
        default: throw .malformed
        }
        line.works()
        line.worked()
        read()
    }

    /// Somebody else put something into the stream that is too large to be read: first one by one, and where it is the
    /// next one, nothing of what is there is read.
    private func skip() {
        if batch > 1 {
            batch = 1
        } else {
            last = RedisFeed.end
            tally.withLock { $0.garbled += 1 }
        }
    }

    private func take(entry: RedisReply) throws(KeyValueFailure) {
        guard case .array(let parts) = entry, parts.count == 2, case .bulk(let id) = parts[0] else {
            throw .malformed
        }
        last = id
        var fields: [RedisReply] = []
        // Deleted while it was read: nothing is there to be told.
        if case .array(let found) = parts[1] { fields = found }
        guard fields.count == 4, fields[0] == .bulk(RedisFeed.senderName), case .bulk(let from) = fields[1],
            fields[2] == .bulk(RedisFeed.recordName), case .bulk(let record) = fields[3],
            record.count <= options.largest
        else { return tally.withLock { $0.garbled += 1 } }
        guard from != sender else { return }
        tally.withLock { $0.received += 1 }
        received?(record)
    }
}
