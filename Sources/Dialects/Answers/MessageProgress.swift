import Core

/// What the events of an Anthropic messages stream have said so far.
struct MessageProgress {
    private enum Stage { case waiting, running, stopped }

    private var stage = Stage.waiting
    private var ending = Ending.open
    /// Content blocks come one after the other; whether one is being sent.
    private var isInBlock = false
    private var totals = Verdict()

    mutating func take(data: UnsafeRawBufferPointer) throws(NotStored) -> EventKind {
        let event: MessageEvent
        do {
            event = try MessageEvent.read(data)
        } catch {
            throw .malformed
        }
        if let usage = event.usage { totals.take(usage) }
        switch event.kind {
        case .ping: return .wire
        case .error: throw .malformed
        case .messageStart:
            guard stage == .waiting else { throw .malformed }
            stage = .running
        case .blockStart:
            guard stage == .running, !isInBlock else { throw .malformed }
            isInBlock = true
        case .blockDelta:
            guard stage == .running, isInBlock else { throw .malformed }
        case .blockStop:
            guard stage == .running, isInBlock else { throw .malformed }
            isInBlock = false
        case .messageDelta:
            guard stage == .running else { throw .malformed }
            if event.ending != .open { ending = event.ending }
        case .messageStop:
            guard stage == .running, !isInBlock else { throw .malformed }
            stage = .stopped
        case .unknown:
            // New kinds of events may be added, and clients are told to pass over them.
            guard stage == .running else { throw .malformed }
        }
        if ending == .unfit { throw .finishReason }
        return .answer
    }

    func verdict() throws(NotStored) -> Verdict {
        guard stage == .stopped else { throw .incomplete }
        switch ending {
        case .open: throw .incomplete
        case .unfit: throw .finishReason
        case .complete: return totals
        }
    }
}

private struct MessageEvent {
    enum Kind {
        case messageStart, blockStart, blockDelta, blockStop, messageDelta, messageStop, ping, error, unknown
    }

    var kind = Kind.unknown
    var ending = Ending.open
    var usage: TokenUsage?

    static func read(_ data: UnsafeRawBufferPointer) throws(JSONFault) -> MessageEvent {
        var event = MessageEvent()
        var hasType = false
        var cursor = try JSONCursor(data)
        try cursor.openObject()
        while let name = try cursor.nextMember() {
            if name.means("type") {
                event.kind = kind(try cursor.string())
                hasType = true
            } else if name.means("message") || name.means("delta") {
                try event.readInner(&cursor)
            } else if name.means("usage") {
                event.usage = try TokenUsage.read(&cursor)
            } else {
                try cursor.skip()
            }
        }
        try cursor.finish()
        guard hasType else { throw .syntax }
        return event
    }

    /// The `message` of a `message_start` and the `delta` of a `message_delta`.
    private mutating func readInner(_ cursor: inout JSONCursor) throws(JSONFault) {
        guard try cursor.peek() == UInt8(ascii: "{") else {
            try cursor.skip()
            return
        }
        try cursor.openObject()
        while let name = try cursor.nextMember() {
            if name.means("usage") {
                usage = try TokenUsage.read(&cursor)
            } else if name.means("stop_reason") {
                if let reason = try cursor.stringOrSkip() { ending = .ofMessage(reason) }
            } else {
                try cursor.skip()
            }
        }
    }

    private static func kind(_ type: JSONText) -> Kind {
        if type.means("content_block_delta") { return .blockDelta }
        if type.means("content_block_start") { return .blockStart }
        if type.means("content_block_stop") { return .blockStop }
        if type.means("message_start") { return .messageStart }
        if type.means("message_delta") { return .messageDelta }
        if type.means("message_stop") { return .messageStop }
        if type.means("ping") { return .ping }
        if type.means("error") { return .error }
        return .unknown
    }
}
