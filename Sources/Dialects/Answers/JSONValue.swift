import Core

/// A JSON document as a tree. Members keep their order and numbers their spelling, so that what is read and
/// written again says the same.
package enum JSONValue: Sendable, Equatable {
    case null
    case bool(Bool)
    /// As it was spelled.
    case number(String)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)

    /// More values than this in one document are refused: a tree costs many times its text.
    package static let maxValues = 2_000_000

    /// Reads exactly one document, with white space around it allowed.
    package static func parse(_ bytes: UnsafeRawBufferPointer) throws(JSONFault) -> JSONValue {
        var cursor = try JSONCursor(bytes)
        var budget = maxValues
        let value = try JSONValue(from: &cursor, budget: &budget)
        try cursor.finish()
        return value
    }

    package static func parse(_ text: String) throws(JSONFault) -> JSONValue {
        try Bytes(text).withUnsafeBytes { (bytes) throws(JSONFault) in try parse(bytes) }
    }

    init(from cursor: inout JSONCursor, budget: inout Int) throws(JSONFault) {
        budget -= 1
        guard budget >= 0 else { throw .tooLarge }
        switch try cursor.peek() {
        case UInt8(ascii: "{"): self = .object(try JSONObject(from: &cursor, budget: &budget))
        case UInt8(ascii: "["):
            var elements: [JSONValue] = []
            try cursor.openArray()
            while try cursor.nextElement() { elements.append(try JSONValue(from: &cursor, budget: &budget)) }
            self = .array(elements)
        case UInt8(ascii: "\""): self = .string(try cursor.string().decoded())
        case UInt8(ascii: "t"):
            try cursor.literal("true")
            self = .bool(true)
        case UInt8(ascii: "f"):
            try cursor.literal("false")
            self = .bool(false)
        case UInt8(ascii: "n"):
            try cursor.literal("null")
            self = .null
        default: self = .number(String(decoding: try cursor.number(), as: UTF8.self))
        }
    }

    /// Texts are the same when their bytes are: `String` would also call two spellings of "é" equal.
    package static func == (a: JSONValue, b: JSONValue) -> Bool {
        switch (a, b) {
        case (.null, .null): true
        case (.bool(let x), .bool(let y)): x == y
        case (.number(let x), .number(let y)), (.string(let x), .string(let y)): x.utf8.elementsEqual(y.utf8)
        case (.array(let x), .array(let y)): x == y
        case (.object(let x), .object(let y)): x == y
        default: false
        }
    }
}

extension JSONValue {
    package static func number(_ value: Int) -> JSONValue { .number(String(value)) }

    package var isNull: Bool { self == .null }

    package var text: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    package var elements: [JSONValue]? {
        guard case .array(let elements) = self else { return nil }
        return elements
    }

    package var object: JSONObject? {
        guard case .object(let object) = self else { return nil }
        return object
    }

    package var integer: Int? {
        guard case .number(let spelling) = self else { return nil }
        return Int(spelling)
    }

    /// The member of an object; nil for everything else.
    package subscript(name: String) -> JSONValue? { object?[name] }
}

/// The members of a JSON object in the order they came; equal to another with the same members in any order.
package struct JSONObject: Sendable, Equatable, ExpressibleByDictionaryLiteral {
    package struct Member: Sendable {
        package var name: String
        package var value: JSONValue
    }

    package private(set) var members: [Member]

    package init() { members = [] }

    /// The names must differ.
    package init(dictionaryLiteral elements: (String, JSONValue)...) {
        members = elements.map { Member(name: $0.0, value: $0.1) }
    }

    init(from cursor: inout JSONCursor, budget: inout Int) throws(JSONFault) {
        members = []
        try cursor.openObject()
        while let name = try cursor.nextMember() {
            members.append(
                Member(name: try name.decoded(), value: try JSONValue(from: &cursor, budget: &budget)))
        }
        guard !JSONObject.hasDuplicates(members) else { throw .duplicateMember }
    }

    /// nil where there is no such member. Setting an absent member appends it; setting nil removes it.
    package subscript(name: String) -> JSONValue? {
        get { index(of: name).map { members[$0].value } }
        set {
            switch (index(of: name), newValue) {
            case (let index?, let value?): members[index].value = value
            case (let index?, nil): members.remove(at: index)
            case (nil, let value?): members.append(Member(name: name, value: value))
            case (nil, nil): break
            }
        }
    }

    /// Changes one member in place; nil stands for an absent one. The value is moved out and back, so that a text or
    /// a list that grows piece by piece is not copied each time.
    mutating func update<Failure: Error>(
        _ name: String, _ change: (inout JSONValue?) throws(Failure) -> Void
    ) throws(Failure) {
        guard let index = index(of: name) else {
            var value: JSONValue?
            try change(&value)
            self[name] = value
            return
        }
        var value: JSONValue? = members[index].value
        members[index].value = .null
        try change(&value)
        members[index].value = value ?? .null
    }

    package func without(_ names: String...) -> JSONObject {
        var copy = self
        copy.members.removeAll { member in names.contains { $0.utf8.elementsEqual(member.name.utf8) } }
        return copy
    }

    package static func == (a: JSONObject, b: JSONObject) -> Bool {
        guard a.members.count == b.members.count else { return false }
        let inOrder = zip(a.members, b.members).allSatisfy { $0.name.utf8.elementsEqual($1.name.utf8) }
        if inOrder { return zip(a.members, b.members).allSatisfy { $0.value == $1.value } }
        let others = Dictionary(b.members.map { (Array($0.name.utf8), $0.value) }) { first, _ in first }
        return a.members.allSatisfy { others[Array($0.name.utf8)] == $0.value }
    }

    private func index(of name: String) -> Int? {
        members.firstIndex { $0.name.utf8.elementsEqual(name.utf8) }
    }

    /// Objects of answers are small; only a large one is worth a set.
    private static func hasDuplicates(_ members: [Member]) -> Bool {
        if members.count > 16 {
            return Set(members.map { Array($0.name.utf8) }).count < members.count
        }
        for (index, member) in members.enumerated() {
            for earlier in members[..<index] where earlier.name.utf8.elementsEqual(member.name.utf8) { return true }
        }
        return false
    }
}
