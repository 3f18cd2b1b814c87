/// Reads numbers and runs of bytes, most significant byte first; every read checks what is left.
struct ByteReader {
    private(set) var rest: UnsafeRawBufferPointer

    init(_ bytes: UnsafeRawBufferPointer) { rest = bytes }

    mutating func take(_ count: Int) throws(EntryFailure) -> UnsafeRawBufferPointer {
        guard count >= 0, count <= rest.count else { throw .tooShort }
        let taken = UnsafeRawBufferPointer(rebasing: rest[..<count])
        rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        return taken
    }

    mutating func number<Number: FixedWidthInteger>(_: Number.Type) throws(EntryFailure) -> Number {
        Number(bigEndian: try take(MemoryLayout<Number>.size).loadUnaligned(as: Number.self))
    }

    /// A text behind its size of four bytes. No writer makes ill-formed UTF-8 or zeros, which entries cannot hold.
    mutating func text() throws(EntryFailure) -> String {
        let bytes = try take(Int(try number(UInt32.self)))
        guard !bytes.contains(0), let text = String(validating: bytes, as: UTF8.self) else { throw .corrupt }
        return text
    }
}
