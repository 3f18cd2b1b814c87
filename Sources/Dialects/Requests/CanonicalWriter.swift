import Core

/// One pass over a body that checks it and writes its canonical form (RFC 8785, with numbers as exact decimals).
///
/// The text of each value is written as it is read. At the end of an object whose members did not come in order
/// its text is put in order by copying, so a byte is moved at most twice for each level it is nested in.
struct CanonicalWriter: ~Copyable {
    private var input = Scratch(capacity: 16 << 10)
    private var text = Scratch(capacity: 16 << 10)
    private var spare = Scratch(capacity: 16 << 10)
    private var members = MemberStack()
    private var controls = ControlReader(dialect: .chat)
    private let names: NameTable
    private let optionNames = NameTable(leftOut: [], controls: ["include_usage": .includeUsage])
    private let maxDepth: Int
    private var bodyCount = 0
    private var canonicalCount = 0
    /// Whether the canonical form of the last body stands in `spare`.
    private var isInSpare = false
    /// Bytes in front of the canonical form, in which the other fields of a key are written.
    private var headroom = 512

    /// The input is followed by this many zeros: a zero ends every token, and blocks may be read beyond the end.
    private static let padding = 32
    /// Free bytes behind the output, for blocks that are written beyond what counts.
    private static let slack = 64
    /// Positions are 32 bits wide, and numbers can make the canonical form five times as long as the body.
    private static let maxBody = 256 << 20

    init(rules: RequestRules) {
        names = NameTable(leftOut: rules.leftOut, controls: ControlReader.names)
        maxDepth = rules.maxDepth
    }

    /// The canonical form of the last body that was read with success.
    var canonical: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: (isInSpare ? spare.base : text.base) + headroom, count: canonicalCount)
    }

    /// The names of top-level members of the last body that are not in its canonical form.
    var leftOutNames: [String] {
        (0..<members.count).map { members[$0] }.filter(\.isLeftOut).map {
            CanonicalName.decode(textStart + Int($0.start) + 1, count: $0.nameLength)
        }
    }

    /// Reads a whole body. After an error `canonical` is empty.
    mutating func run(_ body: UnsafeRawBufferPointer, as dialect: Dialect) throws(BypassReason) -> RequestFacts {
        (canonicalCount, isInSpare) = (0, false)
        members.removeAll(forRequestOf: body.count)
        guard body.count <= Self.maxBody else { throw .requestTooLarge }
        load(body)
        controls = ControlReader(dialect: dialect)
        var cursor = Cursor(source: inputStart, target: textStart)
        cursor.skipSpace()
        guard cursor.byte == UInt8(ascii: "{") else { throw .notJSON }
        controls.begin(at: cursor.source - inputStart)
        cursor = try object(cursor, depth: 1)
        cursor.skipSpace()
        guard cursor.source == inputStart + bodyCount else { throw .notJSON }
        let facts = try controls.finish()
        canonicalCount = cursor.target - (isInSpare ? spareStart : textStart)
        return facts
    }

    /// Makes `count` bytes in front of the canonical form writable and returns where they begin.
    mutating func makeRoom(_ count: Int) -> UnsafeMutableRawPointer {
        if count > headroom {
            text.shift(from: headroom, to: count)
            spare.shift(from: headroom, to: count)
            headroom = count
        }
        return (isInSpare ? spare.base : text.base) + (headroom - count)
    }

    private var inputStart: UnsafePointer<UInt8> { UnsafePointer(input.base.assumingMemoryBound(to: UInt8.self)) }

    private var textStart: UnsafeMutablePointer<UInt8> { (text.base + headroom).assumingMemoryBound(to: UInt8.self) }

    private var spareStart: UnsafeMutablePointer<UInt8> { (spare.base + headroom).assumingMemoryBound(to: UInt8.self) }

    private mutating func load(_ body: UnsafeRawBufferPointer) {
        input.trim(forRequestOf: body.count)
        text.trim(forRequestOf: body.count)
        spare.trim(forRequestOf: body.count)
        input.reserve(body.count + Self.padding, keeping: 0)
        text.reserve(headroom + body.count + Self.slack, keeping: 0)
        UnsafeMutableRawBufferPointer(start: input.base, count: body.count).copyMemory(from: body)
        (input.base + body.count).initializeMemory(as: UInt8.self, repeating: 0, count: Self.padding)
        bodyCount = body.count
    }

    /// Keeps room for `count` bytes more than the rest of the body, which is what every other token needs at most.
    mutating func reserve(_ cursor: inout Cursor, for count: Int) {
        let used = headroom + (cursor.target - textStart)
        let rest = bodyCount - (cursor.source - inputStart)
        guard used + count + rest + Self.slack > text.capacity else { return }
        text.reserve(used + count + rest + Self.slack, keeping: used)
        cursor.target = (text.base + used).assumingMemoryBound(to: UInt8.self)
    }
}

