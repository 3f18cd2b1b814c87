import Core

/// A 128-bit hash of bytes, by folded multiplications as in wyhash (Wang Yi, 2019). Against accident only: two lines
/// with one hash would count as one, and what is asked in the end is read from the log again.
struct LineHash: Hashable {
    var high: UInt64
    var low: UInt64

    private static let primes: (UInt64, UInt64, UInt64, UInt64) = (
        0xA076_1D64_78BD_642F, 0xE703_7ED1_A0B4_28DB, 0x8EBC_6AF0_9C88_C6E3, 0x5899_65CC_7537_4CC3
    )

    init(_ bytes: UnsafeRawBufferPointer, seed: UInt64 = 0) {
        let primes = LineHash.primes
        var a = seed ^ primes.0
        var b = UInt64(bytes.count) ^ primes.1
        var position = 0
        while position + 32 <= bytes.count {
            let w0 = bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self)
            let w1 = bytes.loadUnaligned(fromByteOffset: position + 8, as: UInt64.self)
            let w2 = bytes.loadUnaligned(fromByteOffset: position + 16, as: UInt64.self)
            let w3 = bytes.loadUnaligned(fromByteOffset: position + 24, as: UInt64.self)
            a = LineHash.fold(w0 ^ a, w1 ^ primes.2)
            b = LineHash.fold(w2 ^ b, w3 ^ primes.3)
            position += 32
        }
        while position < bytes.count {
            let count = min(8, bytes.count - position)
            var word: UInt64 = 0
            for index in 0..<count { word |= UInt64(bytes[position + index]) << UInt64(8 * index) }
            a = LineHash.fold(word ^ a, primes.2)
            b = LineHash.fold(word ^ b, primes.3)
            position += count
        }
        high = LineHash.fold(a ^ primes.1, b ^ primes.2)
        low = LineHash.fold(a ^ primes.3, b ^ primes.0)
    }

    @inline(__always)
    private static func fold(_ x: UInt64, _ y: UInt64) -> UInt64 {
        let product = x.multipliedFullWidth(by: y)
        return product.high ^ product.low
    }
}

/// What was found in texts that were met before: programs that repeat a request mostly repeat it byte for byte, and a
/// hash costs a fraction of reading JSON and making a key. A later text takes the place of an earlier one.
struct LineMemo {
    struct Found {
        var key: CacheKey
        var dialect: Dialect
        var format: LogFormat
        var time: Int64?
        var count: Int
    }

    /// Apart from what was found, so that a look at a text that is new touches little memory.
    private var hashes: [LineHash?]
    private var found: [Found?]

    /// `slots` is a power of two.
    init(slots count: Int) {
        hashes = Array(repeating: nil, count: count)
        found = Array(repeating: nil, count: count)
    }

    func find(_ hash: LineHash) -> Found? {
        let index = index(hash)
        return hashes[index] == hash ? found[index] : nil
    }

    mutating func remember(_ new: Found, _ hash: LineHash) {
        let index = index(hash)
        hashes[index] = hash
        found[index] = new
    }

    private func index(_ hash: LineHash) -> Int { Int(truncatingIfNeeded: hash.low) & (hashes.count - 1) }
}
