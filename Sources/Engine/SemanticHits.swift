import Core
import Synchronization

/// The latest answers that were another request's, by the number that clients were told: what feedback is about.
final class SemanticHits: Sendable {
    struct Hit: Sendable {
        var id: UInt64
        var key: CacheKey
        var match: SemanticMatch
    }

    private struct State {
        var ring: [Hit] = []
        var next = 0
        var places: [UInt64: Int] = [:]
    }

    /// How long feedback may take, in hits.
    static let most = 8192

    private let state = Mutex(State())

    func note(_ hit: Hit) {
        state.withLock { state in
            if state.ring.count < SemanticHits.most {
                state.places[hit.id] = state.ring.count
                state.ring.append(hit)
                return
            }
            state.places[state.ring[state.next].id] = nil
            state.ring[state.next] = hit
            state.places[hit.id] = state.next
            state.next = (state.next + 1) % SemanticHits.most
        }
    }

    func find(_ id: UInt64) -> Hit? { state.withLock { state in state.places[id].map { state.ring[$0] } } }
}
