import Core

/// A connection of its own for commands that wait long for their answers, made anew whenever it is lost.
///
/// Its owner is told when it is ready and hears every answer after that. Servers are tried in turn; in a cluster
/// `servers` knows better than the URL which ones there are. Belongs to its loop's thread.
final class RedisLine {
    /// What the log calls it.
    struct Names {
        var lost: String
        var back: String
        /// What it is used for.
        var subject: LogField
    }

    struct Handlers {
        /// Connected, and the server took the credentials.
        var ready: () -> Void
        var reply: (RedisReply) throws(KeyValueFailure) -> Void
        /// The time is over that was set with `arm`, or that connecting may take.
        var timedOut: () -> Void
        /// What came is larger than may be read; the connection is made anew.
        var overwhelmed: () -> Void = {}
    }

    private enum State {
        case idle
        case connecting
        /// Connected; so many answers to credentials and the like are still owed.
        case greeting(owed: Int)
        case ready
        /// Until the next attempt.
        case waiting
        case closed
    }

    private let loop: EventLoop
    let options: RedisOptions
    private let names: Names
    private let random: any RandomSource
    private let log: any Log
    private let tls: RedisTLS?
    private let servers: () -> [RedisEndpoint]
    /// In bytes.
    private let largestReply: Int

    /// nil before `open` and after `close`.
    private var handlers: Handlers?
    private var state = State.idle
    private var resolver: RedisResolver?
    private var transport: RedisTransport?
    private var reader: RedisReplyReader?
    private var server: RedisEndpoint?
    /// Where a server sent us.
    private var redirection: RedisEndpoint?
    private var backoff: ReconnectBackoff
    /// For connecting, the next attempt, and what the owner waits for.
    private var timer: LoopEvent?
    /// Whether the log knows that it is lost.
    private var isReportedLost = false
    private var attempts = 0

    init(
        loop: EventLoop, options: RedisOptions, names: Names, random: any RandomSource, log: any Log,
        servers: @escaping () -> [RedisEndpoint], largestReply: Int
    ) throws(RedisSetupFailure) {
        try options.validate()
        self.loop = loop
        self.options = options
        self.names = names
        self.random = random
        self.log = log
        self.servers = servers
        self.largestReply = largestReply
        tls = options.url.isTLS ? try RedisTLS(options.tls) : nil
        backoff = ReconnectBackoff(first: options.firstBackoff, longest: options.longestBackoff)
    }

    /// Begins to connect.
    func open(_ handlers: Handlers) {
        loop.checkIsolated()
        guard case .idle = state else { return }
        self.handlers = handlers
        resolver = RedisResolver(loop: loop)
        timer = loop.timer { [unowned self] in timedOut() }
        connect()
    }

    /// For good; no handler is called any more. Before the loop stops.
    func close() {
        loop.checkIsolated()
        tearDown(.closed)
        handlers = nil
        timer = nil
        resolver = nil
    }

    // MARK: For the owner

    func send(_ command: RedisCommand) {
        guard let transport, let encoded = command.encoded() else { return lose("memory is out") }
        transport.write(encoded)
    }

    /// `timedOut` is called after so many nanoseconds, unless it is set again before.
    func arm(after nanoseconds: Int64) { timer?.arm(after: nanoseconds) }

    /// The line does what it is for: the log may say so.
    func works() {
        guard isReportedLost else { return }
        isReportedLost = false
        log.write(.info, names.back, LogField("server", server?.description ?? ""), names.subject)
    }

    /// The line has worked for a while: the next attempt need not wait.
    func worked() { backoff.reset() }

    /// Gives the connection up and tries again. `next`: where, if a server said so.
    func lose(_ reason: String, next: RedisEndpoint? = nil) {
        if case .closed = state { return }
        tearDown(.waiting)
        redirection = next
        timer?.arm(after: backoff.next(random))
        guard !isReportedLost else { return }
        isReportedLost = true
        log.write(
            .warning, names.lost, LogField("server", server?.description ?? ""), names.subject,
            LogField("reason", reason))
    }

    /// Where the server's refusal says that the key of a command is.
    func redirection(_ message: String) -> RedisEndpoint? {
        server.flatMap { Redirection(message, from: $0)?.endpoint }
    }

    // MARK: Its life

    private func connect() {
        let known = servers()
        let candidates = known.isEmpty ? options.url.endpoints : known
        let endpoint = redirection ?? candidates[attempts % candidates.count]
        redirection = nil
        attempts &+= 1
        server = endpoint
        state = .connecting
        timer?.arm(after: options.connectTimeout)
        reader = RedisReplyReader(limit: largestReply)
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
        for (command, _) in greeting { send(command) }
        if greeting.isEmpty { becomeReady() }
    }

    private func becomeReady() {
        state = .ready
        handlers?.ready()
    }

    private func timedOut() {
        switch state {
        case .waiting: connect()
        case .connecting: lose("not connected in time")
        case .greeting: lose("the server did not answer in time")
        case .ready: handlers?.timedOut()
        case .idle, .closed: break
        }
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
            if error == .tooLarge { handlers?.overwhelmed() }
            lose("it sent what is no message (\(error.word))")
        }
    }

    private func take(_ reply: RedisReply) throws(KeyValueFailure) {
        switch state {
        case .greeting(let owed): greeted(reply, owed: owed)
        case .ready: try handlers?.reply(reply)
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
        if owed > 1 { state = .greeting(owed: owed - 1) } else { becomeReady() }
    }
}
