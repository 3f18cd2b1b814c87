import Core

/// Whether a body is a complete answer of the dialect, and what it says about itself. The HTTP status is the
/// caller's to judge. Blank lines before the document, which some servers send to keep a connection alive, are
/// passed over.
package func judgeWhole(_ body: UnsafeRawBufferPointer, dialect: Dialect) throws(NotStored) -> Verdict {
    let answer: WholeFacts
    do {
        answer = try WholeFacts.read(body, dialect: dialect)
    } catch {
        throw .malformed
    }
    return try answer.verdict(dialect: dialect)
}

/// The members of a whole answer that tell whether it is complete.
private struct WholeFacts {
    var hasError = false
    var usage: TokenUsage?
    /// Of each choice; of the message, for the messages dialect.
    var endings: [Ending] = []
    /// Whether what the answer is about is there: content in each choice, embeddings in each datum.
    var hasContent = true
    var response = ResponseFacts()

    static func read(_ body: UnsafeRawBufferPointer, dialect: Dialect) throws(JSONFault) -> WholeFacts {
        var facts = WholeFacts()
        var cursor = try JSONCursor(body)
        if dialect == .responses {
            facts.response = try ResponseFacts.read(&cursor)
        } else {
            try facts.readMembers(&cursor, dialect: dialect)
        }
        try cursor.finish()
        return facts
    }

    private mutating func readMembers(_ cursor: inout JSONCursor, dialect: Dialect) throws(JSONFault) {
        var found = false
        try cursor.openObject()
        while let name = try cursor.nextMember() {
            if name.means("error") {
                hasError = try cursor.isPresent()
            } else if name.means("usage") {
                usage = try TokenUsage.read(&cursor)
            } else if dialect == .messages, name.means("stop_reason") {
                endings = [try cursor.stringOrSkip().map(Ending.ofMessage) ?? .open]
            } else if name.means(WholeFacts.carrier(of: dialect)) {
                found = true
                try readCarrier(&cursor, dialect: dialect)
            } else {
                try cursor.skip()
            }
        }
        if !found { hasContent = false }
    }

    private static func carrier(of dialect: Dialect) -> StaticString {
        switch dialect {
        case .embeddings: "data"
        case .messages: "content"
        case .chat, .completions, .responses: "choices"
        }
    }

    private mutating func readCarrier(_ cursor: inout JSONCursor, dialect: Dialect) throws(JSONFault) {
        var elements = 0
        try cursor.openArray()
        while try cursor.nextElement() {
            elements += 1
            switch dialect {
            case .messages, .responses: try cursor.skip()
            case .embeddings:
                if try !WholeFacts.hasEmbedding(&cursor) { hasContent = false }
            case .chat, .completions:
                let choice = try ChoiceFacts.read(&cursor)
                if !choice.hasContent { hasContent = false }
                endings.append(choice.ending)
            }
        }
        // A message may have nothing to say; a list of choices or embeddings may not be empty.
        if elements == 0, dialect != .messages { hasContent = false }
    }

    /// An embedding is a list of numbers, or base64.
    private static func hasEmbedding(_ cursor: inout JSONCursor) throws(JSONFault) -> Bool {
        var found = false
        try cursor.openObject()
        while let name = try cursor.nextMember() {
            guard name.means("embedding") else {
                try cursor.skip()
                continue
            }
            // `[]` and `""` are two bytes long and hold nothing.
            let first = try cursor.peek()
            let isVector = first == UInt8(ascii: "[") || first == UInt8(ascii: "\"")
            found = try cursor.skip().count > 2 && isVector
        }
        return found
    }

    func verdict(dialect: Dialect) throws(NotStored) -> Verdict {
        if dialect == .responses { return try response.verdict() }
        guard !hasError, hasContent else { throw .malformed }
        if endings.contains(.unfit) { throw .finishReason }
        if endings.contains(.open) { throw dialect == .messages ? .incomplete : .finishReason }
        if dialect == .messages, endings.isEmpty { throw .malformed }
        var verdict = Verdict()
        if let usage { verdict.take(usage) }
        return verdict
    }
}
