import Core

/// The rows of one partition: blocks that are scanned, and graphs for those of a large one. Belongs to who holds the
/// index's lock.
///
/// Records come into the scanned blocks. Full blocks of a large partition are taken into its graph by
/// `SemanticIndex.grow`. Rows are only marked when their record is gone; a block with many of them is given up, and what
/// lives in it is written anew at the end. A graph with many of them retires: its blocks are written anew one by one and
/// go into the next graph; until that is done both are searched.
final class Partition {
    let key: CacheKey
    var live = 0
    /// Scanned, oldest first; the last one takes new rows.
    private(set) var tail: [RowBlock] = []
    var graph: GraphPart?
    var retiring: GraphPart?
    /// Whether it is on the list of those that `grow` looks at.
    var isListed = false

    init(_ key: CacheKey) { self.key = key }

    var graphs: [GraphPart] { [graph, retiring].compactMap { $0 } }

    /// Writes a row at the end, in a new block where the last one is full; says where, and what memory that took.
    func append(_ shape: VectorRows, _ write: (RowMemory, Int) -> Void) -> (block: RowBlock, row: Int, bytes: Int) {
        var bytes = 0
        if tail.last.map(\.isFull) ?? true {
            let memory = RowMemory(shape, capacity: min(RowBlock.mostRows, max(1, live)))
            tail.append(RowBlock(memory))
            bytes = memory.byteCount
        }
        let block = tail[tail.count - 1]
        let row = block.append { write(block.memory, $0) }
        return (block, row, bytes)
    }

    func dropFromTail(_ block: RowBlock) {
        tail.removeAll { $0 === block }
    }

    /// Blocks are scanned again that were a graph's.
    func returnToTail(_ blocks: [RowBlock]) {
        for block in blocks {
            block.part = nil
            block.graphed = 0
        }
        tail.insert(contentsOf: blocks, at: 0)
    }

    /// Searches are to pass over a row that is dead.
    func forget(_ label: UInt64, in block: RowBlock) {
        for part in graphs { part.removals.append(label) }
        block.part?.dead += 1
    }

    /// What a search needs of it. Some of the rows that died lately are handed over with it.
    func view() -> View {
        View(
            graphs: graphs.map { part in (part.graph, part.takeRemovals(Partition.removalsOfSearch)) },
            blocks: tail.map(\.view))
    }

    /// Labels that one search takes out of a graph; a purge may leave far more, which `SemanticIndex.grow` sees to.
    private static let removalsOfSearch = 128

    struct View: Sendable {
        var graphs: [(graph: any NeighbourGraph, removals: [UInt64])]
        var blocks: [RowBlock.View]
    }
}

/// A graph and the blocks it was made of. Belongs to who holds the index's lock.
final class GraphPart {
    let graph: any NeighbourGraph
    var blocks: [RowBlock] = []
    /// Of the rows of its blocks.
    var dead = 0
    /// Labels of dead rows that the graph does not know of yet.
    var removals: [UInt64] = []
    /// Of the graph, and of blocks that were written anew while it is still searched.
    var bytes: Int

    init(_ graph: any NeighbourGraph) {
        self.graph = graph
        bytes = graph.bytes
    }

    func takeRemovals(_ count: Int) -> [UInt64] {
        defer { removals.removeLast(min(count, removals.count)) }
        return removals.suffix(count)
    }

    var rows: Int { blocks.reduce(0) { $0 + $1.count } }
}