// MARK: - Values

extension CanonicalWriter {
    /// Writes the value at the cursor; `depth` is that of a container found there.
    @inline(__always)
    private mutating func value(_ start: Cursor, depth: Int) throws(BypassReason) -> Cursor {
        var cursor = start
        switch cursor.byte {
        case UInt8(ascii: "\""):
            cursor.pass()
            var isPlain = true
            try cursor.passString(isPlain: &isPlain)
            return cursor
        case UInt8(ascii: "{"): return try object(cursor, depth: depth)
        case UInt8(ascii: "["): return try array(cursor, depth: depth)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number(cursor)
        default: return try literal(cursor)
        }
    }

    @inline(__always)
    private func literal(_ start: Cursor) throws(BypassReason) -> Cursor {
        var cursor = start
        let word = UInt32(bigEndian: UnsafeRawPointer(cursor.source).loadUnaligned(as: UInt32.self))
        switch word {
        case 0x7472_7565, 0x6E75_6C6C:  // "true", "null"
            for _ in 0..<4 { cursor.pass() }
        case 0x6661_6C73 where cursor.source[4] == UInt8(ascii: "e"):  // "fals" and "e"
            for _ in 0..<5 { cursor.pass() }
        default: throw .notJSON
        }
        return cursor
    }

    private mutating func array(_ start: Cursor, depth: Int) throws(BypassReason) -> Cursor {
        guard depth <= maxDepth else { throw .tooDeep }
        var cursor = start
        cursor.pass()
        cursor.skipSpace()
        if cursor.byte == UInt8(ascii: "]") {
            cursor.pass()
            return cursor
        }
        while true {
            cursor = try value(cursor, depth: depth + 1)
            cursor.skipSpace()
            if cursor.byte == UInt8(ascii: ",") {
                cursor.pass()
                cursor.skipSpace()
            } else if cursor.byte == UInt8(ascii: "]") {
                cursor.pass()
                return cursor
            } else {
                throw .notJSON
            }
        }
    }

    private mutating func object(_ start: Cursor, depth: Int) throws(BypassReason) -> Cursor {
        guard depth <= maxDepth else { throw .tooDeep }
        var cursor = start
        cursor.pass()
        cursor.skipSpace()
        if cursor.byte == UInt8(ascii: "}") {
            cursor.pass()
            return cursor
        }
        let base = members.count
        let begin = cursor.target - textStart
        var isInOrder = true
        while true {
            cursor = try member(cursor, depth: depth)
            let count = members.count
            if count - base > 1 {
                switch MemberOrder(text: textStart).compare(members[count - 2], members[count - 1]) {
                case .ascending: break
                case .same: throw .duplicateMember
                case .descending: isInOrder = false
                }
            }
            cursor.skipSpace()
            if cursor.byte == UInt8(ascii: ",") {
                cursor.source += 1
                cursor.skipSpace()
            } else if cursor.byte == UInt8(ascii: "}") {
                cursor.source += 1
                break
            } else {
                throw .notJSON
            }
        }
        if !isInOrder { try members.sort(from: base, by: MemberOrder(text: textStart)) }
        if depth == 1 { return closeRoot(cursor, isInOrder: isInOrder) }
        if !isInOrder { rearrange(from: base, begin: begin, count: cursor.target - textStart - begin) }
        members.truncate(to: base)
        // The comma behind the last member gives way to the brace.
        (cursor.target - 1).pointee = UInt8(ascii: "}")
        return cursor
    }

