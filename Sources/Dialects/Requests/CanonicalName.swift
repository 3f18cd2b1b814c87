/// Names and other strings as canonical text spells them.
enum CanonicalName {
    /// Reads back canonical text, without its quotes.
    static func decode(_ text: UnsafePointer<UInt8>, count: Int) -> String {
        var position = text
        var scalars = String.UnicodeScalarView()
        while position < text + count {
            // Canonical text was written from valid scalars; anything else would be replaced, not trusted.
            scalars.append(Unicode.Scalar(MemberOrder.scalar(&position)) ?? "\u{FFFD}")
        }
        return String(scalars)
    }

    /// Reads back a string of a body, without its quotes; what is not valid JSON text is replaced.
    static func unescape(_ text: UnsafeRawBufferPointer) -> String {
        let input = Array(text) + [UInt8(ascii: "\"")] + [UInt8](repeating: 0, count: 32)
        let output = UnsafeMutablePointer<UInt8>.allocate(capacity: input.count + 32)
        defer { output.deallocate() }
        return input.withUnsafeBufferPointer { input in
            var cursor = Cursor(source: input.baseAddress.unsafelyUnwrapped, target: output)
            var isPlain = true
            guard (try? cursor.passString(isPlain: &isPlain)) != nil else {
                return String(decoding: text, as: UTF8.self)
            }
            return decode(output, count: cursor.target - output - 1)
        }
    }

    /// Spells a text as it stands between quotes in canonical text.
    static func encode(_ text: String) -> [UInt8] {
        var bytes: [UInt8] = []
        for scalar in text.unicodeScalars { CanonicalEscape.write(scalar.value) { bytes.append($0) } }
        return bytes
    }
}

/// What is special about a member: it steers Refrain, or it is not part of the key.
struct Notable {
    var control: Control
    var isLeftOut: Bool

    static let ordinary = Notable(control: .none, isLeftOut: false)
}

/// A few names, found by comparing words; a hash would cost more than the comparison.
struct NameTable: ~Copyable {
    private struct Entry {
        var prefix: UInt64
        var length: Int
        /// Where the canonical spelling begins in `bytes`.
        var offset: Int
        var notable: Notable
    }

    private let entries: UnsafeMutableBufferPointer<Entry>
    private let bytes: UnsafeMutableBufferPointer<UInt8>
    /// A bit for each length that occurs, the last one for all lengths from 63.
    private let lengths: UInt64

    init(leftOut: [String], controls: KeyValuePairs<String, Control>) {
        let listed = Set(leftOut)
        var pairs = controls.map { ($0.key, Notable(control: $0.value, isLeftOut: listed.contains($0.key))) }
        let known = Set(controls.map(\.key))
        pairs += listed.subtracting(known).sorted().map { ($0, Notable(control: .none, isLeftOut: true)) }

        // Behind the last name stand the eight bytes that reading a prefix needs.
        let spellings = pairs.map { CanonicalName.encode($0.0) }
        bytes = .allocate(capacity: spellings.reduce(8) { $0 + $1.count })
        bytes.initialize(repeating: 0)
        entries = .allocate(capacity: pairs.count)
        var offset = 0
        var lengths: UInt64 = 0
        for (index, spelling) in spellings.enumerated() {
            let name = bytes.baseAddress.unsafelyUnwrapped + offset
            for (position, byte) in spelling.enumerated() { name[position] = byte }
            entries.initializeElement(
                at: index,
                to: Entry(
                    prefix: Member.prefix(name, length: spelling.count), length: spelling.count, offset: offset,
                    notable: pairs[index].1))
            lengths |= NameTable.bit(spelling.count)
            offset += spelling.count
        }
        self.lengths = lengths
    }

    deinit {
        entries.deallocate()
        bytes.deallocate()
    }

    @inline(__always)
    func find(_ name: UnsafePointer<UInt8>, length: Int, prefix: UInt64) -> Notable {
        lengths & NameTable.bit(length) == 0 ? .ordinary : search(name, length, prefix)
    }

    @inline(never)
    private func search(_ name: UnsafePointer<UInt8>, _ length: Int, _ prefix: UInt64) -> Notable {
        for entry in entries where entry.prefix == prefix && entry.length == length {
            var position = 8
            while position < length, name[position] == bytes[entry.offset + position] { position += 1 }
            if position >= length { return entry.notable }
        }
        return .ordinary
    }

    @inline(__always)
    private static func bit(_ length: Int) -> UInt64 { 1 << UInt64(min(length, 63)) }
}
