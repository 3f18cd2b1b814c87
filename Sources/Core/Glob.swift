/// A pattern in which `*` stands for any text, empty too; everything else stands for itself.
package struct Glob: Sendable, Equatable {
    private let pattern: [UInt8]

    package init(_ pattern: String) { self.pattern = Array(pattern.utf8) }

    package func matches(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { matches(UnsafeRawBufferPointer($0)) }
    }

    /// A star first takes nothing; where what follows does not fit, the last star met takes one byte more. Only the last
    /// one: what an earlier one could take instead, it can take as well. So no text costs more than its length times the
    /// pattern's.
    package func matches(_ text: UnsafeRawBufferPointer) -> Bool {
        var (position, next) = (0, 0)
        var retry: (position: Int, next: Int)?
        while position < text.count {
            if next < pattern.count, pattern[next] == UInt8(ascii: "*") {
                retry = (position, next + 1)
                next += 1
            } else if next < pattern.count, pattern[next] == text[position] {
                position += 1
                next += 1
            } else if let (taken, behind) = retry {
                retry = (taken + 1, behind)
                (position, next) = (taken + 1, behind)
            } else {
                return false
            }
        }
        return pattern[next...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}
