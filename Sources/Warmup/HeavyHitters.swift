import Core

/// Where the first line of a prompt stands, so that no body has to be held in memory.
package struct LineLocation: Sendable, Hashable {
    /// The place of its file among those read.
    package var source: UInt16
    package var length: UInt32
    package var offset: Int

    /// Lines of sources that cannot be read twice stand in a file of our own.
    package static let spool: UInt16 = .max

    package init(source: UInt16, offset: Int, length: UInt32) {
        self.source = source
        self.offset = offset
        self.length = length
    }
}

/// The most frequent keys of a stream, in memory for a fixed number of counters.
///
/// Space-Saving (Metwally, Agrawal and El Abbadi, "Efficient computation of frequent and top-k elements in data
/// streams", ICDT 2005) with the batched eviction of Anderson et al. ("A high-performance algorithm for identifying
/// frequent items in data streams", IMC 2017): when all counters are taken, those in the lower half are dropped at
/// once, so an addition costs constant time on average and no heap is kept. A key that comes (back) later starts with
/// the largest dropped bound as its possible error. So for every key: weight ≤ true weight ≤ weight + error, and
/// before the first eviction all counts are exact.
package struct HeavyHitters: Sendable {
    package struct Counter: Sendable {
        package let key: CacheKey
        package let dialect: Dialect
        /// Weight since the key is held, which its true weight is never below.
        package fileprivate(set) var weight: Double
        /// What may have been missed before.
        package fileprivate(set) var error: Double
        /// Requests since the key is held.
        package fileprivate(set) var count: Int
        package fileprivate(set) var sample: LineLocation?
    }

    package let capacity: Int
    package private(set) var counters: [Counter] = []
    /// The bound on the weight of every key that is not held.
    package private(set) var floor = 0.0
    /// How often a counter was taken for a key: the number of different keys as long as `isExact`, else a bound on it.
    package private(set) var insertions = 0
    /// Open addressing with linear probing: an index into `counters`, −1 for none.
    private var table: [Int32]

    package private(set) var isExact = true

    /// `capacity` from 2 to 2²⁴.
    package init(capacity: Int) {
        precondition((2...1 << 24).contains(capacity), "HeavyHitters: capacity is out of range")
        self.capacity = capacity
        var size = 16
        while size < capacity * 2 { size *= 2 }
        table = Array(repeating: -1, count: size)
    }

    /// Adds to a key. `sample` is asked for with the key's count while the key has no location yet.
    package mutating func add(
        _ key: CacheKey, _ dialect: Dialect, weight: Double, count: Int, sample: (_ count: Int) -> LineLocation?
    ) {
        var slot = slot(of: key)
        if table[slot] < 0 {
            if counters.count == capacity {
                evict()
                slot = self.slot(of: key)
            }
            table[slot] = Int32(counters.count)
            counters.append(Counter(key: key, dialect: dialect, weight: 0, error: floor, count: 0))
            insertions += 1
        }
        let index = Int(table[slot])
        counters[index].weight += weight
        counters[index].count += count
        if counters[index].sample == nil { counters[index].sample = sample(counters[index].count) }
    }

    /// Multiplies all weights, for decay with a moving landmark.
    package mutating func scale(by factor: Double) {
        for index in counters.indices {
            counters[index].weight *= factor
            counters[index].error *= factor
        }
        floor *= factor
    }

    /// The heaviest first; of equal ones, the one that stands earlier in the logs, so that equal logs give equal plans.
    package func ranked() -> [Counter] {
        counters.sorted { a, b in
            if a.weight != b.weight { return a.weight > b.weight }
            if a.count != b.count { return a.count > b.count }
            return (a.key.word0, a.key.word1) < (b.key.word0, b.key.word1)
        }
    }

    private func slot(of key: CacheKey) -> Int {
        var slot = Int(truncatingIfNeeded: key.word0) & (table.count - 1)
        while table[slot] >= 0, counters[Int(table[slot])].key != key { slot = (slot + 1) & (table.count - 1) }
        return slot
    }

    /// Drops at least half of the counters: those whose bound is at most the median bound.
    private mutating func evict() {
        var bounds = counters.map { $0.weight + $0.error }
        isExact = false
        floor = max(floor, quickselect(&bounds, bounds.count / 2))
        let threshold = floor
        counters.removeAll { $0.weight + $0.error <= threshold }
        for index in table.indices { table[index] = -1 }
        for index in counters.indices { table[slot(of: counters[index].key)] = Int32(index) }
    }
}

/// The element that would stand at `rank` if they were sorted; Hoare's selection (CACM 1961), expected linear time.
func quickselect(_ values: inout [Double], _ rank: Int) -> Double {
    var low = 0
    var high = values.count - 1
    while low < high {
        // The median of three, against lists that are sorted already.
        let middle = (low + high) / 2
        let pivot = max(min(values[low], values[high]), min(max(values[low], values[high]), values[middle]))
        var i = low
        var j = high
        while i <= j {
            while values[i] < pivot { i += 1 }
            while values[j] > pivot { j -= 1 }
            if i <= j {
                values.swapAt(i, j)
                i += 1
                j -= 1
            }
        }
        if rank <= j { high = j } else if rank >= i { low = i } else { break }
    }
    return values[rank]
}
