/// One complete unit of an event stream, with the bytes it came in. All memory is borrowed for the call.
package struct SSEBlock {
    package enum Content {
        /// What a reader dispatches: the event's name (empty where none was sent) and its data lines, joined.
        case event(name: UnsafeRawBufferPointer, data: UnsafeRawBufferPointer)
        /// Comments, blank lines, a byte order mark, and fields without data: readers act on none of them.
        case comment
    }
    package let content: Content
    /// The original bytes, line ends included.
    package let raw: UnsafeRawBufferPointer
}

/// Cuts a stream of server-sent events, arriving in arbitrary pieces, into blocks (WHATWG HTML, section 9.2.6).
///
/// The blocks do not depend on how the stream was cut into pieces. A lone CR at the end of a piece is therefore
/// held until it is known whether it is half of a CRLF.
package struct SSESplitter {
    package enum Failure: Error, Sendable, Equatable {
        /// An event is longer than the limit.
        case tooLarge
    }

    /// The longest event that is collected, in bytes.
    package let limit: Int
    /// What came of the block that is not complete yet.
    private var pending: [UInt8] = []
    /// Where in `pending` its unfinished line starts, and how far that has been searched.
    private var lineStart = 0
    private var searched = 0
    private var isAtStart = true
    /// Holds the data of events that spread it over several lines.
    private var joined: [UInt8] = []

    package init(limit: Int) { self.limit = limit }

    /// What was fed and belongs to no complete block yet.
    package var rest: [UInt8] { pending }

    /// Takes the next piece and hands over each block that it completes. After a failure the splitter holds in
    /// `rest` what it has not handed over, and is of no further use.
    package mutating func feed(
        _ piece: UnsafeRawBufferPointer, block: (SSEBlock) -> Void
    ) throws(Failure) {
        guard !piece.isEmpty else { return }
        if pending.isEmpty {
            let consumed = split(piece, isLast: false, block: block)
            if consumed < piece.count { pending.append(contentsOf: piece[consumed...]) }
        } else {
            pending.append(contentsOf: piece)
            splitPending(isLast: false, block: block)
        }
        guard pending.count <= limit else { throw .tooLarge }
    }

    /// The stream ended: a CR that was held is a line end after all. What is then in `rest` is half a block.
    package mutating func finish(block: (SSEBlock) -> Void) {
        splitPending(isLast: true, block: block)
    }

    private mutating func splitPending(isLast: Bool, block: (SSEBlock) -> Void) {
        var buffer: [UInt8] = []
        swap(&buffer, &pending)
        let consumed = buffer.withUnsafeBytes { split($0, isLast: isLast, block: block) }
        buffer.removeFirst(consumed)
        swap(&buffer, &pending)
    }

    /// Hands over the complete blocks of `buffer` and returns how many bytes they take.
    private mutating func split(
        _ buffer: UnsafeRawBufferPointer, isLast: Bool, block: (SSEBlock) -> Void
    ) -> Int {
        var blockStart = 0
        if isAtStart {
            guard let length = markLength(buffer, isLast: isLast) else { return 0 }
            isAtStart = false
            if length > 0 { block(SSEBlock(content: .comment, raw: slice(buffer, 0, length))) }
            (blockStart, lineStart, searched) = (length, length, length)
        }
        while let end = nextLineEnd(buffer, isLast: isLast) {
            let isBlank = end.text == lineStart
            let isComment = !isBlank && buffer[lineStart] == UInt8(ascii: ":")
            let isAlone = blockStart == lineStart
            if isAlone && (isBlank || isComment) {
                block(SSEBlock(content: .comment, raw: slice(buffer, blockStart, end.next)))
                blockStart = end.next
            } else if isBlank {
                deliver(slice(buffer, blockStart, end.next), to: block)
                blockStart = end.next
            }
            (lineStart, searched) = (end.next, end.next)
        }
        lineStart -= blockStart
        searched -= blockStart
        return blockStart
    }

    /// The end of the line that starts at `lineStart`: where its text stops and where the next line begins.
    private mutating func nextLineEnd(
        _ buffer: UnsafeRawBufferPointer, isLast: Bool
    ) -> (text: Int, next: Int)? {
        while searched < buffer.count {
            let byte = buffer[searched]
            if byte == 0x0A { return (searched, searched + 1) }
            if byte == 0x0D {
                let next = searched + 1
                if next < buffer.count { return (searched, buffer[next] == 0x0A ? next + 1 : next) }
                return isLast ? (searched, next) : nil
            }
            searched += 1
        }
        return nil
    }

    /// The length of a byte order mark at the start of the stream, nil while that cannot be told.
    private func markLength(_ buffer: UnsafeRawBufferPointer, isLast: Bool) -> Int? {
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        let isPrefix = zip(mark, buffer).allSatisfy { $0 == $1 }
        guard isPrefix else { return 0 }
        if buffer.count >= mark.count { return mark.count }
        return isLast ? 0 : nil
    }

    /// Reads the fields of a complete block and hands it over.
    private mutating func deliver(_ raw: UnsafeRawBufferPointer, to block: (SSEBlock) -> Void) {
        var name = slice(raw, 0, 0)
        var data = slice(raw, 0, 0)
        var dataLines = 0
        var start = 0
        while start < raw.count {
            var end = start
            while raw[end] != 0x0A && raw[end] != 0x0D { end += 1 }
            let line = slice(raw, start, end)
            if let value = SSESplitter.value(of: "data", in: line) {
                dataLines += 1
                join(value, to: &data, line: dataLines)
            } else if let value = SSESplitter.value(of: "event", in: line) {
                name = value
            }
            start = end + 1
            if raw[end] == 0x0D, start < raw.count, raw[start] == 0x0A { start += 1 }
        }
        switch dataLines {
        case 0: block(SSEBlock(content: .comment, raw: raw))
        case 1: block(SSEBlock(content: .event(name: name, data: data), raw: raw))
        default: joined.withUnsafeBytes { block(SSEBlock(content: .event(name: name, data: $0), raw: raw)) }
        }
    }

    private mutating func join(_ value: UnsafeRawBufferPointer, to data: inout UnsafeRawBufferPointer, line: Int) {
        if line == 1 {
            data = value
            return
        }
        if line == 2 {
            joined.removeAll(keepingCapacity: true)
            joined.append(contentsOf: data)
        }
        joined.append(0x0A)
        joined.append(contentsOf: value)
    }

    /// The value of a field line if it has that name: what follows the colon, without one leading space.
    private static func value(of field: StaticString, in line: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        let length = field.utf8CodeUnitCount
        guard line.count >= length else { return nil }
        for index in 0..<length where line[index] != field.utf8Start[index] { return nil }
        if line.count == length { return UnsafeRawBufferPointer(rebasing: line[length...]) }
        guard line[length] == UInt8(ascii: ":") else { return nil }
        let hasSpace = line.count > length + 1 && line[length + 1] == 0x20
        return UnsafeRawBufferPointer(rebasing: line[(length + (hasSpace ? 2 : 1))...])
    }

    private func slice(_ buffer: UnsafeRawBufferPointer, _ start: Int, _ end: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: buffer[start..<end])
    }
}
