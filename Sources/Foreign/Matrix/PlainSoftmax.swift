/// The softmax for processors without AVX-512, eight numbers at a time.
enum PlainSoftmax {
    private typealias Lane = SIMD8<Float>
    private static let lane = 8

    /// The softmax of each row in place.
    static func run(_ rows: UnsafeMutablePointer<Float>, count: Int, width: Int) {
        let whole = width / lane * lane
        for row in 0..<count {
            let start = rows + row * width
            var greatest = -Float.infinity
            if whole > 0 {
                var best = load(start, 0)
                for index in stride(from: lane, to: whole, by: lane) {
                    let next = load(start, index)
                    best.replace(with: next, where: next .> best)
                }
                greatest = best.max()
            }
            for index in whole..<width { greatest = max(greatest, start[index]) }
            var sums = Lane()
            for index in stride(from: 0, to: whole, by: lane) {
                let power = exponential(load(start, index) - greatest)
                store(power, start, index)
                sums += power
            }
            var sum = sums.sum()
            if whole < width {
                var rest = Lane(repeating: -.greatestFiniteMagnitude)
                for index in whole..<width { rest[index - whole] = start[index] - greatest }
                rest = exponential(rest)
                for index in whole..<width {
                    start[index] = rest[index - whole]
                    sum += rest[index - whole]
                }
            }
            let factor = 1 / sum
            for index in stride(from: 0, to: whole, by: lane) { store(load(start, index) * factor, start, index) }
            for index in whole..<width { start[index] *= factor }
        }
    }

    /// e to the x for x ≤ 0, to two units in the last place; 0 below -87. S. L. Moshier, Cephes Mathematical Library,
    /// `expf`: two halves of ln 2 for the remainder, then a polynomial.
    @inline(__always)
    private static func exponential(_ x: Lane) -> Lane {
        let x = x.replacing(with: -87, where: x .< -87)
        // Adding and taking away 1.5 · 2^23 rounds to a whole number.
        let magic: Float = 12_582_912
        let shifted = x * 1.442_695_04 + magic
        let whole = shifted - magic
        let rest = x - whole * 0.693_359_375 + whole * 2.121_944_4e-4
        var sum = rest * 1.987_569_15e-4 + 1.398_199_95e-3
        sum = sum * rest + 8.333_451_9e-3
        sum = sum * rest + 4.166_579_6e-2
        sum = sum * rest + 1.666_666_55e-1
        sum = sum * rest + 5.000_000_1e-1
        sum = sum * rest * rest + rest + 1
        let bits = unsafeBitCast(shifted, to: SIMD8<UInt32>.self) &<< 23
        let power = unsafeBitCast(bits &+ 0x3F80_0000, to: Lane.self)
        return sum * power
    }

    @inline(__always)
    private static func load(_ start: UnsafePointer<Float>, _ index: Int) -> Lane {
        UnsafeRawPointer(start + index).loadUnaligned(as: Lane.self)
    }

    @inline(__always)
    private static func store(_ value: Lane, _ start: UnsafeMutablePointer<Float>, _ index: Int) {
        UnsafeMutableRawPointer(start + index).storeBytes(of: value, as: Lane.self)
    }
}
