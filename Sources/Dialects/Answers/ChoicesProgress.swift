import Core

/// What the chunks of a chat or completions stream have said so far.
struct ChoicesProgress {
    /// More choices than any server gives; bounds what a hostile index can cost.
    static let maxChoices = 256

    /// By choice index; nil for one that has not appeared.
    private var endings: [Ending?] = []
    private var totals = Verdict()
    private var hasUsageChunk = false
    private var isDone = false

    mutating func take(name: UnsafeRawBufferPointer, data: UnsafeRawBufferPointer) throws(NotStored) -> EventKind {
        guard !isDone, !name.elementsEqual("error".utf8) else { throw .malformed }
        if data.elementsEqual("[DONE]".utf8) {
            isDone = true
            return .answer
        }
        let chunk: ChunkFacts
        do {
            chunk = try ChunkFacts.read(data, into: &endings)
        } catch {
            throw .malformed
        }
        guard !chunk.hasError else { throw .malformed }
        if let usage = chunk.usage { totals.take(usage) }
        guard chunk.choices == 0 else {
            if endings.contains(.unfit) { throw .finishReason }
            return .answer
        }
        guard chunk.usage != nil else {
            // Azure opens its streams with a chunk that has an empty list of choices.
            guard chunk.hasChoices else { throw .malformed }
            return .answer
        }
        guard !hasUsageChunk else { throw .malformed }
        hasUsageChunk = true
        return .usage
    }

    func verdict() throws(NotStored) -> Verdict {
        guard let first = endings.first, first != nil else { throw .incomplete }
        for ending in endings {
            switch ending {
            case .complete: continue
            // Without its last event, a stream may have ended before a choice began.
            case nil: if !isDone { throw .incomplete }
            case .open: throw .incomplete
            case .unfit: throw .finishReason
            }
        }
        return totals
    }
}

/// What one chunk says, apart from the endings of its choices.
private struct ChunkFacts {
    var choices = 0
    var hasChoices = false
    var hasError = false
    var usage: TokenUsage?

    static func read(
        _ data: UnsafeRawBufferPointer, into endings: inout [Ending?]
    ) throws(JSONFault) -> ChunkFacts {
        var chunk = ChunkFacts()
        var cursor = try JSONCursor(data)
        try cursor.openObject()
        while let name = try cursor.nextMember() {
            if name.means("choices") {
                try chunk.readChoices(&cursor, into: &endings)
            } else if name.means("usage") {
                chunk.usage = try TokenUsage.read(&cursor)
            } else if name.means("error") {
                chunk.hasError = try cursor.isPresent()
            } else {
                try cursor.skip()
            }
        }
        try cursor.finish()
        return chunk
    }

    private mutating func readChoices(
        _ cursor: inout JSONCursor, into endings: inout [Ending?]
    ) throws(JSONFault) {
        guard try cursor.peek() == UInt8(ascii: "[") else {
            try cursor.skip()
            return
        }
        hasChoices = true
        try cursor.openArray()
        while try cursor.nextElement() {
            let choice = try ChoiceFacts.read(&cursor)
            guard choice.index < ChoicesProgress.maxChoices else { throw .tooLarge }
            choices += 1
            while endings.count <= choice.index { endings.append(nil) }
            // A chunk after the one with the finish reason may carry annotations, and says null.
            if choice.ending != .open || endings[choice.index] == nil { endings[choice.index] = choice.ending }
        }
    }
}
