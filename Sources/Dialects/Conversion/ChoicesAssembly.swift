import Core

/// Puts the chunks of a chat or completions stream together to the whole answer.
struct ChoicesAssembly {
    private let dialect: Dialect
    private var top = JSONObject()
    private var usage = JSONValue.null
    private var choices: [Int: ChoiceAssembly] = [:]

    init(dialect: Dialect) { self.dialect = dialect }

    mutating func take(_ chunk: JSONObject) throws(ConversionFailure) {
        for member in chunk.members {
            switch member.name {
            case "choices": try takeChoices(member.value)
            case "usage":
                if !member.value.isNull { usage = member.value }
            // Padding against traffic analysis; a whole answer has none.
            case "obfuscation": break
            case "object": if top["object"] == nil { top["object"] = member.value }
            case "created": if top["created"]?.isBlank ?? true { top["created"] = member.value }
            case "system_fingerprint", "service_tier": try top.merge(member, by: Merge.latest)
            case "id", "model": try top.merge(member, by: Merge.named)
            default: try top.merge(member, by: Merge.constant)
            }
        }
    }

    private mutating func takeChoices(_ value: JSONValue) throws(ConversionFailure) {
        guard !value.isNull else { return }
        guard let elements = value.elements else { throw .unmergeable }
        for element in elements {
            guard let choice = element.object else { throw .unmergeable }
            let index = choice["index"] == nil ? 0 : choice["index"]?.integer
            guard let index, index >= 0, index < ChoicesProgress.maxChoices else { throw .unmergeable }
            try choices[index, default: ChoiceAssembly(dialect: dialect)].take(choice)
        }
    }

    func whole() throws(ConversionFailure) -> JSONObject {
        guard !usage.isNull else { throw .noUsage }
        var whole = top
        if dialect == .chat { whole["object"] = .string("chat.completion") }
        var list: [JSONValue] = []
        for (index, choice) in choices.sorted(by: { $0.key < $1.key }) {
            list.append(.object(try choice.whole(index: index)))
        }
        whole["choices"] = .array(list)
        whole["usage"] = usage
        return whole
    }
}

/// Puts one choice together.
private struct ChoiceAssembly {
    private let dialect: Dialect
    private var members = JSONObject()
    private var message = JSONObject()
    private var toolCalls: [Int: JSONObject] = [:]
    private var hasContent = false

    init(dialect: Dialect) { self.dialect = dialect }

    mutating func take(_ choice: JSONObject) throws(ConversionFailure) {
        for member in choice.members {
            switch member.name {
            case "index": break
            case "delta" where dialect == .chat: try takeDelta(member.value)
            case "text" where dialect == .completions:
                try members.merge(member, by: Merge.text)
                hasContent = true
            case "logprobs": try members.merge(member, by: Merge.logprobs)
            default: try members.merge(member, by: Merge.constant)
            }
        }
    }

    private mutating func takeDelta(_ value: JSONValue) throws(ConversionFailure) {
        guard !value.isNull else { return }
        guard let delta = value.object else { throw .unmergeable }
        hasContent = true
        for member in delta.members {
            switch member.name {
            case "role": try message.merge(member, by: Merge.named)
            case "content", "refusal", "reasoning_content", "reasoning": try message.merge(member, by: Merge.text)
            case "tool_calls": try takeToolCalls(member.value)
            case "function_call": try message.merge(member, by: Merge.call)
            default: try message.merge(member, by: Merge.unknown)
            }
        }
    }

    private mutating func takeToolCalls(_ value: JSONValue) throws(ConversionFailure) {
        // Holds the place; the calls themselves are put in at the end.
        if message["tool_calls"]?.isNull ?? true { message["tool_calls"] = value.isNull ? .null : .array([]) }
        guard !value.isNull else { return }
        guard let elements = value.elements else { throw .unmergeable }
        for element in elements {
            guard let piece = element.object, let index = piece["index"]?.integer else { throw .unmergeable }
            for member in piece.members where member.name != "index" {
                try toolCalls[index, default: JSONObject()].merge(member, by: ChoiceAssembly.rule(member.name))
            }
        }
    }

    private static func rule(_ name: String) -> MergeRule {
        switch name {
        case "id", "type": Merge.named
        case "function", "custom": Merge.call
        default: Merge.constant
        }
    }

    func whole(index: Int) throws(ConversionFailure) -> JSONObject {
        guard hasContent else { throw .unmergeable }
        var whole: JSONObject = ["index": .number(index)]
        if dialect == .chat {
            var message = self.message
            if message["role"] == nil { message["role"] = .string("assistant") }
            if message["content"] == nil { message["content"] = .null }
            if !toolCalls.isEmpty {
                message["tool_calls"] = .array(
                    toolCalls.sorted { $0.key < $1.key }.map { .object($0.value) })
            }
            whole["message"] = .object(message)
        }
        for member in members.members { whole[member.name] = member.value }
        return whole
    }
}
