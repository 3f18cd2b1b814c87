import Core
import Synchronization

extension SemanticIndex {
    /// The records of a partition that are nearest to a vector of length one, nearest first, and never another
    /// partition's.
    ///
    /// - Parameters:
    ///   - count: at most `mostNeighbours`.
    ///   - now: what has expired by then is not found; milliseconds since 1970.
    package func nearest(
        in partition: CacheKey, to vector: [Float], count: Int, now: Int64
    ) -> [SemanticNeighbour] {
        guard vector.count == width, count > 0 else { return [] }
        let count = min(count, SemanticIndex.mostNeighbours)
        guard let view = ledger.withLock({ $0.partitions[partition]?.view() }) else { return [] }
        // Some more than asked for: bytes say a little less than numbers, and records may be gone in a moment.
        let labels = candidates(view, QuantizedVector(vector), count + 8)
        let found = ledger.withLock { ledger in
            labels.compactMap { label in resolve(label, in: partition, to: vector, now: now, &ledger) }
        }
        return Array(found.sorted { $0.similarity > $1.similarity }.prefix(count))
    }

    private func resolve(
        _ label: UInt64, in partition: CacheKey, to vector: [Float], now: Int64, _ ledger: inout Ledger
    ) -> SemanticNeighbour? {
        // A row that another record has taken over since carries another stamp.
        guard let node = ledger.node(labelled: label), node.partition.key == partition else { return nil }
        if ledger.expire(at: Int(label & 0xFFFF_FFFF), now: now) { return nil }
        return SemanticNeighbour(record: node.whole, similarity: node.block.memory.cosine(node.row, with: vector))
    }

    private func candidates(_ view: Partition.View, _ vector: QuantizedVector, _ count: Int) -> [UInt64] {
        withUnsafeTemporaryAllocation(byteCount: shape.stride, alignment: 16) { query in
            // A stride is at least 80 bytes, so there is an address.
            guard let start = query.baseAddress else { return [] }
            RowMemory.write(vector, label: 0, shape, to: start)
            var best = BestHits(count)
            for block in view.blocks { scan(block, UnsafeRawPointer(start), &best) }
            for (graph, removals) in view.graphs {
                graph.remove(removals)
                let breadth = max(SemanticIndex.searchBreadth, count)
                for hit in graph.search(UnsafeRawPointer(start), count: count, breadth: breadth) { best.offer(hit) }
            }
            return best.hits.map(\.label)
        }
    }

    private func scan(_ block: RowBlock.View, _ query: UnsafeRawPointer, _ best: inout BestHits) {
        withUnsafeTemporaryAllocation(of: Float.self, capacity: RowBlock.mostRows) { products in
            // There is room for 1024 numbers, so there is an address.
            guard let target = products.baseAddress else { return }
            kernels.products(of: block.memory.row(0), count: block.count, shape: shape, with: query, into: target)
            for row in 0..<block.count where target[row] > best.floor && !block.isDead(row) {
                best.offer(NeighbourHit(label: block.memory.label(row), product: target[row]))
            }
        }
    }
}

/// The greatest of the hits that were offered, each label once.
struct BestHits {
    private let count: Int
    /// Greatest first.
    private(set) var hits: [NeighbourHit] = []
    /// What is no greater than this is none of them.
    private(set) var floor = -Float.infinity

    init(_ count: Int) {
        self.count = count
        hits.reserveCapacity(count + 1)
    }

    mutating func offer(_ hit: NeighbourHit) {
        guard hit.product > floor, !hits.contains(where: { $0.label == hit.label }) else { return }
        let place = hits.firstIndex { $0.product < hit.product } ?? hits.count
        hits.insert(hit, at: place)
        guard hits.count > count else { return }
        hits.removeLast()
        floor = hits[count - 1].product
    }
}
