import Core

/// What the bytes under a key of a lower tier turned out to be.
enum StoredEntry {
    case live(Entry)
    /// Beyond its lifetime and the time it may be served stale.
    case dead
    case refused(EntryFailure)

    /// Whether nobody is to find the bytes again.
    var isToBeDeleted: Bool {
        switch self {
        case .live: false
        case .dead: true
        case .refused(let failure): failure.condemns
        }
    }
}

extension EntryCodec {
    /// Decodes what a tier holds and judges its age; times as in `isDead`, a negative retention is none.
    func open(_ bytes: Bytes, under key: CacheKey, now: Int64, retainStale: Int64) -> StoredEntry {
        do throws(EntryFailure) {
            let entry = try decode(bytes, under: key)
            guard entry.facts.isPlausible else { throw .corrupt }
            return entry.facts.isDead(now: now, retainStale: max(0, retainStale)) ? .dead : .live(entry)
        } catch {
            return .refused(error)
        }
    }
}
