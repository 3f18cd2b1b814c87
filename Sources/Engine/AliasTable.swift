import Core
import Synchronization

/// Requests that were answered by the entry of another: the same wording again costs no encoding. Bounded; those that
/// were not asked for longest go first.
final class AliasTable: Sendable {
    struct Alias: Sendable, Equatable {
        var match: SemanticMatch
        /// When its answer was made, in milliseconds since 1970: a later one under the same key is another answer. What was
        /// purged or has expired takes its aliases with it.
        var createdAt: Int64
    }

    private struct State {
        var young: [CacheKey: Alias] = [:]
        /// What was young before the last turn, so that forgetting the old ones costs nothing.
        var old: [CacheKey: Alias] = [:]
    }

    private let state = Mutex(State())
    private let limit: Int

    /// - Parameter bytes: of memory, at most, for both tables together.
    init(bytes: Int) { limit = max(1, TableBytes.entries(of: [CacheKey: Alias].self, in: bytes / 2)) }

    var count: Int { state.withLock { $0.young.count + $0.old.count } }
    var byteCount: Int { state.withLock { $0.young.tableBytes + $0.old.tableBytes } }

    func find(_ key: CacheKey) -> Alias? {
        state.withLock { state in
            if let alias = state.young[key] { return alias }
            guard let alias = state.old.removeValue(forKey: key) else { return nil }
            insert(alias, under: key, &state)
            return alias
        }
    }

    func insert(_ alias: Alias, under key: CacheKey) { state.withLock { insert(alias, under: key, &$0) } }

    func remove(_ key: CacheKey) {
        state.withLock { state in
            state.young[key] = nil
            state.old[key] = nil
        }
    }

    private func insert(_ alias: Alias, under key: CacheKey, _ state: inout State) {
        if state.young.count >= limit, state.young[key] == nil {
            state.old = state.young
            state.young = [:]
        }
        state.young[key] = alias
    }
}
