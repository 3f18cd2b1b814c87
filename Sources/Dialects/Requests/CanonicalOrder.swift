import Core

/// What is kept of a member's name, so that most comparisons need not look at the text.
struct NamePrefix {
    /// The first eight bytes, most significant first, padded with zeros; as numbers they order as the names do,
    /// unless a name has escapes.
    var word: UInt64
    /// The spelling has an escape, so its bytes do not order as its text does.
    var isEscaped: Bool

    /// Reads a name without escapes or bytes beyond ASCII, from where at least eight bytes can be read.
    @inline(__always)
    init(plain name: UnsafePointer<UInt8>, length: Int) {
        let first = UInt64(bigEndian: UnsafeRawPointer(name).loadUnaligned(as: UInt64.self))
        word = length >= 8 ? first : first & ~(UInt64.max >> UInt64(length * 8))
        isEscaped = false
    }

    /// Reads any name.
    @inline(never)
    init(_ name: UnsafePointer<UInt8>, length: Int) {
        (word, isEscaped) = (0, false)
        for index in 0..<8 {
            word = word << 8 | (index < length ? UInt64(NamePrefix.rank(name[index])) : 0)
        }
        for index in 0..<length where name[index] == UInt8(ascii: "\\") { isEscaped = true }
    }

    /// A byte of UTF-8 by the order of UTF-16, which puts scalars beyond U+FFFF (lead bytes from 0xF0), as
    /// surrogates, before U+E000 … U+FFFF (lead bytes 0xEE and 0xEF). Two bytes are compared only behind what
    /// is the same, so both are lead bytes or neither.
    @inline(__always)
    static func rank(_ byte: UInt8) -> UInt8 { byte == 0xEE || byte == 0xEF ? byte + 0x10 : byte }
}

/// Where one member of an object stands in the canonical text.
struct Member {
    var prefix: NamePrefix
    /// The member is not part of the canonical form.
    var isLeftOut: Bool
    /// From the opening quote of the name, to behind its closing quote, to behind the comma after the value.
    var start, nameEnd, end: UInt32

    var nameLength: Int { Int(nameEnd - start) - 2 }
}

enum Order {
    case ascending, same, descending
}

/// The order of member names in RFC 8785: by UTF-16 code units of the unescaped names.
struct MemberOrder {
    /// Where the canonical text begins.
    let text: UnsafePointer<UInt8>

    @inline(__always)
    func compare(_ a: Member, _ b: Member) -> Order {
        let isEscaped = a.prefix.isEscaped || b.prefix.isEscaped
        if a.prefix.word != b.prefix.word, !isEscaped {
            return a.prefix.word < b.prefix.word ? .ascending : .descending
        }
        return isEscaped ? compareScalars(a, b) : compareBytes(a, b)
    }

    /// Whether `a` comes before `b`.
    @inline(__always)
    func isBefore(_ a: Member, _ b: Member) throws(BypassReason) -> Bool {
        switch compare(a, b) {
        case .ascending: return true
        case .descending: return false
        case .same: throw .duplicateMember
        }
    }

    @inline(never)
    private func compareBytes(_ a: Member, _ b: Member) -> Order {
        let (x, y) = (text + Int(a.start) + 1, text + Int(b.start) + 1)
        let common = min(a.nameLength, b.nameLength)
        var index = 0
        while index + 8 <= common, MemberOrder.word(x + index) == MemberOrder.word(y + index) { index += 8 }
        while index < common, x[index] == y[index] { index += 1 }
        guard index < common else { return MemberOrder.order(a.nameLength, b.nameLength) }
        return MemberOrder.order(Int(NamePrefix.rank(x[index])), Int(NamePrefix.rank(y[index])))
    }

    @inline(never)
    private func compareScalars(_ a: Member, _ b: Member) -> Order {
        var (x, y) = (text + Int(a.start) + 1, text + Int(b.start) + 1)
        let (xEnd, yEnd) = (text + Int(a.nameEnd) - 1, text + Int(b.nameEnd) - 1)
        while x < xEnd, y < yEnd {
            let (p, q) = (MemberOrder.scalar(&x), MemberOrder.scalar(&y))
            if p != q { return MemberOrder.order(MemberOrder.rank(p), MemberOrder.rank(q)) }
        }
        return MemberOrder.order(xEnd - x, yEnd - y)
    }

    private static func order(_ a: Int, _ b: Int) -> Order { a < b ? .ascending : a > b ? .descending : .same }

