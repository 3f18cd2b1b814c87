import Core

/// What the events of a Responses API stream have said so far: little, as the last one repeats the whole answer.
struct ResponseProgress {
    private var final: ResponseFacts?
    private var isDone = false

    mutating func take(name: UnsafeRawBufferPointer, data: UnsafeRawBufferPointer) throws(NotStored) -> EventKind {
        guard !isDone, !name.elementsEqual("error".utf8) else { throw .malformed }
        if data.elementsEqual("[DONE]".utf8) {
            guard final != nil else { throw .malformed }
            isDone = true
            return .answer
        }
        guard final == nil else { throw .malformed }
        do {
            final = try ResponseEvent(data).terminalFacts(name: name)
        } catch {
            throw .malformed
        }
        if let final { _ = try final.verdict() }
        return .answer
    }

    func verdict() throws(NotStored) -> Verdict {
        guard let final else { throw .incomplete }
        return try final.verdict()
    }
}

/// One event of a Responses API stream, read as far as its completeness goes.
struct ResponseEvent {
    private var type: JSONText?
    /// The bytes of the `response` member.
    private(set) var response: UnsafeRawBufferPointer?

    init(_ data: UnsafeRawBufferPointer) throws(JSONFault) {
        var cursor = try JSONCursor(data)
        try cursor.openObject()
        while let name = try cursor.nextMember() {
            if name.means("type") {
                type = try cursor.string()
            } else if name.means("response") {
                response = try cursor.skip()
            } else {
                try cursor.skip()
            }
        }
        try cursor.finish()
    }

    /// Whether the event is of that type, by its data or else by its name.
    func isA(_ word: StaticString, name: UnsafeRawBufferPointer) -> Bool {
        if let type { return type.means(word) }
        return word.withUTF8Buffer { name.elementsEqual($0) }
    }

    func isTerminal(name: UnsafeRawBufferPointer) -> Bool {
        isA("response.completed", name: name) || isA("response.incomplete", name: name)
            || isA("response.failed", name: name) || isA("response.cancelled", name: name)
    }

    /// The final response object, nil for an event that is not the last.
    func terminalFacts(name: UnsafeRawBufferPointer) throws(JSONFault) -> ResponseFacts? {
        if isA("error", name: name) { throw .syntax }
        guard isTerminal(name: name) else { return nil }
        guard let response else { throw .syntax }
        var cursor = try JSONCursor(response)
        return try ResponseFacts.read(&cursor)
    }
}