    /// Writes a member and a comma, and pushes where it stands.
    @inline(__always)
    private mutating func member(_ start: Cursor, depth: Int) throws(BypassReason) -> Cursor {
        var cursor = start
        guard cursor.byte == UInt8(ascii: "\"") else { throw .notJSON }
        let begin = cursor.target - textStart
        cursor.pass()
        let written = cursor.source
        var isPlain = true
        try cursor.passString(isPlain: &isPlain)
        let nameEnd = cursor.target - textStart
        let length = nameEnd - begin - 2
        let name = UnsafePointer(textStart + begin + 1)
        // A plain name stands in the input as well, where reading need not wait for what was just stored.
        let prefix = isPlain ? NamePrefix(plain: written, length: length) : NamePrefix(name, length: length)
        var notable = Notable.ordinary
        if depth == 1 {
            notable = names.find(name, length: length, prefix: prefix)
        } else if depth == 2, controls.isInOptions {
            notable = optionNames.find(name, length: length, prefix: prefix)
        }
        cursor.skipSpace()
        guard cursor.byte == UInt8(ascii: ":") else { throw .notJSON }
        cursor.pass()
        cursor.skipSpace()
        if notable.control == .none {
            cursor = try value(cursor, depth: depth + 1)
        } else {
            cursor = try controlValue(cursor, notable.control, depth: depth + 1)
        }
        cursor.put(UInt8(ascii: ","))
        members.push(
            Member(
                prefix: prefix, isLeftOut: notable.isLeftOut, start: UInt32(truncatingIfNeeded: begin),
                nameEnd: UInt32(truncatingIfNeeded: nameEnd),
                end: UInt32(truncatingIfNeeded: cursor.target - textStart)))
        return cursor
    }

    /// Writes the value of a member that steers Refrain, and takes note of it.
    @inline(never)
    private mutating func controlValue(
        _ start: Cursor, _ control: Control, depth: Int
    ) throws(BypassReason) -> Cursor {
        let first = start.source - inputStart
        if control == .streamOptions { controls.isInOptions = true }
        let cursor = try value(start, depth: depth)
        if control == .streamOptions { controls.isInOptions = false }
        controls.note(control, firstByte: start.byte, first..<cursor.source - inputStart, in: input.base)
        return cursor
    }
}

// MARK: - Order

extension CanonicalWriter {
    /// Puts the text of the members from `base` in their order, where it stands.
    private mutating func rearrange(from base: Int, begin: Int, count: Int) {
        spare.reserve(headroom + count + Self.slack, keeping: 0)
        let source = spareStart - begin
        var target = textStart + begin
        spareStart.update(from: target, count: count)
        for index in base..<members.count {
            let member = members[index]
            let length = Int(member.end - member.start)
            target.update(from: source + Int(member.start), count: length)
            target += length
        }
    }

    /// Ends the outermost object; where it is not the canonical form already, that is written to `spare`.
    private mutating func closeRoot(_ end: Cursor, isInOrder: Bool) -> Cursor {
        var cursor = end
        var isKept = isInOrder
        for index in 0..<members.count where members[index].isLeftOut { isKept = false }
        guard !isKept else {
            (cursor.target - 1).pointee = UInt8(ascii: "}")
            return cursor
        }
        spare.reserve(headroom + (cursor.target - textStart) + Self.slack, keeping: 0)
        isInSpare = true
        cursor.target = spareStart
        cursor.put(UInt8(ascii: "{"))
        let first = cursor.target
        for index in 0..<members.count where !members[index].isLeftOut {
            let member = members[index]
            let length = Int(member.end - member.start)
            cursor.target.update(from: textStart + Int(member.start), count: length)
            cursor.target += length
        }
        if cursor.target > first { cursor.target -= 1 }
        cursor.put(UInt8(ascii: "}"))
        return cursor
    }
}
