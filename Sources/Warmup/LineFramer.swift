/// Cuts a file that arrives in chunks into lines, without ever holding more than one line.
///
/// A byte order mark at the start and a carriage return before a line's end are left out. A line that is longer than
/// the limit is passed over as it arrives.
package struct LineFramer {
    package struct Line {
        /// Without its end; the memory is valid during the call only.
        package var bytes: UnsafeRawBufferPointer
        /// From 1 in each file.
        package var number: Int
        /// Of the first byte, in the file.
        package var offset: Int
        /// The line is longer than the limit; `bytes` is empty.
        package var isTooLong = false
    }

    package static let defaultLimit = 8 << 20

    private let limit: Int
    private var pending: [UInt8] = []
    private var isPassingOver = false
    private var number = 1
    /// Bytes that came before the next chunk.
    private var consumed = 0
    private var lineStart = 0

    /// `limit` in bytes.
    package init(limit: Int = LineFramer.defaultLimit) { self.limit = limit }

    package mutating func feed(_ chunk: UnsafeRawBufferPointer, _ use: (Line) -> Void) {
        var start = 0
        while let end = LineFramer.newline(in: chunk, from: start) {
            let rest = UnsafeRawBufferPointer(rebasing: chunk[start..<end])
            if pending.isEmpty, !isPassingOver, rest.count <= limit {
                give(rest, use)
            } else {
                gather(rest)
                givePending(use)
            }
            start = end + 1
            lineStart = consumed + start
        }
        if start < chunk.count { gather(UnsafeRawBufferPointer(rebasing: chunk[start...])) }
        consumed += chunk.count
    }

    /// The file is over: what follows its last line's end is a line too.
    package mutating func finish(_ use: (Line) -> Void) {
        if isPassingOver || !pending.isEmpty { givePending(use) }
    }

    private mutating func gather(_ bytes: UnsafeRawBufferPointer) {
        guard !isPassingOver else { return }
        if pending.count + bytes.count > limit {
            isPassingOver = true
            pending = []
        } else {
            pending += bytes
        }
    }

    private mutating func givePending(_ use: (Line) -> Void) {
        if isPassingOver {
            use(
                Line(
                    bytes: UnsafeRawBufferPointer(start: nil, count: 0), number: number, offset: lineStart,
                    isTooLong: true))
            number += 1
            isPassingOver = false
        } else {
            let line = pending
            line.withUnsafeBytes { give($0, use) }
            pending.removeAll(keepingCapacity: line.count < 1 << 20)
        }
    }

    private mutating func give(_ bytes: UnsafeRawBufferPointer, _ use: (Line) -> Void) {
        var first = 0
        var end = bytes.count
        if lineStart == 0, end >= 3, bytes[0] == 0xEF, bytes[1] == 0xBB, bytes[2] == 0xBF { first = 3 }
        if end > first, bytes[end - 1] == 13 { end -= 1 }
        use(
            Line(bytes: UnsafeRawBufferPointer(rebasing: bytes[first..<end]), number: number, offset: lineStart + first)
        )
        number += 1
    }

    /// The first line feed at or after `start`, eight words of eight bytes at a time.
    @inline(__always)
    static func newline(in bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let tops: UInt64 = 0x8080_8080_8080_8080
        var index = start
        while index + 64 <= bytes.count {
            var found: UInt64 = 0
            for lane in 0..<8 {
                let word = bytes.loadUnaligned(fromByteOffset: index + lane * 8, as: UInt64.self) ^ (ones &* 10)
                found |= (word &- ones) & ~word
            }
            if found & tops != 0 { break }
            index += 64
        }
        while index < bytes.count {
            if bytes[index] == 10 { return index }
            index += 1
        }
        return nil
    }
}
