import Core

/// What is published on one channel, over a connection of its own that is made anew whenever it is lost.
///
/// What was published while there was no connection is gone: `subscribed` is called whenever the channel is heard again,
/// so that its owner can look for what it missed. In a cluster every server carries every message; another one is tried
/// after each failure.
///
/// Sendable because everything is either immutable or touched on the loop's thread alone, which `open` and `close` check
/// and where all callbacks of the line come.
package final class RedisSubscription: @unchecked Sendable {
    package struct Handlers: Sendable {
        /// On the loop's thread, after each successful subscription.
        var subscribed: @Sendable () -> Void
        /// On the loop's thread.
        var message: @Sendable (Bytes) -> Void

        package init(
            subscribed: @escaping @Sendable () -> Void, message: @escaping @Sendable (Bytes) -> Void
        ) {
            self.subscribed = subscribed
            self.message = message
        }
    }

    private let channel: Bytes
    private let handlers: Handlers
    private let line: RedisLine
    private var isSubscribed = false
    /// Whether nothing came since the last `PING`.
    private var isSilent = false

    /// In nanoseconds. A peer that is gone is noticed within twice that.
    package static let pingInterval = 2 * Duration64.nanosecondsPerSecond
    /// In bytes.
    package static let largestMessage = 1 << 20

    /// - Parameter servers: those to be tried, asked for on the loop's thread before each attempt; where there are none,
    ///   those of the URL are. In a cluster `RedisClient.masters` knows better than the URL which ones there are.
    package init(
        loop: EventLoop, options: RedisOptions, channel: String, random: any RandomSource, log: any Log,
        servers: @escaping @Sendable () -> [RedisEndpoint] = { [] }, handlers: Handlers
    ) throws(RedisSetupFailure) {
        self.channel = Bytes(channel)
        self.handlers = handlers
        line = try RedisLine(
            loop: loop, options: options,
            names: .init(
                lost: "redis-subscription-lost", back: "redis-subscribed", subject: LogField("channel", channel)),
            random: random, log: log, servers: servers, largestReply: RedisSubscription.largestMessage)
    }

    /// Begins to connect. On the loop's thread.
    package func open() {
        line.open(
            .init(
                ready: { [unowned self] in subscribe() },
                reply: { [unowned self] (reply) throws(KeyValueFailure) in try take(reply) },
                timedOut: { [unowned self] in timedOut() }))
    }

    /// For good; no handler is called any more. On the loop's thread, and before it stops.
    package func close() { line.close() }

    /// The time that connecting may take is running still.
    private func subscribe() {
        isSubscribed = false
        isSilent = false
        line.send(RedisCommand([Bytes("SUBSCRIBE"), channel]))
    }

    private func timedOut() {
        guard isSubscribed else { return line.lose("the server did not answer in time") }
        if isSilent {
            let milliseconds = RedisSubscription.pingInterval / Duration64.nanosecondsPerMillisecond
            return line.lose("no answer for \(milliseconds) ms")
        }
        isSilent = true
        line.arm(after: RedisSubscription.pingInterval)
        line.send(RedisCommand("PING"))
    }

    private func take(_ reply: RedisReply) throws(KeyValueFailure) {
        isSilent = false
        guard !isSubscribed else { return try received(reply) }
        if case .error(let message) = reply { return line.lose("the server refused: \(message)") }
        guard case .array(let parts) = reply, parts.first == .bulk(Bytes("subscribe")) else { throw .malformed }
        isSubscribed = true
        line.arm(after: RedisSubscription.pingInterval)
        line.works()
        handlers.subscribed()
    }

    private func received(_ reply: RedisReply) throws(KeyValueFailure) {
        guard case .array(let parts) = reply, case .bulk(let kind)? = parts.first else { throw .malformed }
        switch kind.text {
        case "message":
            guard parts.count == 3, case .bulk(let message) = parts[2] else { throw .malformed }
            handlers.message(message)
        // A server that takes subscriptions and ends them at once gets no answer as far as this.
        case "pong": line.worked()
        default: throw .malformed
        }
    }
}
