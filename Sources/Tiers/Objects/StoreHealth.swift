import Core
import Synchronization

/// Says once that a store fails although the breaker is closed, and once that it works again, however many calls see it.
///
/// Reading and writing have a state each: a full disk still reads, so that no breaker may open. A few successes in a row
/// are needed to be well again, so that a store which fails now and then is one line and not many.
final class StoreHealth: Sendable {
    enum Direction: String, Sendable {
        case read, write
    }

    private struct State {
        var isReported = false
        /// Since the first one, or since the line that told of it.
        var failures = 0
        var successes = 0
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

    /// - Parameter limit: so many of them in a row are worth a line.
    func failed(_ direction: Direction, _ failure: ObjectFailure, limit: Int) {
        let isNews = states.withLock { states in
            states.with(direction) { state in
                state.failures += 1
                state.successes = 0
                guard !state.isReported, state.failures >= limit else { return false }
                state = State(isReported: true, failures: 1)
                return true
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
                guard state.isReported else {
                    state.failures = 0
                    return nil
                }
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
