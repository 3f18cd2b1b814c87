/// How the value of a setting is written: read, printed and explained in one place.
package protocol SettingFormat: Sendable {
    associatedtype Value: Sendable & Equatable

    /// The word of the reference page, such as `duration`.
    var kind: String { get }
    /// What to write, with an example and the range: completes "write …".
    var expected: String { get }
    /// Whether the value is a list or a table, so that outside a file it is written as flow text.
    var isStructured: Bool { get }
    /// Whether the value must not be shown.
    var isSecret: Bool { get }

    /// `name` is the setting's, for the error.
    func read(_ node: ConfigNode, name: String) throws(SettingsError) -> Value
    func write(_ value: Value) -> ConfigNode.Content
}

extension SettingFormat {
    package var isStructured: Bool { false }
    package var isSecret: Bool { false }

    /// The text of a node that has to be a scalar.
    func scalar(_ node: ConfigNode, _ name: String) throws(SettingsError) -> String {
        guard let text = node.text else {
            throw SettingsError(at: node.place, setting: name, "\(node.kindWord) stands here; write \(expected)")
        }
        return text
    }

    func refuse(_ node: ConfigNode, _ name: String, _ problem: String) -> SettingsError {
        SettingsError(at: node.place, setting: name, "\(problem); write \(expected)")
    }
}

/// A text from outside as it may stand in an error message: quoted, short, on one line.
package func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars.prefix(60) {
        result.unicodeScalars.append(scalar.value < 32 || scalar.value == 127 ? "?" : scalar)
    }
    return result + (text.unicodeScalars.count > 60 ? "…\"" : "\"")
}

/// A number with a unit, the longest unit that leaves a whole number when printed.
private struct UnitTable: Sendable {
    /// Factors of the smallest unit, ascending.
    let units: [(word: String, factor: Int64)]

    enum Failure: Error {
        case form, unit, size
    }

    /// Zero needs no unit.
    func parse(_ text: String) throws(Failure) -> Int64 {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let word = text.dropFirst(digits.count)
        guard !digits.isEmpty else { throw .form }
        guard let number = Int64(digits) else { throw .size }
        if word.isEmpty {
            guard number == 0 else { throw .unit }
            return 0
        }
        guard let unit = units.first(where: { $0.word == word }) else { throw .form }
        let (product, overflow) = number.multipliedReportingOverflow(by: unit.factor)
        if overflow { throw .size }
        return product
    }

    func print(_ value: Int64, among words: Set<String>) -> String {
        guard value != 0 else { return "0" }
        let unit = units.last { words.contains($0.word) && value % $0.factor == 0 } ?? units[0]
        return "\(value / unit.factor)\(unit.word)"
    }
}

