import Core
import Synchronization

/// The latest questions that had a near one, and what was done about it: for people who want to see what the rule makes of
/// their traffic. It holds what clients ask, so it holds nothing until it is told to.
package final class RecentPairs: Sendable {
    package struct Pair: Sendable, Equatable {
        /// In milliseconds since 1970.
        package var time: Int64
        /// Of the request.
        package var key: CacheKey
        package var text: String
        /// The near question: the one whose answer was taken, else the nearest.
        package var candidate: SemanticCandidate
        package var lookup: SemanticLookup
        /// What was found out about it since, the latest first to be believed.
        package var verdict: Verdict?
    }

    package struct Verdict: Sendable, Equatable {
        package var witness: SemanticWitness
        package var isRight: Bool
    }

    private struct State {
        var isKeeping = false
        /// In the order in which they came, from `next` on and around.
        var ring: [Pair] = []
        var next = 0
    }

    static let most = 200
    /// Of each text, in characters; what is cut off is not needed to see what differs in most of them. A character may
    /// have any number of marks, so that bytes are bounded, too.
    static let longest = 500
    static let mostBytes = 2_000
    /// Of the objections to one pair, and of each one's detail in bytes.
    static let mostObjections = 4
    static let longestDetail = 200

    private let state = Mutex(State())

    package init() {}

    /// Whether pairs are kept from now on; where not, those that were kept are forgotten.
    package func keep(_ isWanted: Bool) {
        state.withLock { state in
            if !isWanted { state = State() }
            state.isKeeping = isWanted
        }
    }

    package var isKeeping: Bool { state.withLock { $0.isKeeping } }

    /// The latest first; nil where none are kept.
    package var all: [Pair]? {
        state.withLock { state in
            guard state.isKeeping else { return nil }
            return Array((state.ring[state.next...] + state.ring[..<state.next]).reversed())
        }
    }

    func note(_ key: CacheKey, _ text: String, _ candidate: SemanticCandidate, _ lookup: SemanticLookup, time: Int64) {
        guard isKeeping else { return }
        var candidate = candidate
        candidate.text = RecentPairs.cut(candidate.text)
        candidate.objections = candidate.objections.prefix(RecentPairs.mostObjections).map { objection in
            SemanticObjection(objection.word, RecentPairs.cut(objection.detail, bytes: RecentPairs.longestDetail))
        }
        let pair = Pair(time: time, key: key, text: RecentPairs.cut(text), candidate: candidate, lookup: lookup)
        state.withLock { state in
            guard state.isKeeping else { return }
            guard state.ring.count >= RecentPairs.most else { return state.ring.append(pair) }
            state.ring[state.next] = pair
            state.next = (state.next + 1) % RecentPairs.most
        }
    }

    /// Nobody else's buffer is held on to.
    private static func cut(_ text: String, bytes: Int = mostBytes) -> String {
        let start = text.startIndex
        var end = text.index(start, offsetBy: longest, limitedBy: text.endIndex) ?? text.endIndex
        if text.utf8.distance(from: start, to: end) > bytes {
            end = text.utf8.index(start, offsetBy: bytes)
            while end > start, end.samePosition(in: text.unicodeScalars) == nil { end = text.utf8.index(before: end) }
        }
        guard end < text.endIndex else { return text }
        return String(text.unicodeScalars[..<end]) + "…"
    }

    /// With the texts.
    var byteCount: Int {
        state.withLock { state in
            state.ring.reduce(state.ring.tableBytes) { sum, pair in
                let objections = pair.candidate.objections
                let texts = [pair.text, pair.candidate.text] + objections.map(\.detail)
                return sum + objections.tableBytes + texts.reduce(0) { $0 + TableBytes.block + $1.utf8.count }
            }
        }
    }

    /// Somebody knew whether the answer of the one was right for the other.
    func observe(_ match: CacheKey, for key: CacheKey, _ verdict: Verdict) {
        state.withLock { state in
            for index in state.ring.indices
            where state.ring[index].key == key && state.ring[index].candidate.match.key == match {
                state.ring[index].verdict = verdict
            }
        }
    }

    /// What was asked of a purged entry is gone with it.
    func forget(_ key: CacheKey) { removeAll { $0.key == key || $0.candidate.match.key == key } }

    func forgetAll() { removeAll { _ in true } }

    private func removeAll(where isGone: (Pair) -> Bool) {
        state.withLock { state in
            guard state.ring.contains(where: isGone) else { return }
            state.ring = Array(state.ring[state.next...] + state.ring[..<state.next])
            state.next = 0
            state.ring.removeAll(where: isGone)
        }
    }
}
