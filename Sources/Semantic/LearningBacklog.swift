import Core
import Synchronization

/// Questions that are encoded when nobody waits, one after the other, so that they do not crowd out those of requests.
/// Bounded: what does not fit is not remembered.
final class LearningBacklog: Sendable {
    typealias Work = @Sendable () async -> Void

    private struct Item {
        var bytes: Int
        var work: Work
    }

    private struct State {
        /// nil: begun already.
        var waiting: [Item?] = []
        var first = 0
        /// Of those that wait.
        var bytes = 0
        var isWorking = false
    }

    static let mostBytes = 4 << 20
    /// What waits beside its text: the closure with keys, facts and names.
    private static let itemBytes = 1_024

    private let state = Mutex(State())

    /// - Parameters:
    ///   - bytes: of the text.
    ///   - share: how much of the room it may fill, 0 to 1; what is less wanted leaves some for the rest.
    func add(_ bytes: Int, share: Double = 1, _ work: @escaping Work) {
        let bytes = bytes + LearningBacklog.itemBytes
        let starts = state.withLock { state in
            guard state.bytes + bytes <= Int(Double(LearningBacklog.mostBytes) * share) else { return false }
            state.waiting.append(Item(bytes: bytes, work: work))
            state.bytes += bytes
            defer { state.isWorking = true }
            return !state.isWorking
        }
        if starts { Task.detached { await self.run() } }
    }

    /// With the texts.
    var byteCount: Int { state.withLock { $0.bytes + $0.waiting.tableBytes } }

    private func run() async {
        while let work = next() { await work() }
    }

    private func next() -> Work? {
        state.withLock { state in
            guard state.first < state.waiting.count, let item = state.waiting[state.first] else {
                state.waiting = []
                state.first = 0
                state.isWorking = false
                return nil
            }
            state.waiting[state.first] = nil
            state.first += 1
            state.bytes -= item.bytes
            // Places that were used up are let go of in steps that cost little.
            if state.first >= 1_024 {
                state.waiting.removeFirst(state.first)
                state.first = 0
            }
            return item.work
        }
    }
}
