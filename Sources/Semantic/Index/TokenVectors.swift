/// The vectors of a text's tokens, each of length one, in a byte a number.
package struct TokenVectors: Sendable, Equatable {
    /// Numbers in a vector.
    package let width: Int
    /// One vector after the other.
    package let values: [Int8]
    /// Of each vector, such that its length is one.
    package let scales: [Float]

    /// Vectors of one text: what is more than an encoder's window is a mistake.
    package static let most = 512

    package var count: Int { scales.count }

    /// From rows of `width` numbers; nil where they are not whole, or too many.
    package init?(rows: [Float], width: Int) {
        guard width > 0, rows.count % width == 0 else { return nil }
        self.init(width: width, rowCount: rows.count / width) { row in
            QuantizedVector(rows[row * width..<(row + 1) * width])
        }
    }

    /// As read from where they were kept.
    package init?(values: [Int8], width: Int) {
        guard width > 0, values.count % width == 0 else { return nil }
        self.init(width: width, rowCount: values.count / width) { row in
            QuantizedVector(values: Array(values[row * width..<(row + 1) * width]))
        }
    }

    private init?(width: Int, rowCount: Int, row: (Int) -> QuantizedVector) {
        guard rowCount <= TokenVectors.most else { return nil }
        var values: [Int8] = []
        var scales: [Float] = []
        values.reserveCapacity(rowCount * width)
        scales.reserveCapacity(rowCount)
        for index in 0..<rowCount {
            let vector = row(index)
            values += vector.values
            scales.append(vector.scale)
        }
        self.width = width
        self.values = values
        self.scales = scales
    }

    /// All of them as numbers, one vector after the other.
    package var floats: [Float] {
        values.indices.map { Float(values[$0]) * scales[$0 / width] }
    }
}
