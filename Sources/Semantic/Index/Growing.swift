import Core
import Synchronization

extension SemanticIndex {
    /// Something to be done for a graph outside the lock.
    private enum Step {
        case make(partition: CacheKey, capacity: Int)
        case add(Addition)
        case forget([UInt64], by: any NeighbourGraph)
        case discard([any NeighbourGraph])
    }

    /// Rows of a block that are to come into their partition's graph.
    private struct Addition: Sendable {
        var partition: CacheKey
        var graph: any NeighbourGraph
        var block: RowBlock.View
        var rows: Range<Int>
    }

    /// Takes rows of large partitions into graphs, and replaces graphs that have too many dead ones; whether more is
    /// left to do. Takes up to a millisecond a row: for a thread that may be busy. One call works at a time, others
    /// return at once. Until a row is in a graph it is scanned.
    package func grow(rows: Int) -> Bool {
        let isFirst = ledger.withLock { ledger in
            defer { ledger.isGrowing = true }
            return !ledger.isGrowing
        }
        guard isFirst else { return false }
        defer { ledger.withLock { $0.isGrowing = false } }
        var left = rows
        while left > 0 {
            guard let step = ledger.withLock({ next(&$0, rows: left) }) else { return false }
            switch step {
            case .discard: left -= 1
            case .forget(let labels, let graph):
                left -= 1
                graph.remove(labels)
            case .make(let partition, let capacity):
                left -= 1
                // Without memory all is scanned as before.
                guard let graph = kernels.graph(shape, capacity: capacity) else { return false }
                ledger.withLock { adopt(graph, partition, &$0) }
            case .add(let addition):
                left -= addition.rows.count
                guard add(addition) else { return false }
            }
        }
        return true
    }

    private static let removalsOfStep = 1024

    private func next(_ ledger: inout Ledger, rows: Int) -> Step? {
        if !ledger.discarded.isEmpty {
            defer { ledger.discarded.removeAll() }
            return .discard(ledger.discarded)
        }
        for partition in ledger.large {
            if let step = next(partition, &ledger, rows: rows) { return step }
        }
        return nil
    }

    private func next(_ partition: Partition, _ ledger: inout Ledger, rows: Int) -> Step? {
        if let part = partition.graph, partition.retiring == nil, part.dead * 3 > part.rows {
            partition.retiring = part
            partition.graph = nil
            ledger.passingBytes += part.bytes
        }
        if let part = partition.graphs.first(where: { !$0.removals.isEmpty }) {
            return .forget(part.takeRemovals(SemanticIndex.removalsOfStep), by: part.graph)
        }
        let enough = partition.retiring == nil ? graphRows : graphRows / 2
        guard let part = partition.graph else {
            if partition.live >= enough { return .make(partition: partition.key, capacity: partition.live * 5 / 4) }
            return retire(partition, &ledger)
        }
        guard let block = partition.tail.first(where: \.isFull) else { return retire(partition, &ledger) }
        let end = min(block.count, block.graphed + rows)
        return .add(
            Addition(partition: partition.key, graph: part.graph, block: block.view, rows: block.graphed..<end))
    }

    /// Writes a block of the retiring graph anew, or ends the graph when there are none.
    private func retire(_ partition: Partition, _ ledger: inout Ledger) -> Step? {
        guard let part = partition.retiring else { return nil }
        guard let block = part.blocks.popLast() else {
            partition.retiring = nil
            ledger.bytes -= part.bytes
            ledger.passingBytes -= part.bytes
            return .discard([part.graph])
        }
        // The old graph still reads it.
        part.bytes += block.memory.byteCount
        ledger.passingBytes += block.memory.byteCount
        ledger.rewrite(block, of: partition)
        return .discard([])
    }

    private func adopt(_ graph: any NeighbourGraph, _ key: CacheKey, _ ledger: inout Ledger) {
        guard let partition = ledger.partitions[key], partition.graph == nil else { return }
        let part = GraphPart(graph)
        partition.graph = part
        ledger.bytes += part.bytes
    }

    private func add(_ addition: Addition) -> Bool {
        let memory = addition.block.memory
        var isWhole = true
        for row in addition.rows where isWhole && !addition.block.isDead(row) {
            isWhole = addition.graph.add(memory.row(row), label: memory.label(row), owner: memory)
        }
        let bytes = addition.graph.bytes
        ledger.withLock { settle(addition, isWhole: isWhole, bytes: bytes, &$0) }
        return isWhole
    }

    private func settle(_ addition: Addition, isWhole: Bool, bytes: Int, _ ledger: inout Ledger) {
        guard let partition = ledger.partitions[addition.partition], let part = partition.graph,
            part.graph === addition.graph
        else { return }
        ledger.bytes += bytes - part.bytes
        part.bytes = bytes
        if !isWhole {
            ledger.bytes -= part.bytes
            partition.returnToTail(part.blocks)
            partition.graph = nil
            ledger.discarded.append(part.graph)
        } else if let block = partition.tail.first(where: { $0.memory === addition.block.memory }) {
            block.graphed = addition.rows.upperBound
            if block.graphed == block.count {
                partition.dropFromTail(block)
                block.part = part
                part.blocks.append(block)
                part.dead += block.dead
            }
        }
        makeRoom(&ledger)
    }
}
