import Core
import Synchronization

/// Says once that a store fails, and once that it works again, however many calls see it.
///
/// Reading and writing have a state each: a full disk still reads. A few successes in a row are needed to be well again,
/// so that a store which fails now and then is one line and not many.
final class StoreHealth: Sendable {
    enum Direction: String, Sendable {
        case read, write
    }

    private struct State {
        /// Why it fails, nil while it works.
        var cause: ObjectFailure.Kind?
        var successes = 0
        /// Failures since the line that said so.
        var failures = 0
    }

    private struct States {
        var read = State()
        var write = State()

        mutating func with<Result>(_ direction: Direction, _ body: (inout State) -> Result) -> Result {
            direction == .read ? body(&read) : body(&write)
        }
    }

    static let successesUntilWell = 8

    private let log: any Log
    private let states = Mutex(States())

    init(log: any Log) { self.log = log }

    func failed(_ direction: Direction, _ failure: ObjectFailure) {
        let isNews = states.withLock { states in
            states.with(direction) { state in
                defer { (state.cause, state.successes) = (failure.kind, 0) }
                state.failures = state.cause == nil ? 1 : state.failures + 1
                return state.cause == nil
            }
        }
        guard isNews else { return }
        log.write(
            .warning, "objects-failing", LogField("direction", direction.rawValue),
            LogField("reason", failure.kind.rawValue), LogField("message", failure.message))
    }

    func succeeded(_ direction: Direction) {
        let failures: Int? = states.withLock { states in
            states.with(direction) { state in
                guard state.cause != nil else { return nil }
                state.successes += 1
                guard state.successes >= StoreHealth.successesUntilWell else { return nil }
                defer { state = State() }
                return state.failures
            }
        }
        guard let failures else { return }
        log.write(
            .info, "objects-working", LogField("direction", direction.rawValue), LogField("failures", failures))
    }
}
