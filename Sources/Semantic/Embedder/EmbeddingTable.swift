import Core

/// A vector for each token, in bf16: the largest part of a small model, and half of it changes no cosine by a millionth.
struct EmbeddingTable: Sendable {
    let width: Int
    private let halves: [UInt16]

    init(
        _ file: Safetensors, _ name: String, rows: Int, width: Int, seen: (UnsafeRawBufferPointer) -> Void
    ) throws(ModelFault) {
        self.width = width
        var halves: [UInt16] = []
        halves.reserveCapacity(rows * width)
        try file.read(name, shape: [rows, width], seen: seen) { piece in
            for number in piece {
                let bits = number.bitPattern
                // To nearest, ties to even; the numbers are finite.
                halves.append(UInt16(truncatingIfNeeded: (bits &+ 0x7FFF &+ (bits >> 16 & 1)) >> 16))
            }
        }
        self.halves = halves
    }

    /// The vector of a token that the table has.
    @inline(__always)
    func add(_ id: Int, to target: UnsafeMutablePointer<Float>) {
        let start = id * width
        halves.withUnsafeBufferPointer { halves in
            for index in 0..<width { target[index] += Float(bitPattern: UInt32(halves[start + index]) << 16) }
        }
    }
}
