import Core

/// What a request says before the last text of its user, as text: for those who have to understand that text.
package struct PriorConversation: Sendable, Equatable {
    /// From its beginning.
    package var system = ""
    /// What was said, each turn behind its role. Its end is nearest to the question.
    package var turns = ""

    /// Of both together, in bytes, and of the system's part.
    package static let limit = 4 << 10
    private static let systemLimit = 1 << 10

    /// Empty where nothing was said, or the request cannot be read.
    package init(_ body: BytesView, dialect: Dialect) {
        // The gap is the question itself, and empty.
        guard let rest = VariableText(body, dialect: dialect)?.rest,
            let request = rest.withUnsafeBytes({ try? JSONValue.parse($0) })
        else { return }
        var system: [String] = []
        var turns: [String] = []
        if let own = request[dialect == .responses ? "instructions" : "system"] { system += contentTexts(own) }
        for message in request[dialect == .responses ? "input" : "messages"]?.elements ?? [] {
            let text = contentTexts(message["content"]).filter { !$0.isEmpty }.joined(separator: "\n")
            guard !text.isEmpty else { continue }
            switch message["role"]?.text {
            case "system", "developer": system.append(text)
            case let role: turns.append("\(role ?? "other"): \(text)")
            }
        }
        self.system = PriorConversation.head(system.joined(separator: "\n"), PriorConversation.systemLimit)
        self.turns = PriorConversation.tail(
            turns.joined(separator: "\n"), PriorConversation.limit - self.system.utf8.count)
    }

    private static let mark = "…"

    private static func head(_ text: String, _ limit: Int) -> String {
        guard text.utf8.count > limit else { return text }
        var end = text.utf8.index(text.startIndex, offsetBy: limit - mark.utf8.count)
        while end > text.startIndex, end.samePosition(in: text.unicodeScalars) == nil {
            end = text.utf8.index(before: end)
        }
        return String(text.unicodeScalars[..<end]) + mark
    }

    private static func tail(_ text: String, _ limit: Int) -> String {
        guard text.utf8.count > limit else { return text }
        var start = text.utf8.index(text.endIndex, offsetBy: mark.utf8.count - limit)
        while start < text.endIndex, start.samePosition(in: text.unicodeScalars) == nil {
            start = text.utf8.index(after: start)
        }
        return mark + String(text.unicodeScalars[start...])
    }
}
