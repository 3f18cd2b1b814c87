import Core

/// The `usage` member of an answer or chunk.
struct TokenUsage {
    var promptTokens: Int32 = -1
    var completionTokens: Int32 = -1

    /// Reads the next value, which may be null: then nil. Chat and completions speak of prompt and completion
    /// tokens, the other dialects of input and output tokens.
    static func read(_ cursor: inout JSONCursor) throws(JSONFault) -> TokenUsage? {
        guard try cursor.peek() == UInt8(ascii: "{") else {
            try cursor.skip()
            return nil
        }
        var usage = TokenUsage()
        try cursor.openObject()
        while let name = try cursor.nextMember() {
            if name.means("prompt_tokens") || name.means("input_tokens") {
                usage.promptTokens = count(try cursor.skip())
            } else if name.means("completion_tokens") || name.means("output_tokens") {
                usage.completionTokens = count(try cursor.skip())
            } else {
                try cursor.skip()
            }
        }
        return usage
    }

    private static func count(_ spelling: UnsafeRawBufferPointer) -> Int32 {
        guard !spelling.isEmpty, spelling.count <= 10 else { return -1 }
        var value: Int64 = 0
        for byte in spelling {
            guard byte >= 48, byte <= 57 else { return -1 }
            value = value * 10 + Int64(byte - 48)
        }
        return Int32(clamping: value)
    }
}

extension Verdict {
    /// Later reports replace earlier ones where they say something.
    mutating func take(_ usage: TokenUsage) {
        if usage.promptTokens >= 0 { promptTokens = usage.promptTokens }
        if usage.completionTokens >= 0 { completionTokens = usage.completionTokens }
    }
}

extension JSONCursor {
    /// Reads the next value: a string, or nil for null and every other kind.
    mutating func stringOrSkip() throws(JSONFault) -> JSONText? {
        if try peek() == UInt8(ascii: "\"") { return try string() }
        try skip()
        return nil
    }

    /// Reads the next value and says whether it is something other than null.
    mutating func isPresent() throws(JSONFault) -> Bool {
        let isNull = try peek() == UInt8(ascii: "n")
        try skip()
        return !isNull
    }

    /// Reads the next value as a small non-negative integer, nil for everything else.
    mutating func smallIndex() throws(JSONFault) -> Int? {
        let spelling = try skip()
        guard spelling.count <= 9, spelling.allSatisfy({ $0 >= 48 && $0 <= 57 }) else { return nil }
        return spelling.reduce(0) { $0 * 10 + Int($1 - 48) }
    }
}

/// How a choice, message or response ended.
enum Ending {
    case open, complete
    /// For a reason that makes the answer unfit to be repeated.
    case unfit

    /// `finish_reason` of chat and completions.
    static func ofChoice(_ reason: JSONText) -> Ending {
        let isComplete =
            reason.means("stop") || reason.means("length") || reason.means("tool_calls")
            || reason.means("function_call")
        return isComplete ? .complete : .unfit
    }

    /// `stop_reason` of messages.
    static func ofMessage(_ reason: JSONText) -> Ending {
        let isComplete =
            reason.means("end_turn") || reason.means("max_tokens") || reason.means("stop_sequence")
            || reason.means("tool_use")
        return isComplete ? .complete : .unfit
    }
}

/// One choice of a chat or completions answer, or what a chunk says of it.
struct ChoiceFacts {
    var index = 0
    var ending = Ending.open
    /// Whether it has the member that carries the answer: `message`, `delta` or `text`.
    var hasContent = false

    static func read(_ cursor: inout JSONCursor) throws(JSONFault) -> ChoiceFacts {
        var choice = ChoiceFacts()
        try cursor.openObject()
        while let name = try cursor.nextMember() {
            if name.means("index") {
                guard let index = try cursor.smallIndex() else { throw .syntax }
                choice.index = index
            } else if name.means("finish_reason") {
                if let reason = try cursor.stringOrSkip() { choice.ending = .ofChoice(reason) }
            } else if name.means("delta") || name.means("message") || name.means("text") {
                choice.hasContent = try cursor.isPresent()
            } else {
                try cursor.skip()
            }
        }
        return choice
    }
}

/// A Responses API `response` object.
struct ResponseFacts {
    var ending = Ending.open
    var usage: TokenUsage?
    var isStored = false
    var hasError = false
    var hasOutput = false

    static func read(_ cursor: inout JSONCursor) throws(JSONFault) -> ResponseFacts {
        var facts = ResponseFacts()
        var status: JSONText?
        var incompleteReason: JSONText?
        try cursor.openObject()
        while let name = try cursor.nextMember() {
            if name.means("status") {
                status = try cursor.stringOrSkip()
            } else if name.means("incomplete_details") {
                incompleteReason = try reason(&cursor)
            } else if name.means("usage") {
                facts.usage = try TokenUsage.read(&cursor)
            } else if name.means("store") {
                facts.isStored = try cursor.peek() == UInt8(ascii: "t")
                try cursor.skip()
            } else if name.means("error") {
                facts.hasError = try cursor.isPresent()
            } else if name.means("output") {
                facts.hasOutput = try cursor.peek() == UInt8(ascii: "[")
                try cursor.skip()
            } else {
                try cursor.skip()
            }
        }
        facts.ending = ending(status: status, incompleteReason: incompleteReason)
        return facts
    }

    private static func reason(_ cursor: inout JSONCursor) throws(JSONFault) -> JSONText? {
        guard try cursor.peek() == UInt8(ascii: "{") else {
            try cursor.skip()
            return nil
        }
        var reason: JSONText?
        try cursor.openObject()
        while let name = try cursor.nextMember() {
            if name.means("reason") { reason = try cursor.stringOrSkip() } else { try cursor.skip() }
        }
        return reason
    }

    private static func ending(status: JSONText?, incompleteReason: JSONText?) -> Ending {
        guard let status else { return .open }
        if status.means("completed") { return .complete }
        if status.means("in_progress") || status.means("queued") { return .open }
        if status.means("incomplete"), let incompleteReason, incompleteReason.means("max_output_tokens") {
            return .complete
        }
        return .unfit
    }

    /// The verdict on an answer that consists of this object.
    func verdict() throws(NotStored) -> Verdict {
        switch ending {
        case .open: throw .incomplete
        case .unfit: throw .finishReason
        case .complete: break
        }
        guard hasOutput, !hasError else { throw .malformed }
        var verdict = Verdict()
        if let usage { verdict.take(usage) }
        verdict.storedUpstream = isStored
        return verdict
    }
}
