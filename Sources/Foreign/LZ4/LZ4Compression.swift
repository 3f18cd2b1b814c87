import CLZ4
import Core

/// LZ4's block format through liblz4, at its default speed.
package struct LZ4Compression: Compressing {
    package init() {}

    package func compress(_ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer) -> Int? {
        // The library counts in 32 bits.
        guard source.count <= LZ4_MAX_INPUT_SIZE, !source.isEmpty, !target.isEmpty else { return nil }
        let room = CInt(clamping: target.count)
        let written = LZ4_compress_default(
            source.baseAddress?.assumingMemoryBound(to: CChar.self),
            target.baseAddress?.assumingMemoryBound(to: CChar.self), CInt(source.count), room)
        return written > 0 ? Int(written) : nil
    }

    package func decompress(_ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer) -> Bool {
        guard let count = CInt(exactly: source.count), let room = CInt(exactly: target.count), count > 0 else {
            return false
        }
        return LZ4_decompress_safe(
            source.baseAddress?.assumingMemoryBound(to: CChar.self),
            target.baseAddress?.assumingMemoryBound(to: CChar.self), count, room) == room
    }

    /// A byte of a block stands for 255 bytes at most: it lengthens a match, and no other kind of byte does more.
    package func largestOriginal(of count: Int) -> Int {
        let (product, overflow) = count.multipliedReportingOverflow(by: 255)
        return overflow ? Int.max : product
    }
}
