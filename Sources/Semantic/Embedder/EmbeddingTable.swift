import Core

/// A vector for each token: the largest part of a small model, and all of it stays in memory.
///
/// In bf16, which changes no cosine by a millionth, or in bytes with a scale for each token, for an encoder that is in bytes
/// itself: a cosine moves by a tenth of what its products cost.
struct EmbeddingTable: Sendable {
    private enum Numbers: Sendable {
        case halves([UInt16])
        case bytes([Int8], scales: [Float])
    }

    let width: Int
    private let numbers: Numbers

    // Room is made when the first piece has come: only then the file is known to hold what the configuration claims.
    init(
        _ file: Safetensors, _ name: String, rows: Int, width: Int, precision: MatrixPrecision,
        seen: (UnsafeRawBufferPointer) -> Void
    ) throws(ModelFault) {
        self.width = width
        if precision == .int8 {
            var bytes: [Int8] = []
            var scales: [Float] = []
            try file.read(name, shape: [rows, width], seen: seen) { piece in
                if bytes.isEmpty {
                    bytes.reserveCapacity(rows * width)
                    scales.reserveCapacity(rows)
                }
                for start in stride(from: 0, to: piece.count, by: width) {
                    let row = piece[start..<start + width]
                    let greatest = row.reduce(0) { max($0, abs($1)) }
                    // So that no number of a row becomes more than 127, or not a number.
                    let scale = greatest / 127 >= .leastNormalMagnitude ? greatest / 127 : 1
                    scales.append(scale)
                    for number in row { bytes.append(Int8((number / scale).rounded())) }
                }
            }
            numbers = .bytes(bytes, scales: scales)
        } else {
            var halves: [UInt16] = []
            try file.read(name, shape: [rows, width], seen: seen) { piece in
                if halves.isEmpty { halves.reserveCapacity(rows * width) }
                for number in piece {
                    let bits = number.bitPattern
                    // To nearest, ties to even; the numbers are finite.
                    halves.append(UInt16(truncatingIfNeeded: (bits &+ 0x7FFF &+ (bits >> 16 & 1)) >> 16))
                }
            }
            numbers = .halves(halves)
        }
    }

    /// The vector of a token that the table has.
    @inline(__always)
    func add(_ id: Int, to target: UnsafeMutablePointer<Float>) {
        let start = id * width
        switch numbers {
        case .halves(let halves):
            halves.withUnsafeBufferPointer { halves in
                for index in 0..<width { target[index] += Float(bitPattern: UInt32(halves[start + index]) << 16) }
            }
        case .bytes(let bytes, let scales):
            let scale = scales[id]
            bytes.withUnsafeBufferPointer { bytes in
                for index in 0..<width { target[index] += Float(bytes[start + index]) * scale }
            }
        }
    }
}
