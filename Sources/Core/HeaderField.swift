/// One HTTP header line; the name keeps the case it came in and compares without it.
package struct HeaderField: Sendable, Equatable {
    package var name: String
    package var value: String

    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }

    /// ASCII comparison without case.
    package func isNamed(_ other: String) -> Bool {
        name.utf8.count == other.utf8.count && hasName(beginningWith: other)
    }

    /// Whether the name begins with `prefix`, without regard to case.
    package func hasName(beginningWith prefix: String) -> Bool {
        let own = name.utf8.span
        let wanted = prefix.utf8.span
        guard own.count >= wanted.count else { return false }
        for index in wanted.indices where HeaderField.lower(own[index]) != HeaderField.lower(wanted[index]) {
            return false
        }
        return true
    }

    private static func lower(_ byte: UInt8) -> UInt8 { byte >= 65 && byte <= 90 ? byte | 32 : byte }
}

extension [HeaderField] {
    /// The value of the first line of that name.
    package func first(named name: String) -> String? { first { $0.isNamed(name) }?.value }
}
