import Core

/// One shard of the memory tier: everything here happens under the shard's lock.
///
/// Entries that leave are handed to the caller, in `released` or as a result, so that their memory is freed after
/// unlocking.
struct MemoryShard: ~Copyable {
    let capacity: Int
    /// How long an entry is kept beyond its lifetime, in milliseconds.
    let retainStale: Int64
    /// The largest charge that is taken.
    let largestCharge: Int
    /// What one node costs beside its entry.
    let slotBytes: Int

    var slab = NodeSlab()
    var table = KeyTable()
    var window = RecencyList()
    var probation = RecencyList()
    var protected = RecencyList()
    /// nil under plain LRU.
    var sketch: FrequencySketch?
    let segmentation: Segmentation
    var contest = Contest()
    private(set) var statistics = MemoryStatistics()
    /// Where the next incremental sweep goes on.
    private var sweepPosition: NodeIndex = 0

    init(capacity: Int, eviction: Settings.Eviction, retainStale: Int64) {
        self.capacity = capacity
        self.retainStale = retainStale
        slotBytes = MemoryShard.slotBytes(eviction)
        largestCharge = min(capacity / MemoryShard.entriesAtLeast, Int(Int32.max))
        segmentation = Segmentation(capacity: capacity, eviction: eviction)
        sketch = eviction == .tinylfu ? FrequencySketch() : nil
    }

    /// A shard has room for at least this many entries, lest one answer sweep out all the others.
    private static let entriesAtLeast = 4

    /// A node, up to two bucket heads (the table's array doubles), and the sketch's share.
    static func slotBytes(_ eviction: Settings.Eviction) -> Int {
        MemoryLayout<Node>.stride + 2 * MemoryLayout<NodeIndex>.size
            + (eviction == .tinylfu ? FrequencySketch.bytesPerSlot : 0)
    }

    /// What counts against the capacity. One idle node is free, because an insert links the newcomer before it
    /// gives up another.
    var bytes: Int { heldBytes + max(0, slab.slots - slab.used - 1) * slotBytes }

    private var isSegmented: Bool { segmentation.window > 0 }

    private var heldBytes: Int { window.bytes + probation.bytes + protected.bytes }

    var snapshot: MemoryStatistics {
        var snapshot = statistics
        snapshot.entries = slab.used
        snapshot.bytes = bytes
        return snapshot
    }

    // MARK: Looking up

    struct Lookup {
        var found: Entry?
        var released: Entry?
    }

    mutating func lookup(_ key: CacheKey, now: Int64) -> Lookup {
        sketch?.increment(key, entries: slab.used)
        let index = table.find(key, in: slab)
        guard index != Node.none, let entry = slab[index].pointee.entry else { return Lookup() }
        if isDead(entry, now: now) { return Lookup(released: evict(index, .expired)) }
        touch(index)
        return Lookup(found: entry)
    }

    /// Looks without leaving a trace in the order or the frequencies.
    func peek(_ key: CacheKey, now: Int64) -> Entry? {
        let index = table.find(key, in: slab)
        guard index != Node.none, let entry = slab[index].pointee.entry else { return nil }
        return isDead(entry, now: now) ? nil : entry
    }

    func isDead(_ entry: Entry, now: Int64) -> Bool { entry.facts.isDead(now: now, retainStale: retainStale) }

    func isDead(_ index: NodeIndex, now: Int64) -> Bool {
        slab[index].pointee.entry.map { isDead($0, now: now) } ?? true
    }

    // MARK: Inserting

    mutating func insert(
        _ entry: Entry, under key: CacheKey, now: Int64, released: inout [Entry]
    ) -> InsertOutcome {
        let charge = entry.byteCount + slotBytes
        let held = table.find(key, in: slab)
        if charge > largestCharge || isDead(entry, now: now) {
            if held != Node.none, let old = evict(held, .replaced) { released.append(old) }
            return .refused(charge > largestCharge ? .tooLarge : .expired)
        }
        if held != Node.none {
            replace(held, with: entry, charge: charge, released: &released)
            _ = makeRoom(now: now, newcomer: Node.none, released: &released)
            return .replaced
        }
        guard slab.used < NodeSlab.maximumSlots else { return .refused(.tooLarge) }
        let index = slab.allocate(
            Node(
                key: key, entry: entry, charge: UInt32(charge), newer: Node.none, older: Node.none,
                chain: Node.none, segment: .probation))
        table.link(index, in: slab)
        enlist(index)
        let stays = makeRoom(now: now, newcomer: index, released: &released)
        return stays ? .stored : .refused(.admission)
    }

