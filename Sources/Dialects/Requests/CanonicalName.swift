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
        var prefix: NamePrefix
        var length: Int
        /// Where the canonical spelling begins in `bytes`.
        var offset: Int
        var notable: Notable
    }

    private let entries: UnsafeMutableBufferPointer<Entry>
    private let bytes: UnsafeMutableBufferPointer<UInt8>
    /// Where the names of each length begin in `entries`, which are in order of length; the longest share a place.
    private let starts: UnsafeMutableBufferPointer<Int>

    private static let longest = 63

    init(leftOut: [String], controls: KeyValuePairs<String, Control>) {
        let listed = Set(leftOut)
        var pairs = controls.map { ($0.key, Notable(control: $0.value, isLeftOut: listed.contains($0.key))) }
        let known = Set(controls.map(\.key))
        pairs += listed.subtracting(known).sorted().map { ($0, Notable(control: .none, isLeftOut: true)) }

        // Behind the last name stand the eight bytes that reading a prefix needs.
        let spelled = pairs.map { (name: CanonicalName.encode($0.0), notable: $0.1) }
            .sorted { $0.name.count < $1.name.count }
        bytes = .allocate(capacity: spelled.reduce(8) { $0 + $1.name.count })
        bytes.initialize(repeating: 0)
        entries = .allocate(capacity: spelled.count)
        starts = .allocate(capacity: NameTable.longest + 2)
        starts.initialize(repeating: spelled.count)
        var offset = 0
        for (index, (spelling, notable)) in spelled.enumerated() {
            // Every length up to this one that has no place yet begins here.
            for length in 0...min(spelling.count, NameTable.longest) where starts[length] == spelled.count {
                starts[length] = index
            }
            _ = UnsafeMutableBufferPointer(rebasing: bytes[offset...]).update(fromContentsOf: spelling)
            // `bytes` has eight bytes at least, so it has an address.
            let name = bytes.baseAddress.unsafelyUnwrapped + offset
            entries.initializeElement(
                at: index,
                to: Entry(
                    prefix: NamePrefix(name, length: spelling.count), length: spelling.count, offset: offset,
                    notable: notable))
            offset += spelling.count
        }
    }

    deinit {
        entries.deallocate()
        bytes.deallocate()
        starts.deallocate()
    }

    @inline(__always)
    func find(_ name: UnsafePointer<UInt8>, length: Int, prefix: NamePrefix) -> Notable {
        let place = min(length, NameTable.longest)
        var index = starts[place]
        while index < starts[place + 1] {
            if entries[index].prefix.word == prefix.word, isSame(entries[index], name, length) {
                return entries[index].notable
            }
            index += 1
        }
        return .ordinary
    }

    private func isSame(_ entry: Entry, _ name: UnsafePointer<UInt8>, _ length: Int) -> Bool {
        guard entry.length == length else { return false }
        var position = 8
        while position < length, name[position] == bytes[entry.offset + position] { position += 1 }
        return position >= length
    }
}
