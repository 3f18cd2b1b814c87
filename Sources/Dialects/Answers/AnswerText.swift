import Core

/// What a whole answer says: its texts and the calls of tools, in order; nil where it cannot be read or says nothing.
package func answerText(of whole: BytesView, dialect: Dialect) -> String? {
    guard let answer = try? JSONValue.parse(whole) else { return nil }
    var pieces: [String] = []
    switch dialect {
    case .chat:
        for choice in answer["choices"]?.elements ?? [] {
            pieces += contentTexts(choice["message"]?["content"])
            if let calls = choice["message"]?["tool_calls"]?.elements {
                pieces += calls.compactMap { $0["function"].map { String(decoding: $0.serialised, as: UTF8.self) } }
            }
        }
    case .completions: pieces = (answer["choices"]?.elements ?? []).compactMap { $0["text"]?.text }
    case .messages: pieces = contentTexts(answer["content"])
    case .responses:
        for item in answer["output"]?.elements ?? [] {
            pieces += contentTexts(item["content"])
            if let arguments = item["arguments"]?.text { pieces.append((item["name"]?.text ?? "") + arguments) }
        }
    case .embeddings: return nil
    }
    return pieces.isEmpty ? nil : pieces.joined(separator: "\n")
}

/// Of a content that is one text or a list of parts; a part that is a call of a tool says what it is called with.
func contentTexts(_ content: JSONValue?) -> [String] {
    if let text = content?.text { return [text] }
    return (content?.elements ?? []).compactMap { part in
        part["text"]?.text
            ?? part["input"].map { (part["name"]?.text ?? "") + String(decoding: $0.serialised, as: UTF8.self) }
    }
}
