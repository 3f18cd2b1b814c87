import Core
import Synchronization

/// Why there is no vector. The request goes on without one.
package enum EncodingRefusal: String, Error, Sendable, CaseIterable {
    /// The text has more tokens than the model reads.
    case tooLong = "too-long"
    /// The time budget was spent.
    case late
    /// Too many texts wait already.
    case busy
    /// The numeric library failed.
    case failed
    case closed
}

/// Encodes for many requests at once: texts wait in order, and each thread takes as many as it may run together.
package final class EncodingQueue: Sendable {
    package struct Limits: Sendable {
        /// Texts that may wait for a thread.
        package var waiting: Int
        /// Tokens of the texts that are run together; a single longer text runs alone.
        package var batchTokens: Int

        package init(waiting: Int = 256, batchTokens: Int = 128) {
            self.waiting = waiting
            self.batchTokens = batchTokens
        }
    }

    private let encoder: Encoder
    private let threads: any WorkThreads
    private let scheduler: any Scheduler
    private let limits: Limits
    private let state: Mutex<State>

    private struct State {
        var waiting: [Request] = []
        /// Works that were handed to the threads and have not ended.
        var working = 0
        var passes: [IdlePass] = []
        var isClosed = false
    }

    /// Makes the memory of one thread and encodes the empty text now, so that a model that cannot be run is known at the
    /// start.
    package init(
        _ encoder: Encoder, threads: any WorkThreads, scheduler: any Scheduler, limits: Limits = Limits()
    ) throws(MatrixFault) {
        self.encoder = encoder
        self.threads = threads
        self.scheduler = scheduler
        self.limits = limits
        let pass = try encoder.makePass(tokens: limits.batchTokens)
        if let tokens = encoder.tokenize("") { _ = try encoder.encode([(tokens, false)], pass) }
        state = Mutex(State(passes: [IdlePass(pass)]))
    }

    deinit { close() }

    /// The text's vector within `budget` nanoseconds.
    package func encode(
        _ text: String, budget: Int64, wantsTokenVectors: Bool = false
    ) async throws(EncodingRefusal) -> EncodedText {
        guard let tokens = encoder.tokenize(text) else { throw .tooLong }
        let request = Request(tokens, wantsTokenVectors)
        let timer = scheduler.schedule(after: max(0, budget)) { request.end(.failure(.late)) }
        defer { timer.cancel() }
        return try await withCheckedContinuation { waiter in
            request.wait(waiter)
            add(request)
        }.get()
    }

    /// How many texts wait for a thread.
    package var waiting: Int { state.withLock { $0.waiting.count } }

    /// Refuses what waits and what comes.
    package func close() {
        let refused = state.withLock { state in
            state.isClosed = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for request in refused { request.end(.failure(.closed)) }
    }

    private enum Admission { case refused(EncodingRefusal), queued, starts }

    private func add(_ request: Request) {
        let admission: Admission = state.withLock { state in
            if state.isClosed { return .refused(.closed) }
            if state.waiting.count >= limits.waiting {
                // Those that nobody waits for any more hold no place.
                state.waiting.removeAll { $0.hasEnded }
                if state.waiting.count >= limits.waiting { return .refused(.busy) }
            }
            state.waiting.append(request)
            guard state.working < threads.count else { return .queued }
            state.working += 1
            return .starts
        }
        switch admission {
        case .refused(let refusal): request.end(.failure(refusal))
        case .queued: break
        case .starts: threads.run { [self] in work() }
        }
    }

    /// What a thread does until nothing waits.
    private func work() {
        guard let pass = takePass() else {
            let left = state.withLock { state in
                state.working -= 1
                defer { state.waiting = [] }
                return state.waiting
            }
            for request in left { request.end(.failure(.failed)) }
            return
        }
        while let batch = next(elseKeep: pass) { run(batch, pass) }
    }

    private func takePass() -> BertPass? {
        if let idle = state.withLock({ $0.passes.popLast() }) { return idle.take() }
        return try? encoder.makePass(tokens: limits.batchTokens)
    }

    /// The texts that are run together next. Where none waits, nil, and the thread's pass is put away: whoever comes
    /// from then on starts a work of its own.
    private func next(elseKeep pass: BertPass) -> [Request]? {
        let idle = IdlePass(pass)
        return state.withLock { state in
            state.waiting.removeAll { $0.hasEnded }
            guard let first = state.waiting.first else {
                state.passes.append(idle)
                state.working -= 1
                return nil
            }
            var tokens = first.tokens.ids.count
            var count = 1
            while count < state.waiting.count {
                tokens += state.waiting[count].tokens.ids.count
                guard tokens <= limits.batchTokens else { break }
                count += 1
            }
            defer { state.waiting.removeFirst(count) }
            return Array(state.waiting[..<count])
        }
    }

    private func run(_ batch: [Request], _ pass: BertPass) {
        do throws(MatrixFault) {
            let encoded = try encoder.encode(batch.map { ($0.tokens, $0.wantsTokenVectors) }, pass)
            for (request, text) in zip(batch, encoded) { request.end(.success(text)) }
        } catch {
            for request in batch { request.end(.failure(.failed)) }
        }
    }
}

/// A pass that no thread uses.
///
/// Unchecked transfer: it is in the queue's list or with the one thread that took it from there under the queue's lock,
/// never both.
private struct IdlePass: @unchecked Sendable {
    private let pass: BertPass
    init(_ pass: BertPass) { self.pass = pass }
    func take() -> BertPass { pass }
}

/// A text, and who waits for its vector. The first end counts.
private final class Request: Sendable {
    typealias Outcome = Result<EncodedText, EncodingRefusal>

    let tokens: TokenizedText
    let wantsTokenVectors: Bool
    private let state = Mutex(State())

    private struct State {
        var outcome: Outcome?
        var waiter: CheckedContinuation<Outcome, Never>?
    }

    init(_ tokens: TokenizedText, _ wantsTokenVectors: Bool) {
        self.tokens = tokens
        self.wantsTokenVectors = wantsTokenVectors
    }

    var hasEnded: Bool { state.withLock { $0.outcome != nil } }

    /// Called once.
    func wait(_ waiter: CheckedContinuation<Outcome, Never>) {
        let outcome = state.withLock { state in
            if state.outcome == nil { state.waiter = waiter }
            return state.outcome
        }
        if let outcome { waiter.resume(returning: outcome) }
    }

    func end(_ outcome: Outcome) {
        let waiter: CheckedContinuation<Outcome, Never>? = state.withLock { state in
            guard state.outcome == nil else { return nil }
            state.outcome = outcome
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume(returning: outcome)
    }
}
