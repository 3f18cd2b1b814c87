import Core

/// What all connections of one client share. Belongs to the loop's thread.
final class RedisEnvironment {
    let loop: EventLoop
    let options: RedisOptions
    let clock: any Clock
    let random: any RandomSource
    let log: any Log
    let tls: RedisTLS?
    let resolver: RedisResolver

    init(
        loop: EventLoop, options: RedisOptions, clock: any Clock, random: any RandomSource, log: any Log, tls: RedisTLS?
    ) {
        self.loop = loop
        self.options = options
        self.clock = clock
        self.random = random
        self.log = log
        self.tls = tls
        resolver = RedisResolver(loop: loop)
    }
}

/// A pipelined connection to one server, made anew whenever it is lost. Belongs to its loop's thread.
///
/// Every command that it takes is ended exactly once: by its answer, at its deadline, or when the connection is lost.
final class RedisConnection {
    typealias Completion = RedisPipeline.Completion

    enum State {
        /// Nobody asked for it yet.
        case idle
        case connecting
        /// Connected; so many answers to credentials and the like are still owed.
        case greeting(owed: Int)
        case ready
        /// Until the next attempt.
        case waiting
        case closed
    }

    /// A command that came before the connection was ready.
    private struct Unsent {
        var command: RedisCommand
        var isAsking: Bool
        var deadline: Int64
        var bytes: Int
        var completion: Completion
    }

    let endpoint: RedisEndpoint
    private(set) var state = State.idle
    private let environment: RedisEnvironment
    /// Told when it becomes ready (true) and when it is lost or cannot be made (false).
    private let changed: (RedisConnection, Bool) -> Void
    private var transport: RedisTransport?
    private var reader: RedisReplyReader?
    private var pipeline = RedisPipeline()
    private var unsent: [Unsent] = []
    private var unsentBytes = 0
    private var backoff: ReconnectBackoff
    /// One timer for the deadlines of all commands, one for connecting and for the time between attempts.
    private var deadlines: LoopEvent?
    private var isWatchingDeadlines = false
    private var attempt: LoopEvent?
    /// Whether the log knows that it is lost.
    private var isReportedLost = false

    init(
        to endpoint: RedisEndpoint, environment: RedisEnvironment, changed: @escaping (RedisConnection, Bool) -> Void
    ) {
        self.endpoint = endpoint
        self.environment = environment
        self.changed = changed
        backoff = ReconnectBackoff(
            first: environment.options.firstBackoff, longest: environment.options.longestBackoff)
        deadlines = environment.loop.timer { [unowned self] in sweep() }
        attempt = environment.loop.timer { [unowned self] in attemptTimedOut() }
    }

    var isReady: Bool {
        if case .ready = state { return true }
        return false
    }

    /// Whether it would take a command, as far as can be told.
    func isHealthy(now: Int64) -> Bool { isReady && !isStalled(now: now) }

    private func isStalled(now: Int64) -> Bool {
        pipeline.owedSince.map { now - $0 > environment.options.stallLimit } ?? false
    }

    /// Whether nobody waits for anything.
    var isQuiet: Bool { pipeline.isEmpty && unsent.isEmpty }

    // MARK: Commands

    /// Sends a command. `completion` may be called before this returns.
    ///
    /// - Parameter isAsking: sends `ASKING` before it, so that a server that is taking a slot over answers.
    func send(_ command: RedisCommand, isAsking: Bool, deadline: Int64, completion: @escaping Completion) {
        let now = environment.clock.monotonic()
        let bytes = command.byteCount
        if let refusal = refusal(of: bytes, deadline: deadline, now: now) { return completion(.failure(refusal)) }
        switch state {
        case .ready:
            dispatch(command, isAsking: isAsking, deadline: deadline, bytes: bytes, now: now, completion)
        case .idle, .connecting, .greeting:
            unsent.append(
                Unsent(
                    command: command, isAsking: isAsking, deadline: deadline, bytes: bytes, completion: completion))
            unsentBytes += bytes
            watchDeadlines(next: deadline, now: now)
            open()
        case .waiting, .closed:
            completion(.failure(.notConnected))
        }
    }

    private func refusal(of bytes: Int, deadline: Int64, now: Int64) -> KeyValueFailure? {
        let options = environment.options
        if now >= deadline { return .timeout }
        // Only the first attempt is waited for: when a server is gone, callers are not to find out one deadline each.
        if !isReady, backoff.failures > 0 { return .notConnected }
        if isStalled(now: now) { return .stalled }
        if pipeline.count + unsent.count >= options.inFlightCommands { return .overloaded }
        // One command of any size may wait; otherwise a large answer could never be kept.
        if pipeline.bytes + unsentBytes > 0, pipeline.bytes + unsentBytes + bytes > options.inFlightBytes {
            return .overloaded
        }
        return nil
    }

    private func dispatch(
        _ command: RedisCommand, isAsking: Bool, deadline: Int64, bytes: Int, now: Int64,
        _ completion: @escaping Completion
    ) {
        if isAsking {
            // Its answer is not looked at: where it fails, the command behind it is redirected.
            guard write(RedisCommand("ASKING"), deadline: deadline, bytes: 16, now: now, { _ in }) else {
                return completion(.failure(.disconnected))
            }
        }
        guard write(command, deadline: deadline, bytes: bytes, now: now, completion) else {
            return completion(.failure(.disconnected))
        }
    }

    /// Whether it was written, and so will be completed.
    private func write(
        _ command: RedisCommand, deadline: Int64, bytes: Int, now: Int64, _ completion: @escaping Completion
    ) -> Bool {
        guard let transport, let encoded = command.encoded() else { return false }
        transport.write(encoded)
        pipeline.append(now: now, deadline: deadline, bytes: bytes, answers: command.answers, completion)
        watchDeadlines(next: deadline, now: now)
        return true
    }

