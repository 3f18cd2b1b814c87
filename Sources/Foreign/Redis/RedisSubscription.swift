import Core

/// What is published on one channel, over a connection of its own that is made anew whenever it is lost.
///
/// What was published while there was no connection is gone: `subscribed` is called whenever the channel is heard again,
/// so that its owner can look for what it missed. In a cluster every server carries every message; another one is tried
/// after each failure.
///
/// Sendable because everything is either immutable or touched on the loop's thread alone, which `open` and `close` check
/// and where all callbacks of timers and transports come.
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

    private enum State {
        case idle
        case connecting
        /// Connected; so many answers to credentials and the like are still owed.
        case greeting(owed: Int)
        case subscribing
        case subscribed
        /// Until the next attempt.
        case waiting
        case closed
    }

    private let loop: EventLoop
    private let options: RedisOptions
    private let channel: Bytes
    private let random: any RandomSource
    private let log: any Log
    private let tls: RedisTLS?
    private let servers: @Sendable () -> [RedisEndpoint]
    private let handlers: Handlers

    private var state = State.idle
    private var resolver: RedisResolver?
    private var transport: RedisTransport?
    private var reader: RedisReplyReader?
    private var server: RedisEndpoint?
    private var backoff: ReconnectBackoff
    /// For what the state waits for: an answer, the next attempt, the next `PING`.
    private var timer: LoopEvent?
    /// Whether nothing came since the last `PING`.
    private var isSilent = false
    /// Whether the log knows that it is lost.
    private var isReportedLost = false
    private var attempts = 0

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
        try options.validate()
        self.loop = loop
        self.options = options
        self.channel = Bytes(channel)
        self.random = random
        self.log = log
        self.servers = servers
        self.handlers = handlers
        tls = options.url.isTLS ? try RedisTLS(options.tls) : nil
        backoff = ReconnectBackoff(first: options.firstBackoff, longest: options.longestBackoff)
    }

    /// Begins to connect. On the loop's thread.
    package func open() {
        loop.checkIsolated()
        guard case .idle = state else { return }
        resolver = RedisResolver(loop: loop)
        timer = loop.timer { [unowned self] in timedOut() }
        connect()
    }

    /// For good; no handler is called any more. On the loop's thread, and before it stops.
    package func close() {
        loop.checkIsolated()
        tearDown(.closed)
        timer = nil
        resolver = nil
    }

    // MARK: Its life

    private func connect() {
        let known = servers()
        let candidates = known.isEmpty ? options.url.endpoints : known
        let endpoint = candidates[attempts % candidates.count]
        attempts &+= 1
        server = endpoint
        state = .connecting
        timer?.arm(after: options.connectTimeout)
        reader = RedisReplyReader(limit: RedisSubscription.largestMessage)
        guard let resolver, reader != nil else { return lose("the connection could not be begun") }
        transport = RedisTransport(loop: loop, endpoint: endpoint, tls: tls, resolver: resolver) {
            [unowned self] event in
            switch event {
            case .connected: greet()
            case .readable: read()
            case .ended(let reason): lose(reason)
            }
        }
        guard let transport, transport.connect(to: endpoint) else {
            return lose("the connection could not be begun")
        }
    }

    private func greet() {
        guard case .connecting = state else { return }
        let greeting = options.greeting
        state = .greeting(owed: greeting.count)
        for (command, _) in greeting { write(command) }
        if greeting.isEmpty { subscribe() }
    }

    private func subscribe() {
        state = .subscribing
        write(RedisCommand([Bytes("SUBSCRIBE"), channel]))
    }

    private func write(_ command: RedisCommand) {
        guard let transport, let encoded = command.encoded() else { return lose("memory is out") }
        transport.write(encoded)
    }

    private func timedOut() {
        switch state {
        case .waiting: connect()
        case .connecting: lose("not connected in time")
        case .greeting, .subscribing: lose("the server did not answer in time")
        case .subscribed: ping()
        case .idle, .closed: break
        }
    }

    private func ping() {
        if isSilent {
            let milliseconds = RedisSubscription.pingInterval / Duration64.nanosecondsPerMillisecond
            return lose("no answer for \(milliseconds) ms")
        }
        isSilent = true
        timer?.arm(after: RedisSubscription.pingInterval)
        write(RedisCommand("PING"))
    }

    private func lose(_ reason: String) {
        if case .closed = state { return }
        tearDown(.waiting)
        timer?.arm(after: backoff.next(random))
        guard !isReportedLost else { return }
        isReportedLost = true
        log.write(
            .warning, "redis-subscription-lost", LogField("server", server?.description ?? ""),
            LogField("channel", channel.text), LogField("reason", reason))
    }

    private func tearDown(_ next: State) {
        state = next
        timer?.disarm()
        transport = nil
        reader = nil
    }

    // MARK: Answers

    private func read() {
        guard let transport else { return }
        do throws(KeyValueFailure) {
            try transport.read { (bytes) throws(KeyValueFailure) in
                // Lost by what was read before.
                guard self.transport === transport else { return }
                try reader?.feed(bytes)
                while self.transport === transport, let reply = try reader?.next() { try take(reply) }
            }
        } catch {
            guard self.transport === transport else { return }
            lose("it sent what is no message (\(error.word))")
        }
    }

    private func take(_ reply: RedisReply) throws(KeyValueFailure) {
        isSilent = false
        switch state {
        case .greeting(let owed): greeted(reply, owed: owed)
        case .subscribing:
            if case .error(let message) = reply { return lose("the server refused: \(message)") }
            guard case .array(let parts) = reply, parts.first == .bulk(Bytes("subscribe")) else { throw .malformed }
            becomeSubscribed()
        case .subscribed: try received(reply)
        case .idle, .connecting, .waiting, .closed: throw .malformed
        }
    }

    private func greeted(_ reply: RedisReply, owed: Int) {
        let greeting = options.greeting
        if case .error(let message) = reply,
            greeting[greeting.count - owed].isRequired || message.hasPrefix("NOAUTH")
        {
            return lose("the server refused: \(message)")
        }
        if owed > 1 { state = .greeting(owed: owed - 1) } else { subscribe() }
    }

    private func becomeSubscribed() {
        state = .subscribed
        timer?.arm(after: RedisSubscription.pingInterval)
        if isReportedLost {
            isReportedLost = false
            log.write(
                .info, "redis-subscribed", LogField("server", server?.description ?? ""),
                LogField("channel", channel.text))
        }
        handlers.subscribed()
    }

    private func received(_ reply: RedisReply) throws(KeyValueFailure) {
        guard case .array(let parts) = reply, case .bulk(let kind)? = parts.first else { throw .malformed }
        switch kind.text {
        case "message":
            guard parts.count == 3, case .bulk(let message) = parts[2] else { throw .malformed }
            handlers.message(message)
        // A server that takes subscriptions and ends them at once gets no answer as far as this.
        case "pong": backoff.reset()
        default: throw .malformed
        }
    }
}
