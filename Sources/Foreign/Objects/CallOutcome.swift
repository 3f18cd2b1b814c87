import Core
import Synchronization

/// The end of a call: whatever comes first, its result, the deadline or a refusal.
final class CallOutcome<Value: Sendable>: Sendable {
    private struct State {
        var waiter: CheckedContinuation<Result<Value, ObjectFailure>, Never>?
        var result: Result<Value, ObjectFailure>?
    }

    private let state = Mutex(State())

    var isSet: Bool { state.withLock { $0.result != nil } }

    /// Once. Resumes `waiter` when there is a result, at once if there is one already.
    func wait(_ waiter: CheckedContinuation<Result<Value, ObjectFailure>, Never>) {
        let result = state.withLock { state in
            if state.result == nil { state.waiter = waiter }
            return state.result
        }
        if let result { waiter.resume(returning: result) }
    }

    /// All but the first are without effect.
    func set(_ result: Result<Value, ObjectFailure>) {
        let waiter = state.withLock { state in
            guard state.result == nil else { return nil as CheckedContinuation<Result<Value, ObjectFailure>, Never>? }
            state.result = result
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume(returning: result)
    }
}
