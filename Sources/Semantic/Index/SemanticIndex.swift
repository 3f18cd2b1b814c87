import Core
import Synchronization

/// Finds remembered questions that are near to a new one, each only among those of its own partition.
///
/// Small partitions are scanned, all of their vectors and exactly; large ones also have a graph, which may miss a few.
/// Memory is bounded: beyond the bound the records that were matched longest ago give way, whichever partition they are
/// of. A record is found until it expires, is removed or gives way. From any thread; the lock is held for microseconds,
/// never during a scan or a search.
package final class SemanticIndex: Sendable {
    /// What happened since the start.
    package struct Counts: Sendable, Equatable {
        package var inserted = 0
        /// Gave way to others.
        package var evicted = 0
        package var expired = 0
        /// Not taken, because they are of another width, expired or larger than a sixteenth of the capacity.
        package var refused = 0
    }

    package struct Stats: Sendable, Equatable {
        package var records: Int
        package var partitions: Int
        /// With what graphs take that are being made anew.
        package var bytes: Int
        /// Partitions that are searched by a graph.
        package var graphs: Int
        package var counts: Counts
    }

    /// Numbers in a vector.
    package let width: Int
    /// In bytes.
    package let capacity: Int
    let shape: VectorRows
    let kernels: any NeighbourKernels
    let ledger: Mutex<Ledger>

    /// A partition with so many records gets a graph.
    let graphRows: Int
    /// Rows that a search of a graph keeps in view.
    static let searchBreadth = 96
    /// Neighbours that may be asked for at once.
    package static let mostNeighbours = 64

    /// - Parameters:
    ///   - capacity: in bytes.
    ///   - graphRows: a partition with so many records gets a graph.
    package init(width: Int, capacity: Int, kernels: any NeighbourKernels, graphRows: Int = 16_384) {
        precondition(width > 0, "SemanticIndex: vectors have numbers")
        self.width = width
        self.capacity = capacity
        self.kernels = kernels
        self.graphRows = graphRows
        shape = VectorRows(width: width)
        ledger = Mutex(Ledger(shape, graphRows: graphRows))
    }

    // MARK: Records

    /// Takes a record, in the place of the one with its key; whether it did. It counts as matched just now.
    @discardableResult
    package func insert(_ record: SemanticRecord, now: Int64) -> Bool {
        let isWelcome =
            record.sketch.values.count == width && record.facts.expiresAt > now
            && record.heapBytes + shape.stride <= capacity / 16
        return ledger.withLock { ledger in
            guard isWelcome else {
                ledger.counts.refused += 1
                return false
            }
            ledger.insert(record)
            ledger.counts.inserted += 1
            makeRoom(&ledger)
            return true
        }
    }

    /// Whether there was one.
    @discardableResult
    package func remove(_ key: CacheKey) -> Bool { ledger.withLock { $0.remove(under: key) } }

    package func record(under key: CacheKey) -> SemanticRecord? {
        ledger.withLock { $0.node(under: key)?.whole }
    }

    /// Notes that an answer was taken from it: it gives way later.
    package func matched(_ key: CacheKey) { ledger.withLock { $0.touch(key) } }

    func makeRoom(_ ledger: inout Ledger) {
        while ledger.bytes - ledger.passingBytes > capacity, let key = ledger.oldestKey {
            ledger.remove(under: key)
            ledger.counts.evicted += 1
        }
    }

    // MARK: Many of them

    /// Removes the records that a purge is about; how many. Those inserted meanwhile may be missed: who inserts looks
    /// at the marks of purges after that.
    @discardableResult
    package func removeAll(where isDoomed: (CacheKey, SemanticFacts) -> Bool) -> Int {
        var removed = 0
        forEachSlot(step: 512) { ledger, slots in
            for slot in slots {
                guard let record = ledger.node(at: slot)?.record, isDoomed(record.key, record.facts) else { continue }
                ledger.remove(under: record.key)
                removed += 1
            }
        }
        return removed
    }

    /// Removes what is expired among some of the records and goes on behind them the next time; how many.
    ///
    /// - Parameter budget: places of records that are looked at, each once at most.
    @discardableResult
    package func sweep(now: Int64, budget: Int) -> Int {
        var removed = 0
        var left = min(budget, ledger.withLock { $0.slotCount })
        while left > 0 {
            left -= ledger.withLock { ledger in
                let start = ledger.swept < ledger.slotCount ? ledger.swept : 0
                let end = min(ledger.slotCount, start + min(left, 512))
                for slot in start..<end where ledger.expire(at: slot, now: now) { removed += 1 }
                ledger.swept = end
                return end - start
            }
        }
        return removed
    }

    /// Lends the ledger for some slots at a time, so that others get the lock in between.
    func forEachSlot(step: Int, _ body: (inout Ledger, Range<Int>) -> Void) {
        var next = 0
        while true {
            let isDone = ledger.withLock { ledger in
                let end = min(ledger.slotCount, next + step)
                guard next < end else { return true }
                body(&ledger, next..<end)
                next = end
                return false
            }
            if isDone { return }
        }
    }

    package var stats: Stats {
        ledger.withLock { ledger in
            Stats(
                records: ledger.count, partitions: ledger.partitionCount, bytes: ledger.bytes,
                graphs: ledger.large.count { $0.graph != nil }, counts: ledger.counts)
        }
    }
}
