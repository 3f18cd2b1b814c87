import Core

/// A hash table of node indices, chained through the nodes.
///
/// It grows by linear hashing (Litwin, "Linear hashing: a new tool for file and table addressing", VLDB 1980):
/// each entry beyond one a bucket splits one bucket, so that no insert pays for a whole rehash.
struct KeyTable: ~Copyable {
    private var heads: [NodeIndex]
    /// The bits that address the buckets of the doubling under way.
    private var mask: UInt64

    private static let initialBuckets = 16

    init() {
        heads = Array(repeating: Node.none, count: KeyTable.initialBuckets)
        mask = UInt64(KeyTable.initialBuckets - 1)
    }

    var bucketCount: Int { heads.count }

    @inline(__always)
    func head(of bucket: Int) -> NodeIndex { heads[bucket] }

    /// A digest is uniform already, so its first word needs no further hashing.
    @inline(__always)
    func bucket(of key: CacheKey) -> Int {
        let wide = Int(truncatingIfNeeded: key.word0 & mask)
        return wide < heads.count ? wide : Int(truncatingIfNeeded: key.word0 & (mask >> 1))
    }

    @inline(__always)
    func find(_ key: CacheKey, in slab: borrowing NodeSlab) -> NodeIndex {
        var index = heads[bucket(of: key)]
        while index != Node.none {
            let node = slab[index]
            if KeyTable.same(node.pointee.key, key) { return index }
            index = node.pointee.chain
        }
        return Node.none
    }

    /// Equality spelled out, because the synthesised one of another module is reached through a witness table.
    @inline(__always)
    private static func same(_ a: CacheKey, _ b: CacheKey) -> Bool {
        (a.word0 ^ b.word0) | (a.word1 ^ b.word1) | (a.word2 ^ b.word2) | (a.word3 ^ b.word3) == 0
    }

    mutating func link(_ index: NodeIndex, in slab: borrowing NodeSlab) {
        let bucket = bucket(of: slab[index].pointee.key)
        slab[index].pointee.chain = heads[bucket]
        heads[bucket] = index
        if slab.used > heads.count { split(in: slab) }
    }

    mutating func unlink(_ index: NodeIndex, in slab: borrowing NodeSlab) {
        let next = slab[index].pointee.chain
        let bucket = bucket(of: slab[index].pointee.key)
        guard heads[bucket] != index else {
            heads[bucket] = next
            return
        }
        var before = heads[bucket]
        while slab[before].pointee.chain != index { before = slab[before].pointee.chain }
        slab[before].pointee.chain = next
    }

    /// Adds one bucket and moves to it the nodes that belong there now.
    private mutating func split(in slab: borrowing NodeSlab) {
        let added = heads.count
        if UInt64(added) > mask { mask = mask << 1 | 1 }
        let source = added & Int(mask >> 1)
        var index = heads[source]
        var kept = Node.none
        var moved = Node.none
        while index != Node.none {
            let node = slab[index]
            let next = node.pointee.chain
            if Int(truncatingIfNeeded: node.pointee.key.word0 & mask) == added {
                node.pointee.chain = moved
                moved = index
            } else {
                node.pointee.chain = kept
                kept = index
            }
            index = next
        }
        heads[source] = kept
        heads.append(moved)
    }
}
