import Core
import Synchronization

/// An index that is made with the first vector, which may have to say how wide it is to be.
final class GrowingIndex: Sendable {
    /// nil: as the first vector is.
    private let width: Int?
    private let capacity: Int
    private let kernels: any NeighbourKernels
    private let held = Mutex<SemanticIndex?>(nil)

    init(width: Int?, capacity: Int, kernels: any NeighbourKernels) {
        self.width = width
        self.capacity = capacity
        self.kernels = kernels
    }

    /// nil before the first vector.
    var index: SemanticIndex? { held.withLock { $0 } }

    /// Whether it is known how wide vectors are.
    var isSettled: Bool { width != nil || index != nil }

    /// The index, which is made for this width if there is none and none is known.
    func made(width: Int) -> SemanticIndex {
        held.withLock { held in
            let index = held ?? SemanticIndex(width: self.width ?? width, capacity: capacity, kernels: kernels)
            held = index
            return index
        }
    }

    /// Whether it was taken.
    @discardableResult
    func insert(_ record: SemanticRecord, now: Int64) -> Bool {
        let width = record.sketch.values.count
        return width > 0 && made(width: width).insert(record, now: now)
    }

    func nearest(in partition: CacheKey, to vector: [Float], count: Int, now: Int64) -> [SemanticNeighbour] {
        index?.nearest(in: partition, to: vector, count: count, now: now) ?? []
    }

    var hasLargePartitions: Bool { index.map { $0.stats.records >= $0.graphRows } ?? false }

    func record(under key: CacheKey) -> SemanticRecord? { index?.record(under: key) }

    func remove(_ key: CacheKey) { index?.remove(key) }

    func removeAll(where isDoomed: (CacheKey, SemanticFacts) -> Bool) { index?.removeAll(where: isDoomed) }

    func sweep(now: Int64, budget: Int) { index?.sweep(now: now, budget: budget) }

    var stats: (records: Int, bytes: Int) { index.map { ($0.stats.records, $0.stats.bytes) } ?? (0, 0) }
}
