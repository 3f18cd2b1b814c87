import Core
import Synchronization

/// A model server of a test: it records the calls, and the test, or `script`, says what becomes of each.
package final class FakeUpstream: Upstream {
    private let started = Mutex<[FakeCall]>([])
    private let script: (@Sendable (FakeCall) -> Void)?

    /// `script` runs inside `start`, like an upstream that answers at once.
    package init(script: (@Sendable (FakeCall) -> Void)? = nil) { self.script = script }

    /// In the order they were started.
    package var calls: [FakeCall] { started.withLock { $0 } }

    package func start(_ request: UpstreamRequest, sink: any UpstreamSink) -> any UpstreamCall {
        let call = started.withLock { calls in
            let call = FakeCall(number: calls.count, request: request, sink: sink)
            calls.append(call)
            return call
        }
        script?(call)
        return call
    }
}

/// One call to a `FakeUpstream`. Its sink hears of every step in order and of one at a time, from whichever thread
/// brought or released it.
package final class FakeCall: UpstreamCall {
    package enum Step: Sendable {
        case head(UpstreamHead)
        case bytes([UInt8])
        case end(UpstreamEnd)
    }

    private struct State {
        var steps: [Step] = []
        var sink: (any UpstreamSink)?
        weak var watchedSink: (any UpstreamSink)?
        var isPlaying = false
        var isPaused = false
        /// `resume` came while the piece that is answered with `.pause` was still being delivered.
        var wasResumed = false
        var isCancelled = false
        var hasEnded = false
        var pauses = 0
        var delivered = 0
        var settled: [Int] = []
        var raises: [Priority] = []
    }

    package let number: Int
    package let request: UpstreamRequest
    private let state: Mutex<State>

    fileprivate init(number: Int, request: UpstreamRequest, sink: any UpstreamSink) {
        self.number = number
        self.request = request
        state = Mutex(State(sink: sink, watchedSink: sink))
    }

    package var isCancelled: Bool { state.withLock { $0.isCancelled } }
    package var hasEnded: Bool { state.withLock { $0.hasEnded } }
    /// Whether somebody holds the sink; after the end nobody should for long.
    package var isSinkAlive: Bool { state.withLock { $0.watchedSink != nil } }
    package var isPaused: Bool { state.withLock { $0.isPaused } }
    /// How often the sink asked to pause.
    package var pauses: Int { state.withLock { $0.pauses } }
    /// What it was told of tokens and of urgency, in order.
    package var settled: [Int] { state.withLock { $0.settled } }
    package var raises: [Priority] { state.withLock { $0.raises } }
    /// Bytes that the sink took.
    package var delivered: Int { state.withLock { $0.delivered } }

    package func respond(_ form: Form, status: Int = 200, headers: [HeaderField] = []) {
        let common = [HeaderField("Content-Type", form.contentType), HeaderField("x-request-id", "r\(number)")]
        play(.head(UpstreamHead(status: status, headers: common + headers)))
    }
    package func deliver(_ text: String) { play(.bytes(Array(text.utf8))) }
    package func deliver(_ bytes: [UInt8]) { play(.bytes(bytes)) }
    package func finish() { play(.end(.complete)) }
    package func fail(_ kind: UpstreamFailure.Kind = .reset) {
        play(.end(.failed(UpstreamFailure(kind, "as scripted"))))
    }

    /// The whole of an answer at once.
    package func answer(_ form: Form, _ pieces: [String], status: Int = 200, headers: [HeaderField] = []) {
        respond(form, status: status, headers: headers)
        for piece in pieces { deliver(piece) }
        finish()
    }

    package func cancel() {
        let isFirst = state.withLock { state in
            guard !state.isCancelled, !state.hasEnded else { return false }
            state.isCancelled = true
            state.isPaused = false
            state.steps = [.end(.failed(UpstreamFailure(.cancelled, "cancelled")))]
            return true
        }
        if isFirst { playOn() }
    }

    package func resume() {
        state.withLock { state in
            state.isPaused = false
            state.wasResumed = true
        }
        playOn()
    }

    package func settle(tokens: Int) { state.withLock { $0.settled.append(tokens) } }
    package func raise(to priority: Priority) { state.withLock { $0.raises.append(priority) } }

    package func play(_ step: Step) {
        state.withLock { state in if !state.isCancelled { state.steps.append(step) } }
        playOn()
    }

    private func playOn() {
        while let (step, sink) = takeStep() {
            switch step {
            case .head(let head): sink.responded(head)
            case .bytes(let bytes):
                let demand = bytes.withUnsafeBytes { sink.delivered($0) }
                react(demand, to: bytes)
            case .end(let end):
                sink.finished(end)
                // Like a real call, it lets go of whoever listened.
                _ = state.withLock { $0.sink.take() }
            }
            state.withLock { $0.isPlaying = false }
        }
    }

    private func takeStep() -> (Step, any UpstreamSink)? {
        state.withLock { state in
            guard !state.isPlaying, !state.isPaused, !state.hasEnded, let sink = state.sink, !state.steps.isEmpty
            else { return nil }
            let step = state.steps.removeFirst()
            if case .end = step { state.hasEnded = true }
            state.isPlaying = true
            state.wasResumed = false
            return (step, sink)
        }
    }

    private func react(_ demand: SinkDemand, to bytes: [UInt8]) {
        state.withLock { state in
            guard !state.isCancelled else { return }
            switch demand {
            case .more: state.delivered += bytes.count
            case .pause:
                state.pauses += 1
                state.steps.insert(.bytes(bytes), at: 0)
                state.isPaused = !state.wasResumed
            case .stop:
                state.isCancelled = true
                state.steps = [.end(.failed(UpstreamFailure(.cancelled, "stopped")))]
            }
        }
    }
}
