/// A vector of length one in a byte a number: each is a whole number from -127 to 127 times the scale.
package struct QuantizedVector: Sendable, Equatable {
    package let values: [Int8]
    /// Such that the vector's length is one; 0 for a vector of zeros.
    package let scale: Float

    package static let empty = QuantizedVector(values: [], scale: 0)

    /// As read from where it was kept; the scale follows from the numbers.
    package init(values: [Int8]) {
        let squares = values.reduce(into: Int64(0)) { $0 += Int64($1) * Int64($1) }
        self.init(values: values, scale: squares > 0 ? 1 / Float(squares).squareRoot() : 0)
    }

    private init(values: [Int8], scale: Float) {
        self.values = values
        self.scale = scale
    }

    /// From a vector of any length; one that holds what is no number becomes zeros, which are like nothing.
    package init(_ vector: some Collection<Float>) {
        var largest: Float = 0
        var isFinite = true
        for value in vector {
            isFinite = isFinite && value.isFinite
            largest = max(largest, abs(value))
        }
        guard isFinite, largest > 0 else {
            self.init(values: [Int8](repeating: 0, count: vector.count), scale: 0)
            return
        }
        self.init(values: vector.map { Int8(($0 / largest * 127).rounded()) })
    }

    /// The cosine with a vector of length one and the same width.
    package func cosine(with unit: [Float]) -> Float {
        precondition(unit.count == values.count, "QuantizedVector: both vectors have the same width")
        var sum: Float = 0
        for index in values.indices { sum += Float(values[index]) * unit[index] }
        return sum * scale
    }

    package var floats: [Float] { values.map { Float($0) * scale } }
}
