import Core

/// How often a key was asked for lately, for every key and not only for those that are held.
///
/// A count-min sketch of 4-bit counters behind a doorkeeper, aged by halving (Einziger, Friedman, Manes, "TinyLFU:
/// A Highly Efficient Cache Admission Policy", ACM Transactions on Storage 13(4), 2017). A key touches one block of
/// 64 bytes, hence one cache line: four rows of sixteen counters, then 256 bits of doorkeeper.
struct FrequencySketch: ~Copyable {
    private var words: UnsafeMutablePointer<UInt64>
    private var blockMask: UInt64
    private var additions = 0

    private static let wordsPerBlock = 8
    private static let rows = 4
    private static let slotsPerBlock = 4
    private static let initialBlocks = 64
    private static let counterLimit: UInt64 = 15
    /// Counters are halved after this many additions an entry held. Development traces favoured a long memory:
    /// 10 as in the paper costs .004 to .01 of hit rate against 40.
    private static let additionsPerEntry = 40
    /// The most that one held entry adds to the memory of the sketch, right after it doubled.
    static let bytesPerSlot = 2 * wordsPerBlock * MemoryLayout<UInt64>.size / slotsPerBlock

    init() {
        words = FrequencySketch.allocate(blocks: FrequencySketch.initialBlocks)
        words.initialize(repeating: 0, count: FrequencySketch.initialBlocks * FrequencySketch.wordsPerBlock)
        blockMask = UInt64(FrequencySketch.initialBlocks - 1)
    }

    deinit { UnsafeMutableRawPointer(words).deallocate() }

    /// 0 for a key that was not seen lately, 16 at most.
    func estimate(_ key: CacheKey) -> Int {
        let block = block(of: key)
        var least = FrequencySketch.counterLimit
        for row in 0..<FrequencySketch.rows { least = min(least, counter(row, of: key, in: block)) }
        return Int(least) + (isKnown(key, in: block) ? 1 : 0)
    }

    /// Counts one request; `entries` is how many entries are held, which sets the pace of ageing.
    mutating func increment(_ key: CacheKey, entries: Int) {
        let block = block(of: key)
        if isKnown(key, in: block) {
            raise(key, in: block)
        } else {
            let (first, second) = doorkeeperBits(of: key)
            block[FrequencySketch.rows + first >> 6] |= 1 << UInt64(first & 63)
            block[FrequencySketch.rows + second >> 6] |= 1 << UInt64(second & 63)
        }
        additions += 1
        if additions >= FrequencySketch.additionsPerEntry * max(entries, FrequencySketch.slotsPerBlock) { age() }
    }

    /// Doubles the sketch until it has room for so many entries. Both halves start with what was known, so no
    /// estimate falls.
    mutating func reserve(slots: Int) {
        while Int(blockMask + 1) * FrequencySketch.slotsPerBlock < slots {
            let blocks = Int(blockMask + 1)
            let count = blocks * FrequencySketch.wordsPerBlock
            let doubled = FrequencySketch.allocate(blocks: 2 * blocks)
            doubled.initialize(from: words, count: count)
            (doubled + count).initialize(from: words, count: count)
            UnsafeMutableRawPointer(words).deallocate()
            words = doubled
            blockMask = blockMask << 1 | 1
        }
    }

    /// Raises only the counters that hold the minimum, which keeps the error of the others small.
    private func raise(_ key: CacheKey, in block: UnsafeMutablePointer<UInt64>) {
        var least = FrequencySketch.counterLimit
        for row in 0..<FrequencySketch.rows { least = min(least, counter(row, of: key, in: block)) }
        guard least < FrequencySketch.counterLimit else { return }
        for row in 0..<FrequencySketch.rows where counter(row, of: key, in: block) == least {
            block[row] += 1 << shift(row, of: key)
        }
    }

    private mutating func age() {
        let lowBits: UInt64 = 0x7777_7777_7777_7777
        for block in 0...Int(blockMask) {
            let base = words + block * FrequencySketch.wordsPerBlock
            for word in 0..<FrequencySketch.rows { base[word] = base[word] >> 1 & lowBits }
            for word in FrequencySketch.rows..<FrequencySketch.wordsPerBlock { base[word] = 0 }
        }
        additions /= 2
    }

    // Shards and buckets are chosen by the first two words of a key, blocks and counters by the other two.

    private func block(of key: CacheKey) -> UnsafeMutablePointer<UInt64> {
        words + Int(key.word2 & blockMask) * FrequencySketch.wordsPerBlock
    }

    private func shift(_ row: Int, of key: CacheKey) -> UInt64 { (key.word3 >> UInt64(4 * row) & 15) * 4 }

    private func counter(_ row: Int, of key: CacheKey, in block: UnsafeMutablePointer<UInt64>) -> UInt64 {
        block[row] >> shift(row, of: key) & FrequencySketch.counterLimit
    }

    private func doorkeeperBits(of key: CacheKey) -> (first: Int, second: Int) {
        (Int(key.word3 >> 16 & 255), Int(key.word3 >> 24 & 255))
    }

    private func isKnown(_ key: CacheKey, in block: UnsafeMutablePointer<UInt64>) -> Bool {
        let (first, second) = doorkeeperBits(of: key)
        return block[FrequencySketch.rows + first >> 6] >> UInt64(first & 63) & 1 == 1
            && block[FrequencySketch.rows + second >> 6] >> UInt64(second & 63) & 1 == 1
    }

    private static func allocate(blocks: Int) -> UnsafeMutablePointer<UInt64> {
        let bytes = blocks * wordsPerBlock * MemoryLayout<UInt64>.size
        return UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
            .bindMemory(to: UInt64.self, capacity: blocks * wordsPerBlock)
    }
}
