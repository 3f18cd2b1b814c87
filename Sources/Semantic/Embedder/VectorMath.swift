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
