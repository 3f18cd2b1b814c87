import Core

/// Which records there are, where their rows stand and when they were matched last. Belongs to who holds the index's
/// lock; every step takes about a microsecond, whatever the number of records.
struct Ledger {
    /// A record's place. The number is used again, with another stamp.
    private struct Slot {
        var node: Node?
        var stamp: UInt32 = 0
    }

    let shape: VectorRows
    /// A partition with so many records is large.
    private let graphRows: Int
    private var slots: [Slot] = []
    private var free: [UInt32] = []
    private var keys = SplitTable<UInt32>()
    private(set) var partitions = SplitTable<Partition>()
    private var newest = Node.none
    private var oldest = Node.none
    /// Matches so far.
    private var matches: UInt64 = 0
    /// Partitions that `grow` has to look at: large ones.
    var large: [Partition] = []
    /// Graphs without a partition; to take one apart takes too long to be done under the lock.
    var discarded: [any NeighbourGraph] = []
    /// Whether somebody is inside `grow`.
    var isGrowing = false
    /// The slot at which `sweep` goes on.
    var swept = 0
    /// All memory, nearly.
    var bytes = 0
    /// What is on top of it while graphs are made anew, and does not make records give way.
    var passingBytes = 0
    var counts = SemanticIndex.Counts()

    /// Bytes of a partition beside its rows: the object, its lists, its share of the table.
    static let partitionBytes = 320

    init(_ shape: VectorRows, graphRows: Int) {
        self.shape = shape
        self.graphRows = graphRows
    }

    var count: Int { keys.count }
    var slotCount: Int { slots.count }
    var partitionCount: Int { partitions.count }
    var oldestKey: CacheKey? { oldest == Node.none ? nil : slots[Int(oldest)].node?.record.key }

    // MARK: Finding

    func node(under key: CacheKey) -> Node? { keys[key].flatMap { slots[Int($0)].node } }

    func node(at slot: Int) -> Node? { slots.indices.contains(slot) ? slots[slot].node : nil }

    /// The record whose row had this label; nil where it is gone.
    func node(labelled label: UInt64) -> Node? {
        let slot = Int(truncatingIfNeeded: label & 0xFFFF_FFFF)
        guard slots.indices.contains(slot), slots[slot].stamp == UInt32(truncatingIfNeeded: label >> 32) else {
            return nil
        }
        return slots[slot].node
    }

    // MARK: Changing

    mutating func insert(_ record: SemanticRecord) {
        remove(under: record.key)
        let partition = partitions[record.partition] ?? makePartition(record.partition)
        let slot = free.popLast() ?? appendSlot()
        slots[Int(slot)].stamp &+= 1
        let label = UInt64(slots[Int(slot)].stamp) << 32 | UInt64(slot)
        let place = partition.append(shape) { memory, row in memory.write(record.sketch, label: label, at: row) }
        let node = Node(record, label: label, partition: partition, block: place.block, row: place.row)
        slots[Int(slot)].node = node
        keys[record.key] = slot
        partition.live += 1
        bytes += place.bytes + node.bytes
        link(node, slot)
        note(partition)
    }

    @discardableResult
    mutating func remove(under key: CacheKey) -> Bool {
        guard let slot = keys[key], let node = slots[Int(slot)].node else { return false }
        unlink(node, slot)
        keys[key] = nil
        slots[Int(slot)].node = nil
        free.append(slot)
        bytes -= node.bytes
        let partition = node.partition
        partition.live -= 1
        node.block.kill(node.row)
        if partition.live == 0 {
            drop(partition)
        } else {
            partition.forget(node.label, in: node.block)
            tidy(node.block, of: partition)
        }
        return true
    }

    /// Removes a slot's record if its time is over; whether it did.
    mutating func expire(at slot: Int, now: Int64) -> Bool {
        guard let record = node(at: slot)?.record, record.facts.expiresAt <= now else { return false }
        remove(under: record.key)
        counts.expired += 1
        return true
    }

    private mutating func appendSlot() -> UInt32 {
        slots.append(Slot())
        return UInt32(slots.count - 1)
    }

    private mutating func makePartition(_ key: CacheKey) -> Partition {
        let partition = Partition(key)
        partitions[key] = partition
        bytes += Ledger.partitionBytes
        return partition
    }

    private mutating func drop(_ partition: Partition) {
        partitions[partition.key] = nil
        bytes -= Ledger.partitionBytes
        for block in partition.tail { bytes -= block.memory.byteCount }
        for part in partition.graphs {
            bytes -= part.bytes + part.blocks.reduce(0) { $0 + $1.memory.byteCount }
            discarded.append(part.graph)
        }
        if let part = partition.retiring { passingBytes -= part.bytes }
        partition.graph = nil
        partition.retiring = nil
        if partition.isListed { large.removeAll { $0 === partition } }
    }

    private mutating func note(_ partition: Partition) {
        guard !partition.isListed, partition.live >= graphRows else { return }
        partition.isListed = true
        large.append(partition)
    }

    // MARK: Blocks

    /// Gives a scanned block up once most of it is dead.
    private mutating func tidy(_ block: RowBlock, of partition: Partition) {
        guard block.part == nil, block.isFull, block.graphed == 0, block.dead * 2 > block.count else { return }
        partition.dropFromTail(block)
        bytes -= block.memory.byteCount
        rewrite(block, of: partition)
    }

    /// Writes what lives in a block at the end of its partition.
    mutating func rewrite(_ block: RowBlock, of partition: Partition) {
        let view = block.view
        for row in 0..<view.count where !view.isDead(row) {
            guard let node = node(labelled: block.memory.label(row)) else { continue }
            let place = partition.append(shape) { memory, target in memory.copy(block.memory, row, to: target) }
            bytes += place.bytes
            node.block = place.block
            node.row = place.row
        }
    }

    // MARK: Recency

    mutating func touch(_ key: CacheKey) {
        guard let slot = keys[key], slot != newest, let node = slots[Int(slot)].node else { return }
        unlink(node, slot)
        link(node, slot)
    }

    private mutating func link(_ node: Node, _ slot: UInt32) {
        matches += 1
        node.matched = matches
        node.newer = Node.none
        node.older = newest
        if newest != Node.none { slots[Int(newest)].node?.newer = slot }
        newest = slot
        if oldest == Node.none { oldest = slot }
    }

    private mutating func unlink(_ node: Node, _ slot: UInt32) {
        if node.newer == Node.none { newest = node.older } else { slots[Int(node.newer)].node?.older = node.older }
        if node.older == Node.none { oldest = node.newer } else { slots[Int(node.older)].node?.newer = node.newer }
    }
}

/// A record in the index: its vector stands in a block. Belongs to who holds the index's lock.
final class Node {
    /// Without its sketch.
    let record: SemanticRecord
    let label: UInt64
    let partition: Partition
    var block: RowBlock
    var row: Int
    /// Slots of those that were matched next after and before it.
    var newer = Node.none
    var older = Node.none
    /// Which match of all was its last one.
    var matched: UInt64 = 0
    let bytes: Int

    static let none = UInt32.max
    /// The object, its slot and its share of the table of keys.
    private static let ownBytes = 400

    init(_ record: SemanticRecord, label: UInt64, partition: Partition, block: RowBlock, row: Int) {
        var record = record
        record.sketch = .empty
        self.record = record
        self.label = label
        self.partition = partition
        self.block = block
        self.row = row
        bytes = Node.ownBytes + record.heapBytes
    }

    /// All of the record.
    var whole: SemanticRecord {
        var whole = record
        whole.sketch = block.memory.vector(row)
        return whole
    }
}
