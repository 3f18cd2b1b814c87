/// Writes numbers and runs of bytes, most significant byte first, into memory that was measured before.
struct ByteWriter {
    private(set) var rest: UnsafeMutableRawBufferPointer
    private let total: Int

    init(_ target: UnsafeMutableRawBufferPointer) {
        rest = target
        total = target.count
    }

    /// How many bytes were written.
    var count: Int { total - rest.count }

    mutating func put<Number: FixedWidthInteger>(_ number: Number) {
        rest.storeBytes(of: number.bigEndian, as: Number.self)
        skip(MemoryLayout<Number>.size)
    }

    mutating func put(_ bytes: UnsafeRawBufferPointer) {
        rest.copyMemory(from: bytes)
        skip(bytes.count)
    }

    /// A text behind its size of four bytes.
    mutating func put(_ text: String) {
        var text = text
        text.withUTF8 {
            put(UInt32($0.count))
            put(UnsafeRawBufferPointer($0))
        }
    }

    /// Leaves out bytes that somebody else writes.
    @discardableResult
    mutating func skip(_ count: Int) -> UnsafeMutableRawBufferPointer {
        let skipped = UnsafeMutableRawBufferPointer(rebasing: rest[..<count])
        rest = UnsafeMutableRawBufferPointer(rebasing: rest[count...])
        return skipped
    }
}
