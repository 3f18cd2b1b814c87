import Core
import Synchronization

/// One request to a bucket and what came back, in memory.
final class S3Exchange: UpstreamSink {
    struct Answer: Sendable {
        var status: Int
        var body: Bytes
    }

    private struct State {
        var status = 0
        var body: [UInt8] = []
        var isTooLarge = false
        var call: (any UpstreamCall)?
    }

    private let operation: String
    private let limit: Int
    private let outcome = CallOutcome<Answer>()
    private let state = Mutex(State())

    /// What is read of an answer that says why there is none.
    private static let refusalLimit = 64 << 10

    /// - Parameter limit: how many bytes of a successful answer are read.
    init(operation: String, limit: Int) {
        self.operation = operation
        self.limit = limit
    }

    var isOver: Bool { outcome.isSet }

    func wait(_ waiter: CheckedContinuation<Result<Answer, ObjectFailure>, Never>) { outcome.wait(waiter) }

    func fail(_ failure: ObjectFailure) { outcome.set(.failure(failure)) }

    /// What comes from now on is dropped.
    func expire() {
        fail(ObjectFailure(.deadline, "\(operation): no answer in time"))
        state.withLock { $0.call }?.cancel()
    }

    /// The request is on its way.
    func began(_ call: any UpstreamCall) {
        state.withLock { $0.call = call }
        if isOver { call.cancel() }
    }

    // MARK: UpstreamSink

    func responded(_ head: UpstreamHead) {
        let length = head.headers.first(named: "Content-Length").flatMap { Int($0) }
        state.withLock { state in
            state.status = head.status
            let limit = limit(for: head.status)
            state.isTooLarge = length.map { $0 > limit } ?? false && isSuccess(head.status)
            if !state.isTooLarge, let length { state.body.reserveCapacity(min(length, limit)) }
        }
    }

    func delivered(_ bytes: UnsafeRawBufferPointer) -> SinkDemand {
        state.withLock { state in
            let room = limit(for: state.status) - state.body.count
            if bytes.count > room {
                // Of a refusal the beginning does.
                if !isSuccess(state.status) {
                    state.body += bytes.prefix(room)
                    return .more
                }
                state.isTooLarge = true
            }
            if state.isTooLarge { return .stop }
            state.body += bytes
            return .more
        }
    }

    func finished(_ end: UpstreamEnd) {
        let (status, body, isTooLarge) = state.withLock { state in
            defer { (state.call, state.body) = (nil, []) }
            return (state.status, state.body, state.isTooLarge)
        }
        switch end {
        case _ where isTooLarge:
            fail(ObjectFailure(.tooLarge, "\(operation): the object has more than \(limit) bytes"))
        case .failed(let failure): fail(ObjectFailure(failure, operation))
        case .complete: outcome.set(.success(Answer(status: status, body: Bytes(body))))
        }
    }

    private func isSuccess(_ status: Int) -> Bool { (200...299).contains(status) }

    private func limit(for status: Int) -> Int { isSuccess(status) ? limit : S3Exchange.refusalLimit }
}

extension ObjectFailure {
    fileprivate init(_ failure: UpstreamFailure, _ operation: String) {
        let kind: Kind =
            switch failure.kind {
            case .connect, .resolve, .tls, .reset, .shed: .unavailable
            case .timeout, .cancelled: .deadline
            case .malformed, .unsendable: .malformed
            case .tooLarge: .tooLarge
            case .shutdown: .shutdown
            }
        self.init(kind, failure.kind == .shutdown ? "the store is closed" : "\(operation): \(failure.message)")
    }
}
