import Core

/// Where one member of an object stands in the canonical text.
struct Member {
    /// The first eight bytes of the name, most significant first, padded with zeros.
    var prefix: UInt64
    /// From the opening quote of the name, to behind its closing quote, to behind the comma after the value.
    var start, nameEnd, end: UInt32
    /// The name has no escape and nothing beyond ASCII, so that its bytes order as its text does.
    var isPlain: Bool
    /// The member is not part of the canonical form.
    var isLeftOut: Bool

    var nameLength: Int { Int(nameEnd - start) - 2 }

    /// Reads the prefix of the name that stands at `name` and is followed by at least eight readable bytes.
    @inline(__always)
    static func prefix(_ name: UnsafePointer<UInt8>, length: Int) -> UInt64 {
        let word = UInt64(bigEndian: UnsafeRawPointer(name).loadUnaligned(as: UInt64.self))
        return length >= 8 ? word : word & ~(UInt64.max >> UInt64(length * 8))
    }
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
        if a.isPlain, b.isPlain, a.prefix != b.prefix { return a.prefix < b.prefix ? .ascending : .descending }
        return compareNames(a, b)
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
    private func compareNames(_ a: Member, _ b: Member) -> Order {
        var x = text + Int(a.start) + 1
        var y = text + Int(b.start) + 1
        let xEnd = text + Int(a.nameEnd) - 1
        let yEnd = text + Int(b.nameEnd) - 1
        // Names that need no decoding are compared byte by byte; the others scalar by scalar.
        if a.isPlain, b.isPlain {
            while x < xEnd, y < yEnd {
                if x.pointee != y.pointee { return x.pointee < y.pointee ? .ascending : .descending }
                x += 1
                y += 1
            }
        } else {
            while x < xEnd, y < yEnd {
                let (p, q) = (MemberOrder.scalar(&x), MemberOrder.scalar(&y))
                if p != q { return MemberOrder.rank(p) < MemberOrder.rank(q) ? .ascending : .descending }
            }
        }
        return x < xEnd ? .descending : y < yEnd ? .ascending : .same
    }

    /// UTF-16 puts scalars beyond U+FFFF, as surrogates, before U+E000 … U+FFFF.
    private static func rank(_ scalar: UInt32) -> UInt32 {
        scalar >= 0x10000 ? scalar : scalar >= 0xE000 ? scalar + 0x110000 : scalar
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