    // MARK: Its life

    /// Connects, unless it is connected or about to be.
    func open() {
        guard case .idle = state else { return }
        connect()
    }

    /// For good. Ends every command.
    func close() {
        tearDown(.closed, .disconnected)
    }

    private func connect() {
        state = .connecting
        attempt?.arm(after: environment.options.connectTimeout)
        reader = RedisReplyReader(limit: environment.options.largestReply)
        transport = RedisTransport(
            loop: environment.loop, endpoint: endpoint, tls: environment.tls, resolver: environment.resolver
        ) { [unowned self] event in
            switch event {
            case .connected: greet()
            case .readable: read()
            case .ended(let reason): lose(.disconnected, reason)
            }
        }
        guard let transport, reader != nil, transport.connect(to: endpoint) else {
            return lose(.disconnected, "the connection could not be begun")
        }
    }

    /// Says who we are, in one go; what the server answers decides whether the connection is of use.
    private func greet() {
        guard case .connecting = state else { return }
        let greeting = environment.options.greeting
        guard !greeting.isEmpty else { return becomeReady() }
        state = .greeting(owed: greeting.count)
        let now = environment.clock.monotonic()
        let deadline = now + environment.options.connectTimeout
        for (command, isRequired) in greeting {
            let isWritten = write(command, deadline: deadline, bytes: command.byteCount, now: now) { [unowned self] in
                greeted($0, isRequired: isRequired)
            }
            guard isWritten else { return lose(.disconnected, "memory is out") }
        }
    }

    private func greeted(_ result: Result<RedisReply, KeyValueFailure>, isRequired: Bool) {
        guard case .greeting(let owed) = state else { return }
        switch result {
        case .success(.error(let message)) where isRequired || message.hasPrefix("NOAUTH"):
            return lose(.disconnected, "the server refused: \(message)")
        case .success: break
        // The attempt's own timer, or the loss that this comes from, sees to it.
        case .failure: return
        }
        if owed > 1 { state = .greeting(owed: owed - 1) } else { becomeReady() }
    }

    private func becomeReady() {
        state = .ready
        attempt?.disarm()
        if isReportedLost {
            isReportedLost = false
            environment.log.write(.info, "redis-connected", LogField("server", endpoint.description))
        }
        let now = environment.clock.monotonic()
        let ripe = unsent
        (unsent, unsentBytes) = ([], 0)
        for item in ripe {
            guard now < item.deadline else {
                item.completion(.failure(.timeout))
                continue
            }
            dispatch(
                item.command, isAsking: item.isAsking, deadline: item.deadline, bytes: item.bytes, now: now,
                item.completion)
        }
        changed(self, true)
    }

    private func attemptTimedOut() {
        switch state {
        case .waiting: connect()
        case .connecting: lose(.disconnected, "not connected in time")
        case .greeting: lose(.disconnected, "the server did not answer in time")
        case .idle, .ready, .closed: break
        }
    }

    /// The connection is of no use any more: ends every command, and tries again later.
    private func lose(_ failure: KeyValueFailure, _ reason: String) {
        if case .closed = state { return }
        let wait = backoff.next(environment.random)
        if !isReportedLost {
            isReportedLost = true
            environment.log.write(
                .warning, "redis-lost", LogField("server", endpoint.description), LogField("reason", reason))
        }
        tearDown(.waiting, failure)
        // One of those who were told may have closed it.
        guard case .waiting = state else { return }
        attempt?.arm(after: wait)
        changed(self, false)
    }

    private func tearDown(_ next: State, _ failure: KeyValueFailure) {
        // First the state, then those who wait: they may send again at once.
        state = next
        attempt?.disarm()
        transport = nil
        reader = nil
        var waiting = pipeline.takeAll()
        waiting += unsent.map(\.completion)
        (unsent, unsentBytes) = ([], 0)
        for completion in waiting { completion(.failure(failure)) }
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
            lose(error, "it sent what is no answer (\(error.word))")
        }
    }

    private func take(_ reply: RedisReply) throws(KeyValueFailure) {
        // Nobody asked: from here on answers and commands would not fit together.
        guard let place = pipeline.takeFirst() else { throw .malformed }
        guard reply.isAmong(place.answers) else {
            place.completion?(.failure(.malformed))
            throw .malformed
        }
        if isReady { backoff.reset() }
        place.completion?(.success(reply))
    }

    // MARK: Deadlines

    private func watchDeadlines(next: Int64, now: Int64) {
        guard !isWatchingDeadlines else { return }
        isWatchingDeadlines = true
        deadlines?.arm(after: min(next - now, environment.options.silenceLimit))
    }

    /// Ends what is due. The timer runs while anything is owed, and is not moved by every command.
    private func sweep() {
        isWatchingDeadlines = false
        let now = environment.clock.monotonic()
        let silenceLimit = environment.options.silenceLimit
        if let owedSince = pipeline.owedSince, now - owedSince >= silenceLimit {
            return lose(.disconnected, "no answer for \(silenceLimit / Duration64.nanosecondsPerMillisecond) ms")
        }
        var (expired, next) = pipeline.expire(now: now)
        for item in unsent {
            if item.deadline <= now { expired.append(item.completion) } else { next = min(next ?? .max, item.deadline) }
        }
        unsent.removeAll { $0.deadline <= now }
        unsentBytes = unsent.reduce(0) { $0 + $1.bytes }
        if let owedSince = pipeline.owedSince { next = min(next ?? .max, owedSince + silenceLimit) }
        if let next { watchDeadlines(next: next, now: now) }
        for completion in expired { completion(.failure(.timeout)) }
    }
}
