import Core

/// Watches one streamed answer as it arrives: tells what belongs to it, and in the end whether it is complete.
///
/// Watching never holds an answer up or loses a byte of it: what cannot be understood is handed on all the same,
/// and remembered as the reason why the answer may not be kept.
package struct StreamWatcher {
    /// The longest event that is understood, in bytes. The last event of a Responses stream repeats the whole answer.
    package static let maxEvent = 16 << 20

    /// Why the answer may not be kept, as far as is known by now. It never changes once set.
    package private(set) var failure: NotStored?
    private var splitter: SSESplitter
    private var progress: AnswerProgress
    /// An event was longer than the limit: from then on pieces pass unread.
    private var isBlind = false

    package init(dialect: Dialect, maxEvent: Int = StreamWatcher.maxEvent) {
        splitter = SSESplitter(limit: maxEvent)
        progress = AnswerProgress(dialect: dialect)
    }

    /// Takes the next piece of the stream and emits every block that it completes.
    package mutating func feed(_ piece: UnsafeRawBufferPointer, emit: (StreamPiece) -> Void) {
        guard !isBlind else {
            if !piece.isEmpty { emit(.wire(piece)) }
            return
        }
        do {
            try splitter.feed(piece) { block in
                StreamWatcher.take(block, &progress, &failure, emit)
            }
        } catch {
            failure = failure ?? .tooLarge
            isBlind = true
            splitter.rest.withUnsafeBytes { emit(.wire($0)) }
        }
    }

    /// The upstream ended the stream as its framing said it would. Emits what is left of it and gives the verdict.
    package mutating func finish(emit: (StreamPiece) -> Void) throws(NotStored) -> Verdict {
        if !isBlind {
            splitter.finish { block in StreamWatcher.take(block, &progress, &failure, emit) }
            finishRest(emit: emit)
        }
        if let failure { throw failure }
        return try progress.verdict()
    }

    /// A stream whose last line lacks its end is half an event, except that some servers end so after `[DONE]`.
    private mutating func finishRest(emit: (StreamPiece) -> Void) {
        let rest = splitter.rest
        guard !rest.isEmpty else { return }
        let tail = rest.reversed().drop { $0 == 0x0A || $0 == 0x0D }.reversed()
        guard tail.elementsEqual("data: [DONE]".utf8), progress.endsWithDone else {
            failure = failure ?? .incomplete
            rest.withUnsafeBytes { emit(.wire($0)) }
            return
        }
        rest.withUnsafeBytes { bytes in
            let data = UnsafeRawBufferPointer(rebasing: bytes[6..<12])
            let name = UnsafeRawBufferPointer(rebasing: bytes[..<0])
            let block = SSEBlock(content: .event(name: name, data: data), raw: bytes)
            StreamWatcher.take(block, &progress, &failure, emit)
        }
    }

    private static func take(
        _ block: SSEBlock, _ progress: inout AnswerProgress, _ failure: inout NotStored?,
        _ emit: (StreamPiece) -> Void
    ) {
        guard case .event(let name, let data) = block.content else {
            emit(.wire(block.raw))
            return
        }
        var kind = EventKind.answer
        do {
            kind = try progress.take(name: name, data: data)
        } catch {
            failure = failure ?? error
        }
        switch kind {
        case .answer: emit(.answer(block.raw))
        case .usage: emit(.usage(block.raw))
        case .wire: emit(.wire(block.raw))
        }
    }
}

enum EventKind { case answer, usage, wire }

/// What the events of a stream have said so far, in the terms of its dialect.
private struct AnswerProgress {
    let dialect: Dialect
    // Only the dialect's own one is used; separate fields let each event change it in place.
    var choices = ChoicesProgress()
    var message = MessageProgress()
    var response = ResponseProgress()

    init(dialect: Dialect) { self.dialect = dialect }

    var endsWithDone: Bool { dialect == .chat || dialect == .completions }

    mutating func take(name: UnsafeRawBufferPointer, data: UnsafeRawBufferPointer) throws(NotStored) -> EventKind {
        switch dialect {
        case .chat, .completions: try choices.take(name: name, data: data)
        case .messages: try message.take(data: data)
        case .responses: try response.take(name: name, data: data)
        case .embeddings: throw .malformed
        }
    }

    func verdict() throws(NotStored) -> Verdict {
        switch dialect {
        case .chat, .completions: try choices.verdict()
        case .messages: try message.verdict()
        case .responses: try response.verdict()
        case .embeddings: throw .malformed
        }
    }
}