    private mutating func replace(
        _ index: NodeIndex, with entry: Entry, charge: Int, released: inout [Entry]
    ) {
        let node = slab[index]
        let difference = charge - Int(node.pointee.charge)
        if let old = node.pointee.entry { released.append(old) }
        node.pointee.entry = entry
        withList(node.pointee.segment) { $0.recharge(by: difference) }
        node.pointee.charge = UInt32(charge)
        statistics.count(.replaced)
        touch(index)
    }

    /// Puts a new node into the list where its policy starts.
    private mutating func enlist(_ index: NodeIndex) {
        if isSegmented { enlistInWindow(index) } else { probation.pushNewest(index, in: slab) }
    }

    /// Notes that a node was used.
    private mutating func touch(_ index: NodeIndex) {
        if isSegmented { touchSegmented(index) } else { probation.moveToNewest(index, in: slab) }
    }

    /// Gives up entries until the shard is within its capacity; false if the newcomer was among them.
    private mutating func makeRoom(now: Int64, newcomer: NodeIndex, released: inout [Entry]) -> Bool {
        let stays = !isSegmented || settleWindow(now: now, newcomer: newcomer, released: &released)
        while bytes > capacity {
            let victim = oldestOfMainSpace ?? window.oldest
            guard victim != Node.none else { break }
            give(victim, .capacity, now: now, to: &released)
        }
        return stays
    }

    var oldestOfMainSpace: NodeIndex? {
        guard probation.isEmpty else { return probation.oldest }
        return protected.isEmpty ? nil : protected.oldest
    }

    /// Evicts for a reason, or as expired where that is the truer one.
    mutating func give(_ index: NodeIndex, _ reason: EvictionReason, now: Int64, to released: inout [Entry]) {
        if let entry = evict(index, isDead(index, now: now) ? .expired : reason) { released.append(entry) }
    }

    // MARK: Removing

    mutating func remove(_ key: CacheKey) -> Entry? {
        let index = table.find(key, in: slab)
        return index == Node.none ? nil : evict(index, .purged)
    }

    /// Removes a node if it still holds this very entry.
    mutating func remove(_ key: CacheKey, holding entry: Entry) -> Entry? {
        let index = table.find(key, in: slab)
        guard index != Node.none, slab[index].pointee.entry?.isIdentical(to: entry) == true else { return nil }
        return evict(index, .purged)
    }

    mutating func evict(_ index: NodeIndex, _ reason: EvictionReason) -> Entry? {
        table.unlink(index, in: slab)
        delist(index)
        statistics.count(reason)
        return slab.release(index)
    }

    /// Takes a node out of its list.
    mutating func delist(_ index: NodeIndex) {
        switch slab[index].pointee.segment {
        case .window: window.remove(index, in: slab)
        case .probation: probation.remove(index, in: slab)
        case .protected: protected.remove(index, in: slab)
        }
    }

    private mutating func withList(_ segment: Segment, _ change: (inout RecencyList) -> Void) {
        switch segment {
        case .window: change(&window)
        case .probation: change(&probation)
        case .protected: change(&protected)
        }
    }

    // MARK: Walking

    /// Looks at up to `budget` nodes, going on where the last sweep stopped, and removes the dead ones. Returns how
    /// many nodes there are.
    mutating func sweep(now: Int64, budget: Int, released: inout [Entry]) -> Int {
        for _ in 0..<min(budget, slab.slots) {
            if Int(sweepPosition) >= slab.slots { sweepPosition = 0 }
            let index = sweepPosition
            sweepPosition += 1
            guard let entry = slab[index].pointee.entry, isDead(entry, now: now) else { continue }
            if let dead = evict(index, .expired) { released.append(dead) }
        }
        return slab.slots
    }

    /// Appends what the nodes from `start` on hold, `count` nodes at most; nil when there are no more.
    func collect(from start: Int, count: Int, into found: inout [(key: CacheKey, entry: Entry)]) -> Int? {
        let end = min(start + count, slab.slots)
        guard start < end else { return nil }
        for index in start..<end {
            let node = slab[NodeIndex(index)]
            if let entry = node.pointee.entry { found.append((node.pointee.key, entry)) }
        }
        return end
    }

    /// The keys that this shard would give up last, up to `limit`.
    func hottest(_ limit: Int) -> [CacheKey] {
        var keys: [CacheKey] = []
        for newest in [protected.newest, window.newest, probation.newest] {
            var index = newest
            while index != Node.none, keys.count < limit {
                keys.append(slab[index].pointee.key)
                index = slab[index].pointee.older
            }
        }
        return keys
    }
}
