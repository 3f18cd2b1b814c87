import Core
import Synchronization

/// Requests that were answered by the entry of another: the same wording again costs no encoding. Bounded; those that
/// were not asked for longest go first.
final class AliasTable: Sendable {
    private struct State {
        var young: [CacheKey: SemanticMatch] = [:]
        /// What was young before the last turn, so that forgetting the old ones costs nothing.
        var old: [CacheKey: SemanticMatch] = [:]
    }

    private let state = Mutex(State())
    private let limit: Int

    /// What a pair takes, the dictionary's free places included.
    static let bytesPerAlias = 192

    /// - Parameter bytes: of memory, at most.
    init(bytes: Int) { limit = max(1, bytes / AliasTable.bytesPerAlias / 2) }

    var count: Int { state.withLock { $0.young.count + $0.old.count } }

    func find(_ key: CacheKey) -> SemanticMatch? {
        state.withLock { state in
            if let match = state.young[key] { return match }
            guard let match = state.old.removeValue(forKey: key) else { return nil }
            insert(match, under: key, &state)
            return match
        }
    }

    func insert(_ match: SemanticMatch, under key: CacheKey) { state.withLock { insert(match, under: key, &$0) } }

    func remove(_ key: CacheKey) {
        state.withLock { state in
            state.young[key] = nil
            state.old[key] = nil
        }
    }

    private func insert(_ match: SemanticMatch, under key: CacheKey, _ state: inout State) {
        if state.young.count >= limit, state.young[key] == nil {
            state.old = state.young
            state.young = [:]
        }
        state.young[key] = match
    }
}
