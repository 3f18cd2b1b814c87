import Core
import Synchronization

/// Questions that are encoded when nobody waits, one after the other, so that they do not crowd out those of requests.
/// Bounded: what does not fit is not remembered.
final class LearningBacklog: Sendable {
    typealias Work = @Sendable () async -> Void

    private struct State {
        var waiting: [(bytes: Int, work: Work)] = []
        var first = 0
        /// Of those that wait.
        var bytes = 0
        var isWorking = false
    }

    static let most = 4_096
    static let mostBytes = 8 << 20

    private let state = Mutex(State())

    /// - Parameter bytes: what it holds while it waits.
    func add(_ bytes: Int, _ work: @escaping Work) {
        let starts = state.withLock { state in
            guard state.waiting.count - state.first < LearningBacklog.most,
                state.bytes + bytes <= LearningBacklog.mostBytes
            else { return false }
            state.waiting.append((bytes, work))
            state.bytes += bytes
            defer { state.isWorking = true }
            return !state.isWorking
        }
        if starts { Task.detached { await self.run() } }
    }

    private func run() async {
        while let work = next() { await work() }
    }

    private func next() -> Work? {
        state.withLock { state in
            guard state.first < state.waiting.count else {
                state.waiting = []
                state.first = 0
                state.isWorking = false
                return nil
            }
            defer { state.first += 1 }
            // What was done need not be held until all is.
            if state.first >= 1_024 {
                state.waiting.removeFirst(state.first)
                state.first = 0
            }
            let (bytes, work) = state.waiting[state.first]
            state.bytes -= bytes
            return work
        }
    }
}