    private static func word(_ position: UnsafePointer<UInt8>) -> UInt64 {
        UnsafeRawPointer(position).loadUnaligned(as: UInt64.self)
    }

    /// As `NamePrefix.rank`, of a scalar.
    private static func rank(_ scalar: UInt32) -> Int {
        Int(scalar >= 0xE000 && scalar < 0x10000 ? scalar + 0x110000 : scalar)
    }

    /// The next scalar of canonical text, which is known to be well-formed.
    static func scalar(_ position: inout UnsafePointer<UInt8>) -> UInt32 {
        guard position.pointee == UInt8(ascii: "\\") else {
            let (value, length) = UTF8Sequence.scalar(at: position)
            position += length
            return value
        }
        let letter = position[1]
        position += 2
        switch letter {
        case UInt8(ascii: "b"): return 0x08
        case UInt8(ascii: "t"): return 0x09
        case UInt8(ascii: "n"): return 0x0A
        case UInt8(ascii: "f"): return 0x0C
        case UInt8(ascii: "r"): return 0x0D
        case UInt8(ascii: "u"):
            // Canonical text escapes only controls this way, "\u00" and two lower-case digits.
            let digits = (position[2], position[3])
            position += 4
            return UInt32(digits.0 - 48) << 4 | UInt32(digits.1 < 58 ? digits.1 - 48 : digits.1 - 87)
        default: return UInt32(letter)
        }
    }
}

/// The members of the objects that are open: a stack, reused from request to request.
struct MemberStack: ~Copyable {
    private var memory = Scratch(capacity: 64 * MemoryLayout<Member>.stride)
    private(set) var count = 0

    @inline(__always)
    private var base: UnsafeMutablePointer<Member> { memory.base.assumingMemoryBound(to: Member.self) }

    subscript(index: Int) -> Member {
        @inline(__always) get { base[index] }
    }

    @inline(__always)
    mutating func push(_ member: Member) {
        memory.reserve((count + 1) * MemoryLayout<Member>.stride, keeping: count * MemoryLayout<Member>.stride)
        base[count] = member
        count += 1
    }

    @inline(__always)
    mutating func truncate(to newCount: Int) { count = newCount }

    mutating func removeAll(forRequestOf byteCount: Int) {
        count = 0
        memory.trim(forRequestOf: byteCount)
    }

    /// Sorts the members from `start` to the top; wherever two names are the same, sorting compares them. Merging keeps the time at n log n for any input and reads memory
    /// in order; runs of up to 16, which is all that ordinary objects have, are sorted by insertion.
    mutating func sort(from start: Int, by order: MemberOrder) throws(BypassReason) {
        let length = count - start
        guard length > MemberStack.run else {
            try insertionSort(base + start, length, order)
            return
        }
        // The upper half of the memory is the room to merge into.
        memory.reserve(
            (count + length) * MemoryLayout<Member>.stride, keeping: count * MemoryLayout<Member>.stride)
        var from = base + start
        var into = base + count
        for run in stride(from: 0, to: length, by: MemberStack.run) {
            try insertionSort(from + run, min(MemberStack.run, length - run), order)
        }
        var width = MemberStack.run
        while width < length {
            for low in stride(from: 0, to: length, by: 2 * width) {
                try merge(from, low, min(low + width, length), min(low + 2 * width, length), into, order)
            }
            swap(&from, &into)
            width *= 2
        }
        if from != base + start { (base + start).update(from: from, count: length) }
    }

    private static let run = 16

    private func insertionSort(
        _ members: UnsafeMutablePointer<Member>, _ count: Int, _ order: MemberOrder
    ) throws(BypassReason) {
        var index = 1
        while index < count {
            let member = members[index]
            var hole = index
            while hole > 0, try order.isBefore(member, members[hole - 1]) {
                members[hole] = members[hole - 1]
                hole -= 1
            }
            members[hole] = member
            index += 1
        }
    }

    private func merge(
        _ from: UnsafeMutablePointer<Member>, _ low: Int, _ middle: Int, _ high: Int,
        _ into: UnsafeMutablePointer<Member>, _ order: MemberOrder
    ) throws(BypassReason) {
        var (left, right) = (low, middle)
        for position in low..<high {
            var takesRight = left == middle
            if !takesRight, right < high { takesRight = try order.isBefore(from[right], from[left]) }
            into[position] = from[takesRight ? right : left]
            if takesRight { right += 1 } else { left += 1 }
        }
    }
}
