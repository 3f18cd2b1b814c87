/// How a further value of a member is joined to what is there already, nil at first.
typealias MergeRule = (_ new: JSONValue, _ old: inout JSONValue?) throws(ConversionFailure) -> Void

extension JSONValue {
    /// Says nothing: servers open streams with empty fields and fill them in later.
    var isBlank: Bool {
        switch self {
        case .null: true
        case .string(let text): text.isEmpty
        case .number(let spelling): spelling == "0"
        default: false
        }
    }
}

enum Merge {
    /// For members that say the same in every chunk that has them.
    static func constant(_ new: JSONValue, _ old: inout JSONValue?) throws(ConversionFailure) {
        guard let present = old, !present.isNull else {
            old = new
            return
        }
        if new.isNull || present == new { return }
        guard case .object(var merged) = present, case .object(let addition) = new else { throw .unmergeable }
        for member in addition.members { try merged.merge(member, by: constant) }
        old = .object(merged)
    }

    /// For constants that may be blank at first, and repeated as blanks later.
    static func named(_ new: JSONValue, _ old: inout JSONValue?) throws(ConversionFailure) {
        guard let present = old, !present.isBlank else {
            if old == nil || !new.isNull { old = new }
            return
        }
        if !new.isBlank { try constant(new, &old) }
    }

    /// For members that may change along the way; the last word counts.
    static func latest(_ new: JSONValue, _ old: inout JSONValue?) {
        if old == nil || !new.isNull { old = new }
    }

    /// For texts that come in pieces; null until the first one comes.
    static func text(_ new: JSONValue, _ old: inout JSONValue?) throws(ConversionFailure) {
        switch new {
        case .null:
            if old == nil { old = .null }
        case .string(let more):
            switch old {
            case .string(var text):
                // Let go of the other reference first, so that the text grows in place.
                old = nil
                text += more
                old = .string(text)
            case nil, .null: old = new
            default: throw .unmergeable
            }
        default: throw .unmergeable
        }
    }

    /// For names, which most servers send once and some in pieces. The same piece twice may be either a repetition
    /// or two pieces.
    static func spelled(_ new: JSONValue, _ old: inout JSONValue?) throws(ConversionFailure) {
        if old?.isBlank ?? true {
            if old == nil || !new.isNull { old = new }
        } else if !new.isBlank {
            guard old != new else { throw .unmergeable }
            try text(new, &old)
        }
    }

    /// For members of a delta that are not known by name.
    static func unknown(_ new: JSONValue, _ old: inout JSONValue?) throws(ConversionFailure) {
        switch (kind(old), kind(new)) {
        case (.text, .text): try spelled(new, &old)
        case (.list, .list):
            // Elements that carry an index are themselves pieces, and whether they are is asked of all but the old
            // ones, which have been asked.
            let arePieces = hasIndices(new.elements?[...] ?? []) || hasIndices(old?.elements?.prefix(1) ?? [])
            guard isEmptyList(old) || isEmptyList(new) || !arePieces else { throw .unmergeable }
            try list(new, &old)
        default: try constant(new, &old)
        }
    }

    private enum Kind { case text, list, other }

    /// Asked for rather than bound in a pattern: a binding would hold a second reference, and growing would copy.
    private static func kind(_ value: JSONValue?) -> Kind {
        switch value {
        case .string: .text
        case .array: .list
        default: .other
        }
    }

    private static func isEmptyList(_ value: JSONValue?) -> Bool { value?.elements?.isEmpty == true }

    private static func hasIndices(_ elements: ArraySlice<JSONValue>) -> Bool {
        elements.contains { $0["index"] != nil }
    }

    /// For lists that come in pieces.
    static func list(_ new: JSONValue, _ old: inout JSONValue?) throws(ConversionFailure) {
        guard case .array(var elements) = old, case .array(let more) = new else {
            try constant(new, &old)
            return
        }
        old = nil
        elements += more
        old = .array(elements)
    }

    /// For log-probabilities: an object of lists, whatever they are called.
    static func logprobs(_ new: JSONValue, _ old: inout JSONValue?) throws(ConversionFailure) {
        guard case .object(var merged) = old, case .object(let addition) = new else {
            try constant(new, &old)
            return
        }
        old = nil
        for member in addition.members { try merged.merge(member, by: list) }
        old = .object(merged)
    }

    /// For the name and the arguments of a call; a custom tool's arguments are called its input.
    static func call(_ new: JSONValue, _ old: inout JSONValue?) throws(ConversionFailure) {
        guard case .object(let addition) = new else {
            try constant(new, &old)
            return
        }
        var merged = old?.object ?? JSONObject()
        old = nil
        for member in addition.members {
            switch member.name {
            case "name": try merged.merge(member, by: spelled)
            case "arguments", "input": try merged.merge(member, by: text)
            default: try merged.merge(member, by: constant)
            }
        }
        old = .object(merged)
    }
}

extension JSONObject {
    mutating func merge(_ member: Member, by rule: MergeRule) throws(ConversionFailure) {
        try update(member.name) { (old) throws(ConversionFailure) in try rule(member.value, &old) }
    }
}
