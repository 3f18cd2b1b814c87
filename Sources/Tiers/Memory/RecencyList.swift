/// A doubly linked list of nodes, from the most to the least recently used.
struct RecencyList {
    private(set) var newest = Node.none
    private(set) var oldest = Node.none
    /// The charges of its nodes together.
    private(set) var bytes = 0

    var isEmpty: Bool { newest == Node.none }

    mutating func pushNewest(_ index: NodeIndex, in slab: borrowing NodeSlab) {
        let node = slab[index]
        bytes += Int(node.pointee.charge)
        node.pointee.newer = Node.none
        node.pointee.older = newest
        if newest == Node.none { oldest = index } else { slab[newest].pointee.newer = index }
        newest = index
    }

    mutating func pushOldest(_ index: NodeIndex, in slab: borrowing NodeSlab) {
        let node = slab[index]
        bytes += Int(node.pointee.charge)
        node.pointee.older = Node.none
        node.pointee.newer = oldest
        if oldest == Node.none { newest = index } else { slab[oldest].pointee.older = index }
        oldest = index
    }

    mutating func remove(_ index: NodeIndex, in slab: borrowing NodeSlab) {
        let node = slab[index]
        bytes -= Int(node.pointee.charge)
        let (newer, older) = (node.pointee.newer, node.pointee.older)
        if newer == Node.none { newest = older } else { slab[newer].pointee.older = older }
        if older == Node.none { oldest = newer } else { slab[older].pointee.newer = newer }
    }

    mutating func moveToNewest(_ index: NodeIndex, in slab: borrowing NodeSlab) {
        guard newest != index else { return }
        remove(index, in: slab)
        pushNewest(index, in: slab)
    }

    /// The charge of one of its nodes changed by so many bytes.
    mutating func recharge(by difference: Int) { bytes += difference }
}
