/// The vectors of a text's tokens as bytes: a quarter of the memory, and close enough to compare words.
package struct TokenRows: Sendable, Equatable {
    package let width: Int
    /// `count` × `width`.
    package let bytes: [Int8]
    /// One step of each row.
    package let scales: [Float]

    package var count: Int { scales.count }

    package init(width: Int, bytes: [Int8], scales: [Float]) {
        precondition(bytes.count == width * scales.count, "a row for each scale")
        self.width = width
        self.bytes = bytes
        self.scales = scales
    }

    /// - Parameter vectors: rows of length one, `width` numbers each.
    package init(width: Int, vectors: [Float]) {
        var bytes: [Int8] = []
        var scales: [Float] = []
        bytes.reserveCapacity(vectors.count)
        for start in stride(from: 0, to: vectors.count - width + 1, by: width) {
            let row = vectors[start..<start + width]
            let largest = row.reduce(Float.leastNormalMagnitude) { max($0, abs($1)) }
            scales.append(largest / 127)
            // Not a number compares with nothing: such a row is left empty.
            for value in row {
                let step = (value / largest * 127).rounded()
                bytes.append(step >= -127 && step <= 127 ? Int8(step) : 0)
            }
        }
        self.width = width
        self.bytes = bytes
        self.scales = scales
    }
}
