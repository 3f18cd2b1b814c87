import Core
import Synchronization

/// The latest answers that were another request's, by the number that clients were told: what feedback is about.
final class SemanticHits: Sendable {
    struct Hit: Sendable {
        var id: UInt64
        var key: CacheKey
        var match: SemanticMatch
        /// What was said of it; nil: nothing yet.
        var isRight: Bool?
    }

    /// What is new about somebody's word.
    enum Change: Sendable {
        case first
        /// It was called right before.
        case withdrawn
        /// It was said before, or comes after a no, which is for good.
        case nothing
    }

    private struct State {
        var ring: [Hit] = []
        var next = 0
        var places: [UInt64: Int] = [:]
    }

    /// How long feedback may take, in hits: as many as fit into a power of two of places.
    static let most = 6_144

    private let state = Mutex(State())

    var byteCount: Int { state.withLock { $0.ring.tableBytes + $0.places.tableBytes } }

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

    /// Notes what somebody says of a hit; nil where it is not known.
    func note(_ isRight: Bool, of id: UInt64) -> (hit: Hit, change: Change)? {
        state.withLock { state in
            guard let place = state.places[id] else { return nil }
            let change: Change =
                switch (state.ring[place].isRight, isRight) {
                case (nil, _): .first
                case (true?, false): .withdrawn
                default: .nothing
                }
            if change != .nothing { state.ring[place].isRight = isRight }
            return (state.ring[place], change)
        }
    }
}
