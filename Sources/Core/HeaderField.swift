/// One HTTP header line; the name keeps the case it came in and compares without it.
package struct HeaderField: Sendable, Equatable {
    package var name: String
    package var value: String

    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }

    package func isNamed(_ other: String) -> Bool { HeaderField.sameName(name.utf8, other.utf8) }

    /// ASCII comparison without case.
    package static func sameName(_ a: some Collection<UInt8>, _ b: some Collection<UInt8>) -> Bool {
        a.count == b.count && zip(a, b).allSatisfy { lower($0) == lower($1) }
    }

    private static func lower(_ byte: UInt8) -> UInt8 { byte >= 65 && byte <= 90 ? byte | 32 : byte }
}

extension [HeaderField] {
    /// The value of the first line of that name.
    package func first(named name: String) -> String? { first { $0.isNamed(name) }?.value }
}
