import Core

/// A request with a gap where the last text of its user stood.
package struct VariableText: Sendable {
    package var text: String
    /// The body with the gap, which is a text of its own so that no question is told from another by it.
    package var rest: [UInt8]

    /// What stands in the gap. That a user may write it too does no harm: where the gap is follows from the rest.
    private static let gap = JSONValue.string("")

    /// nil where the last thing said is not a text of the user's: then nothing of the request may vary.
    ///
    /// Only a request that reads the same to everybody comes here: its key was made before.
    package init?(_ body: BytesView, dialect: Dialect) {
        guard case .object(var request) = try? JSONValue.parse(body) else { return nil }
        let member: String
        let taken: (text: String, rest: JSONValue)?
        switch dialect {
        case .chat, .messages:
            member = "messages"
            taken = request[member].flatMap { VariableText.takeFromLast($0, partTypes: ["text"]) }
        case .completions:
            member = "prompt"
            // An answer that repeats the text is an answer to that text alone.
            guard request["echo"].map({ $0 == .bool(false) || $0 == .null }) ?? true else { return nil }
            taken = request[member].flatMap(VariableText.takeWhole)
        case .responses:
            member = "input"
            taken = request[member].flatMap {
                VariableText.takeWhole($0) ?? VariableText.takeFromLast($0, partTypes: ["input_text"])
            }
        case .embeddings: return nil
        }
        guard let taken, !taken.text.isEmpty else { return nil }
        request[member] = taken.rest
        text = taken.text
        rest = JSONValue.object(request).serialised
    }

    private static func takeWhole(_ value: JSONValue) -> (String, JSONValue)? { value.text.map { ($0, gap) } }

    /// From a conversation that ends with a message of the user's.
    private static func takeFromLast(_ value: JSONValue, partTypes: [String]) -> (String, JSONValue)? {
        guard var messages = value.elements, case .object(var last) = messages.last, last["role"]?.text == "user",
            last["type"].map({ $0.text == "message" }) ?? true, let content = last["content"],
            let (text, rest) = takeWhole(content) ?? takeFromParts(content, partTypes)
        else { return nil }
        last["content"] = rest
        messages[messages.count - 1] = .object(last)
        return (text, .array(messages))
    }

    /// The last of several texts varies: those before it are often a document that it is about. Pictures and the like
    /// are no texts, and whoever sends them asks about them.
    private static func takeFromParts(_ value: JSONValue, _ types: [String]) -> (String, JSONValue)? {
        guard var parts = value.elements, !parts.isEmpty,
            parts.allSatisfy({ part in part["text"]?.text != nil && types.contains { part["type"]?.text == $0 } }),
            case .object(var last) = parts[parts.count - 1], let text = last["text"]?.text
        else { return nil }
        last["text"] = gap
        parts[parts.count - 1] = .object(last)
        return (text, .array(parts))
    }
}
