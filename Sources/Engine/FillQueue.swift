import Core

/// Entries that wait to be written to one lower tier, oldest first, each key once. A plain value; `Fill` locks it.
struct FillQueue {
    struct Item {
        var key: CacheKey
        var entry: Entry
    }

    /// How many may wait, and how many bytes of them.
    private let mostItems: Int
    private let mostBytes: Int
    /// Places before `head` are used up; nil marks one that was given up.
    private var places: [Item?] = []
    private var head = 0
    private var index: [CacheKey: Int] = [:]
    private(set) var bytes = 0

    init(mostItems: Int, mostBytes: Int) {
        self.mostItems = max(1, mostItems)
        self.mostBytes = max(0, mostBytes)
    }

    var count: Int { index.count }

    /// How many places are held, used-up ones included.
    var placeCount: Int { places.count }

    func contains(_ key: CacheKey) -> Bool { index[key] != nil }

    /// Appends an entry, in place of an older one under its key; the entries that had to make room, or the entry itself
    /// where it is larger than all the room.
    mutating func append(_ item: Item) -> [Item] {
        remove(item.key)
        guard item.entry.byteCount <= mostBytes else { return [item] }
        var dropped: [Item] = []
        while count >= mostItems || bytes + item.entry.byteCount > mostBytes, let oldest = takeFirst() {
            dropped.append(oldest)
        }
        index[item.key] = places.count
        places.append(item)
        bytes += item.entry.byteCount
        return dropped
    }

    /// The oldest entry whose key is none of these few.
    mutating func takeFirst(unless busy: Set<CacheKey> = []) -> Item? {
        while head < places.count, places[head] == nil { head += 1 }
        for place in head..<places.count {
            guard let item = places[place], !busy.contains(item.key) else { continue }
            remove(item.key)
            return item
        }
        return nil
    }

    /// Drops the entry that waits under a key.
    mutating func remove(_ key: CacheKey) {
        guard let place = index[key], let item = places[place] else { return }
        places[place] = nil
        forget(item)
    }

    mutating func removeAll() -> Int {
        let count = count
        (places, head, index, bytes) = ([], 0, [:], 0)
        return count
    }

    private mutating func forget(_ item: Item) {
        index[item.key] = nil
        bytes -= item.entry.byteCount
        // Used-up places are given back once they are most of them: one move for each in the long run.
        guard places.count > 2 * count + 64 else { return }
        places = places.filter { $0 != nil }
        head = 0
        for (place, item) in places.enumerated() { if let item { index[item.key] = place } }
    }
}
