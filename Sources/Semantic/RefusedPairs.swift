import Core
import Synchronization

/// Requests and entries that do not belong together, by what somebody said. Bounded; the oldest are forgotten first.
final class RefusedPairs: Sendable {
    struct Pair: Hashable, Sendable {
        /// Of the request.
        var key: CacheKey
        /// Of the entry that did not answer it.
        var other: CacheKey
    }

    private struct State {
        var pairs: Set<Pair> = []
        /// In the order in which they came, from `first` on and around.
        var order: [Pair] = []
        var first = 0
    }

    private let most: Int
    private let state = Mutex(State())

    init(most: Int) { self.most = most }

    func contains(_ key: CacheKey, _ other: CacheKey) -> Bool {
        state.withLock { $0.pairs.contains(Pair(key: key, other: other)) }
    }

    func insert(_ key: CacheKey, _ other: CacheKey) {
        state.withLock { state in
            let pair = Pair(key: key, other: other)
            guard !state.pairs.contains(pair) else { return }
            if state.order.count < most {
                state.order.append(pair)
            } else {
                // First: one more than fits would double the table.
                state.pairs.remove(state.order[state.first])
                state.order[state.first] = pair
                state.first = (state.first + 1) % most
            }
            state.pairs.insert(pair)
        }
    }

    var byteCount: Int { state.withLock { $0.pairs.tableBytes + $0.order.tableBytes } }

    /// The oldest first.
    var all: [Pair] { state.withLock { Array($0.order[$0.first...] + $0.order[..<$0.first]) } }
}
