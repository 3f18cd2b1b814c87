import Dialects
import TestKit

/// Makes request bodies, spells them in different ways, and changes what they mean.
struct RequestGenerator {
    private var random: SeededRandom

    init(seed: UInt64) { random = SeededRandom(seed: seed) }

    mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &random) }

    mutating func chance(_ percent: Int) -> Bool { below(100) < percent }

    mutating func pick<Element>(_ elements: [Element]) -> Element { elements[below(elements.count)] }

    // MARK: Values

    /// A body without any member that is left out of the key.
    mutating func body() -> [Reference.Member] {
        var members = [Reference.Member]()
        members.append(member("model", .string(pick(["gpt-4o", "deepseek-chat", "模型/1"]))))
        members.append(member("messages", .array((0..<1 + below(4)).map { _ in message() })))
        for _ in 0..<below(8) { add(&members, name(), value(depth: 3)) }
        return members.shuffled(using: &random)
    }

    /// Members that are left out of the key, with values that are of use.
    mutating func leftOutMembers() -> [Reference.Member] {
        let usage = [Reference.Member(name: scalars("include_usage"), value: .bool(chance(50)))]
        let candidates = [
            member("stream", pick([.bool(true), .bool(false), .null])),
            member("stream_options", pick([.null, .object([]), .object(usage)])),
            member("store", pick([.bool(true), .bool(false), .null])),
            member("user", value(depth: 2)), member("metadata", value(depth: 3)),
            member("service_tier", .string("auto")), member("prompt_cache_key", value(depth: 1)),
            member("safety_identifier", value(depth: 1)),
        ]
        return candidates.filter { _ in chance(40) }
    }

    private mutating func message() -> Reference {
        .object([
            member("role", .string(pick(["system", "user", "assistant"]))),
            member("content", chance(80) ? .string(text()) : value(depth: 2)),
        ])
    }

    mutating func value(depth: Int) -> Reference {
        switch below(depth > 0 ? 8 : 6) {
        case 0: return .null
        case 1: return .bool(chance(50))
        case 2, 3: return number()
        case 4, 5: return .string(text())
        case 6: return .array((0..<below(5)).map { _ in value(depth: depth - 1) })
        default:
            var members = [Reference.Member]()
            for _ in 0..<below(chance(10) ? 40 : 6) { add(&members, name(), value(depth: depth - 1)) }
            return .object(members)
        }
    }

    private mutating func number() -> Reference {
        guard chance(90) else { return .number(isNegative: false, digits: [], power: 0) }
        var digits = (0..<1 + below(chance(10) ? 40 : 6)).map { _ in UInt8(48 + below(10)) }
        digits[0] = UInt8(49 + below(9))
        digits[digits.count - 1] = UInt8(49 + below(9))
        return .number(isNegative: chance(20), digits: digits, power: below(60) - 30)
    }

    private mutating func text() -> String {
        let pieces = [
            "a", "Ab c", "\"", "\\", "/", "\n", "\u{0}", "\u{1F}", "é", "中文", "😂", "\u{E000}", "\u{7F}", "    ",
        ]
        return (0..<below(chance(10) ? 60 : 8)).map { _ in pick(pieces) }.joined()
    }

    private mutating func name() -> [UInt32] {
        let names = [
            "temperature", "top_p", "seed", "tools", "a", "b", "aa", "temperature2", "\"q\"", "é", "😂", "\u{FB33}",
        ]
        return scalars(chance(70) ? pick(names) : text())
    }

    private func member(_ name: String, _ value: Reference) -> Reference.Member {
        Reference.Member(name: scalars(name), value: value)
    }

    private func scalars(_ text: String) -> [UInt32] { text.unicodeScalars.map(\.value) }

    private mutating func add(_ members: inout [Reference.Member], _ name: [UInt32], _ value: Reference) {
        guard !members.contains(where: { $0.name == name }) else { return }
        members.append(Reference.Member(name: name, value: value))
    }

    // MARK: Changes

    /// The body with another meaning; its `model` stays a string.
    mutating func changed(_ body: [Reference.Member]) -> [Reference.Member] {
        var members = body
        let index = below(members.count)
        let isModel = members[index].name == scalars("model")
        switch below(10) {
        case 0: members.append(member("added", pick([.null, .bool(false), .string(""), .array([])])))
        case 1 where !isModel: members.remove(at: index)
        case 2 where !isModel: members[index].name.append(0x78)
        default: members[index].value = isModel ? .string(text() + "!") : changed(members[index].value)
        }
        return members
    }

    private mutating func changed(_ value: Reference) -> Reference {
        switch value {
        case .null: return pick([.bool(false), .string(""), .string("null"), .array([]), .object([])])
        case .bool(let flag):
            return pick([.bool(!flag), .string(flag ? "true" : "false"), .array([value]), .null, one])
        case .number(let isNegative, let digits, let power):
            guard !digits.isEmpty else { return pick([one, .string("0"), .null, .bool(false)]) }
            return pick([
                .number(isNegative: !isNegative, digits: digits, power: power),
                .number(isNegative: isNegative, digits: digits, power: power + 1),
                .number(isNegative: isNegative, digits: digits + [49], power: power),
                .string(value.canonical()), .array([value]),
            ])
        case .string(let text):
            return pick([.string(text + [0x20]), .string([0x20] + text), .array([value]), .null, .object([])])
        case .array(let items): return changed(items)
        case .object(let members): return changedObject(members)
        }
    }

    private var one: Reference { .number(isNegative: false, digits: [49], power: 1) }

    private mutating func changed(_ items: [Reference]) -> Reference {
        guard !items.isEmpty else { return pick([.object([]), .array([.null]), .null, .array([.array([])])]) }
        var items = items
        let index = below(items.count)
        let other = below(items.count)
        switch below(5) {
        case 0: items.remove(at: index)
        case 1: items.insert(.null, at: index)
        case 2 where items[index] != items[other]: items.swapAt(index, other)
        default: items[index] = changed(items[index])
        }
        return .array(items)
    }

    private mutating func changedObject(_ members: [Reference.Member]) -> Reference {
        guard !members.isEmpty else { return pick([.array([]), .object([member("user", .null)]), .null]) }
        var members = members
        let index = below(members.count)
        switch below(5) {
        case 0: members.remove(at: index)
        case 1: members[index].name.append(0x78)
        default: members[index].value = changed(members[index].value)
        }
        return .object(members)
    }

    // MARK: Spelling

    /// One of the many ways to write the same body.
    mutating func spell(_ members: [Reference.Member]) -> [UInt8] {
        Array((space() + spell(.object(members)) + space()).utf8)
    }

    private mutating func spell(_ value: Reference) -> String {
        switch value {
        case .null: return "null"
        case .bool(let flag): return flag ? "true" : "false"
        case .number(let isNegative, let digits, let power):
            return (isNegative ? "-" : "") + spell(String(decoding: digits, as: UTF8.self), power)
        case .string(let scalars): return quote(scalars)
        case .array(let items):
            return "[" + items.map { space() + spell($0) + space() }.joined(separator: ",") + "]"
        case .object(let members):
            let spelled = members.shuffled(using: &random).map {
                space() + quote($0.name) + space() + ":" + space() + spell($0.value) + space()
            }
            return "{" + spelled.joined(separator: ",") + "}"
        }
    }

    private mutating func space() -> String {
        chance(70) ? "" : (0..<below(3)).map { _ in pick([" ", "\n", "\t", "\r"]) }.joined()
    }

    private mutating func quote(_ scalars: [UInt32]) -> String {
        var text = "\""
        for scalar in scalars {
            let short: [UInt32: String] = [
                0x22: "\\\"", 0x5C: "\\\\", 0x2F: "\\/", 8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r",
            ]
            let isEscaped = scalar < 32 || scalar == 0x22 || scalar == 0x5C
            if let escape = short[scalar], chance(50) {
                text += escape
            } else if isEscaped || chance(15) {
                text += String(Character(Unicode.Scalar(scalar) ?? "?")).utf16.map { "\\u" + hex($0) }.joined()
            } else {
                text.unicodeScalars.append(Unicode.Scalar(scalar) ?? "?")
            }
        }
        return text + "\""
    }

    private mutating func hex(_ unit: UInt16) -> String {
        let digits = String(unit, radix: 16, uppercase: chance(50))
        return String(repeating: "0", count: 4 - digits.count) + digits
    }

    /// 0.digits × 10^power.
    private mutating func spell(_ digits: String, _ power: Int) -> String {
        let zeros = String(repeating: "0", count: below(3))
        guard !digits.isEmpty else {
            return pick(["", "-"]) + "0" + pick(["", ".", "."]).appending(zeros: zeros)
                + pick(["", "e7", "E-2", "e+0"])
        }
        switch below(4) {
        case 0: return digits + zeros + exponent(power - digits.count - zeros.count)
        case 1: return "0." + zeros + digits + exponent(power + zeros.count)
        case 2: return digits.prefix(1) + "." + digits.dropFirst() + "0" + zeros + exponent(power - 1)
        default: return Reference.number(isNegative: false, digits: Array(digits.utf8), power: power).canonical()
        }
    }

    private mutating func exponent(_ value: Int) -> String {
        if value == 0, chance(50) { return "" }
        let sign = value < 0 ? "-" : pick(["", "+"])
        return pick(["e", "E"]) + sign + pick(["", "0"]) + String(value.magnitude)
    }
}

extension String {
    /// A point needs a digit behind it.
    fileprivate func appending(zeros: String) -> String { isEmpty ? "" : self + "0" + zeros }
}
