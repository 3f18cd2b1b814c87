import Core

/// A place in the slab; `none` ends every chain.
typealias NodeIndex = Int32

/// One held entry with its links: 64 bytes, one cache line.
struct Node {
    var key: CacheKey
    /// nil while the node is on the free list.
    var entry: Entry?
    /// What it counts against the capacity, in bytes.
    var charge: UInt32
    var newer: NodeIndex
    var older: NodeIndex
    /// The next node of the same bucket, or of the free list.
    var chain: NodeIndex
    var segment: Segment

    static let none: NodeIndex = -1
}

/// The recency list that a node stands in. Plain LRU uses `probation` alone.
enum Segment: UInt8, CaseIterable {
    /// Newcomers, whose frequency is not known yet.
    case window
    /// Asked for at most once since it left the window.
    case probation
    /// Asked for again since.
    case protected
}

/// All nodes of one shard. Pages are added and never moved, so growth costs no copy while the shard is locked.
struct NodeSlab: ~Copyable {
    private var pages: [UnsafeMutablePointer<Node>] = []
    private var free = Node.none
    /// How many nodes were ever in use at once; their memory is kept.
    private(set) var slots = 0
    private(set) var used = 0

    private static let pageShift = 8
    private static let pageCount = 1 << pageShift
    /// Indices are 32 bits wide.
    static let maximumSlots = Int(NodeIndex.max)

    deinit {
        for index in 0..<slots { self[NodeIndex(index)].deinitialize(count: 1) }
        for page in pages { page.deallocate() }
    }

    @inline(__always)
    subscript(index: NodeIndex) -> UnsafeMutablePointer<Node> {
        pages[Int(index) >> NodeSlab.pageShift] + (Int(index) & (NodeSlab.pageCount - 1))
    }

    mutating func allocate(_ node: consuming Node) -> NodeIndex {
        used += 1
        guard free == Node.none else {
            let index = free
            free = self[index].pointee.chain
            self[index].pointee = node
            return index
        }
        if slots == pages.count << NodeSlab.pageShift { pages.append(.allocate(capacity: NodeSlab.pageCount)) }
        let index = NodeIndex(slots)
        slots += 1
        self[index].initialize(to: node)
        return index
    }

    /// Returns the entry, so that the caller can let go of it after unlocking.
    mutating func release(_ index: NodeIndex) -> Entry? {
        used -= 1
        let entry = self[index].pointee.entry.take()
        self[index].pointee.chain = free
        free = index
        return entry
    }
}