package struct DurationFormat: SettingFormat {
    package let range: ClosedRange<Duration>

    private static let units = UnitTable(units: [
        ("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
    ])

    package let kind = "duration"

    package var expected: String {
        "a duration such as 20ms, 5s, 10m, 24h or 7d, from \(Self.print(range.lowerBound)) to "
            + Self.print(range.upperBound)
    }

    package func read(_ node: ConfigNode, name: String) throws(SettingsError) -> Duration {
        let text = try scalar(node, name)
        let milliseconds: Int64
        do {
            milliseconds = try Self.units.parse(text)
        } catch {
            switch error {
            case .form: throw refuse(node, name, "\(quoted(text)) is not a duration")
            case .unit: throw refuse(node, name, "\(quoted(text)) has no unit")
            case .size: throw refuse(node, name, "\(quoted(text)) is out of range")
            }
        }
        let (seconds, rest) = milliseconds.quotientAndRemainder(dividingBy: 1_000)
        let duration = Duration.seconds(seconds) + .milliseconds(rest)
        guard range.contains(duration) else { throw refuse(node, name, "\(quoted(text)) is out of range") }
        return duration
    }

    package func write(_ value: Duration) -> ConfigNode.Content { .scalar(Self.print(value)) }

    /// A duration as settings write it, nil where it is none.
    package static func parse(_ text: String) -> Duration? { (try? units.parse(text)).map { .milliseconds($0) } }

    /// Whole milliseconds, in the longest unit that leaves a whole number.
    package static func print(_ duration: Duration) -> String {
        units.print(duration.milliseconds, among: ["ms", "s", "m", "h", "d"])
    }
}

package struct SizeFormat: SettingFormat {
    package let range: ClosedRange<ByteCount>

    private static let units = UnitTable(units: [
        ("B", 1), ("KB", 1_000), ("KiB", 1 << 10), ("MB", 1_000_000), ("MiB", 1 << 20), ("GB", 1_000_000_000),
        ("GiB", 1 << 30), ("TiB", 1 << 40),
    ])

    package let kind = "size"

    package var expected: String {
        "a size such as 512B, 64KiB, 256MiB or 1GiB, from \(Self.print(range.lowerBound)) to "
            + Self.print(range.upperBound)
    }

    package func read(_ node: ConfigNode, name: String) throws(SettingsError) -> ByteCount {
        let text = try scalar(node, name)
        let bytes: Int64
        do {
            bytes = try Self.units.parse(text)
        } catch {
            switch error {
            case .form: throw refuse(node, name, "\(quoted(text)) is not a size")
            case .unit: throw refuse(node, name, "\(quoted(text)) has no unit")
            case .size: throw refuse(node, name, "\(quoted(text)) is out of range")
            }
        }
        let count = ByteCount(bytes: Int(bytes))
        guard range.contains(count) else { throw refuse(node, name, "\(quoted(text)) is out of range") }
        return count
    }

    package func write(_ value: ByteCount) -> ConfigNode.Content { .scalar(Self.print(value)) }

    package static func print(_ count: ByteCount) -> String {
        units.print(Int64(count.bytes), among: ["B", "KiB", "MiB", "GiB", "TiB"])
    }
}

package struct IntegerFormat: SettingFormat {
    package let range: ClosedRange<Int>

    package let kind = "integer"
    package var expected: String { "a whole number from \(range.lowerBound) to \(range.upperBound)" }

    package func read(_ node: ConfigNode, name: String) throws(SettingsError) -> Int {
        let text = try scalar(node, name)
        guard let value = Int(text) else { throw refuse(node, name, "\(quoted(text)) is not a whole number") }
        guard range.contains(value) else { throw refuse(node, name, "\(quoted(text)) is out of range") }
        return value
    }

    package func write(_ value: Int) -> ConfigNode.Content { .scalar(String(value)) }
}

package struct BooleanFormat: SettingFormat {
    package let kind = "boolean"
    package let expected = "true or false"

    package func read(_ node: ConfigNode, name: String) throws(SettingsError) -> Bool {
        let text = try scalar(node, name)
        guard let value = Bool(text) else { throw refuse(node, name, "\(quoted(text)) is neither true nor false") }
        return value
    }

    package func write(_ value: Bool) -> ConfigNode.Content { .scalar(String(value)) }
}

/// One of a few words.
package struct ChoiceFormat<Value: Sendable & Equatable>: SettingFormat {
    package let choices: [(word: String, value: Value)]

    package let kind = "choice"

    package var expected: String {
        let words = choices.map(\.word)
        return words.dropLast().joined(separator: ", ") + (words.count > 1 ? " or " : "") + (words.last ?? "")
    }

    package func read(_ node: ConfigNode, name: String) throws(SettingsError) -> Value {
        let text = try scalar(node, name)
        if let choice = choices.first(where: { $0.word == text }) { return choice.value }
        throw refuse(node, name, "\(quoted(text)) is no choice")
    }

    package func write(_ value: Value) -> ConfigNode.Content {
        .scalar(choices.first { $0.value == value }?.word ?? "")
    }
}
