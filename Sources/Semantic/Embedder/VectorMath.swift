/// The parts of a transformer between its products, eight numbers at a time.
///
/// Written for the least of x86-64, which has no fused multiplication: on the processors that do, these parts take a
/// small share beside the products.
enum VectorMath {
    typealias Lane = SIMD8<Float>
    static let lane = 8

    /// Each row minus its mean, by its standard deviation, scaled and shifted. `width` is a multiple of eight.
    static func normalizeRows(
        _ rows: UnsafeMutablePointer<Float>, count: Int, width: Int, scale: UnsafePointer<Float>,
        shift: UnsafePointer<Float>, epsilon: Float
    ) {
        for row in 0..<count {
            let start = rows + row * width
            var sum = Lane()
            for index in stride(from: 0, to: width, by: lane) { sum += load(start, index) }
            let mean = sum.sum() / Float(width)
            var squares = Lane()
            for index in stride(from: 0, to: width, by: lane) {
                let distance = load(start, index) - mean
                squares += distance * distance
            }
            let factor = 1 / (squares.sum() / Float(width) + epsilon).squareRoot()
            for index in stride(from: 0, to: width, by: lane) {
                let value = (load(start, index) - mean) * factor
                store(value * load(scale, index) + load(shift, index), start, index)
            }
        }
    }

    /// The softmax of each row in place; rows are `stride` apart and need not be multiples of eight.
    static func softmaxRows(_ rows: UnsafeMutablePointer<Float>, count: Int, width: Int, stride: Int) {
        let whole = width / lane * lane
        for row in 0..<count {
            let start = rows + row * stride
            var greatest = -Float.infinity
            if whole > 0 {
                var best = load(start, 0)
                for index in Swift.stride(from: lane, to: whole, by: lane) {
                    let next = load(start, index)
                    best.replace(with: next, where: next .> best)
                }
                greatest = best.max()
            }
            for index in whole..<width { greatest = max(greatest, start[index]) }
            var sums = Lane()
            for index in Swift.stride(from: 0, to: whole, by: lane) {
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
            for index in Swift.stride(from: 0, to: whole, by: lane) { store(load(start, index) * factor, start, index) }
            for index in whole..<width { start[index] *= factor }
        }
    }

    /// e to the x for x ≤ 0, to two units in the last place; 0 below -87. S. L. Moshier, Cephes Mathematical Library,
    /// `expf`: two halves of ln 2 for the remainder, then a polynomial.
    @inline(__always)
    static func exponential(_ x: Lane) -> Lane {
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

    /// Scales to length one; a vector of zeros stays as it is.
    static func normalize(_ vector: inout [Float]) {
        let length = vector.reduce(into: Double(0)) { $0 += Double($1) * Double($1) }.squareRoot()
        guard length > 0 else { return }
        let factor = Float(1 / length)
        for index in vector.indices { vector[index] *= factor }
    }

    @inline(__always)
    static func load(_ start: UnsafePointer<Float>, _ index: Int) -> Lane {
        UnsafeRawPointer(start + index).loadUnaligned(as: Lane.self)
    }

    @inline(__always)
    private static func store(_ value: Lane, _ start: UnsafeMutablePointer<Float>, _ index: Int) {
        UnsafeMutableRawPointer(start + index).storeBytes(of: value, as: Lane.self)
    }
}
