import Core

/// What a request's body says to Refrain itself. Positions are byte offsets in the body as the client sent it.
package struct RequestFacts: Sendable, Equatable {
    package let dialect: Dialect
    /// `stream: true`.
    package fileprivate(set) var wantsStream = false
    /// `stream_options.include_usage: true`.
    package fileprivate(set) var wantsUsage = false
    /// Whether the provider is asked to keep the answer under its id: `store`, which the Responses API
    /// takes as true where it is absent.
    package fileprivate(set) var storesUpstream: Bool
    /// How many tokens the answer may have; nil where the request does not say.
    package fileprivate(set) var maxOutput: Int?
    /// The text of `model`, between its quotes.
    package fileprivate(set) var modelRange = 0..<0
    /// Where usage can be asked for.
    fileprivate(set) var usageEdit = UsageEdit.insertOptions(at: 0)

    init(dialect: Dialect) {
        self.dialect = dialect
        storesUpstream = dialect == .responses
    }

    /// How many tokens the request may take, prompt and answer together: an estimate for limits.
    package func tokenEstimate(bodyCount: Int) -> Int {
        RequestFacts.tokenEstimate(bodyCount: bodyCount, output: maxOutput)
    }

    /// The same of a request that is passed on unread.
    package static func tokenEstimate(unreadCount: Int) -> Int { tokenEstimate(bodyCount: unreadCount, output: nil) }

    private static func tokenEstimate(bodyCount: Int, output: Int?) -> Int {
        min(bodyCount / bytesPerToken, mostTokens) + min(output ?? usualOutput, mostTokens)
    }

    /// Of English and of JSON around it, roughly.
    private static let bytesPerToken = 4
    /// What is assumed of a request that sets no limit.
    private static let usualOutput = 256
    /// Of a prompt, and of an answer. Who allows a longer answer means "no limit", and where a body is longer it holds
    /// pictures, which are few tokens: neither must take everybody's share until it is settled.
    private static let mostTokens = 131_072

    /// The model's name; `body` is the body that was read.
    package func model(in body: UnsafeRawBufferPointer) -> String {
        let text = UnsafeRawBufferPointer(rebasing: body[modelRange])
        guard text.contains(UInt8(ascii: "\\")) else { return String(decoding: text, as: UTF8.self) }
        return CanonicalName.unescape(text)
    }
}

/// The change to a body that makes it ask for usage.
enum UsageEdit: Sendable, Equatable {
    /// There is no `stream_options`: add it at the start of the body's object.
    case insertOptions(at: Int)
    /// `stream_options` is null.
    case replaceOptions(Range<Int>)
    /// `stream_options` is an object without `include_usage`: add it at the start of that object.
    case insertMember(at: Int, isAlone: Bool)
    /// `include_usage` is false or null.
    case replaceMember(Range<Int>)
}

/// Members that steer Refrain.
enum Control: UInt8 {
    case none, model, stream, streamOptions, includeUsage, store, background, conversation, maxOutput
}

/// Gathers the facts while a body is read. An unusable value is reported only after the whole body has proved to
/// be JSON, so that the reason given does not depend on the order of members.
struct ControlReader {
    private var facts: RequestFacts
    private var hasModel = false
    private var failure: BypassReason?
    /// Whether the members being read are those of `stream_options`.
    var isInOptions = false

    /// The members of the outermost object that steer Refrain.
    static let names: KeyValuePairs<String, Control> = [
        "model": .model, "stream": .stream, "stream_options": .streamOptions, "store": .store,
        "background": .background, "conversation": .conversation, "max_tokens": .maxOutput,
        "max_completion_tokens": .maxOutput, "max_output_tokens": .maxOutput,
    ]

    init(dialect: Dialect) { facts = RequestFacts(dialect: dialect) }

    /// The outermost object begins at `position`.
    mutating func begin(at position: Int) { facts.usageEdit = .insertOptions(at: position + 1) }

    /// A control's value stands at `range` of `body`.
    mutating func note(_ control: Control, firstByte: UInt8, _ range: Range<Int>, in body: UnsafeRawPointer) {
        switch control {
        case .none: break
        case .model:
            guard firstByte == UInt8(ascii: "\"") else { return fail(.unusableField) }
            facts.modelRange = range.lowerBound + 1..<range.upperBound - 1
            hasModel = true
        case .maxOutput: facts.maxOutput = number(range, in: body) ?? facts.maxOutput
        case .stream: facts.wantsStream = flag(firstByte) ?? false
        case .store: facts.storesUpstream = flag(firstByte) ?? facts.storesUpstream
        case .includeUsage:
            facts.wantsUsage = flag(firstByte) ?? false
            facts.usageEdit = .replaceMember(range)
        case .streamOptions: noteOptions(firstByte, range, in: body)
        case .background:
            if facts.dialect == .responses, flag(firstByte) == true { fail(.stateful) }
        case .conversation:
            if facts.dialect == .responses, firstByte != UInt8(ascii: "n") { fail(.stateful) }
        }
    }

    func finish() throws(BypassReason) -> RequestFacts {
        if let failure { throw failure }
        guard hasModel else { throw .unusableField }
        return facts
    }

    private mutating func noteOptions(_ firstByte: UInt8, _ range: Range<Int>, in body: UnsafeRawPointer) {
        if firstByte == UInt8(ascii: "n") {
            facts.usageEdit = .replaceOptions(range)
        } else if firstByte != UInt8(ascii: "{") {
            fail(.unusableField)
        } else if case .insertOptions = facts.usageEdit {
            // No `include_usage` was met inside, which would have replaced the edit.
            var next = range.lowerBound + 1
            while body.load(fromByteOffset: next, as: UInt8.self) <= 0x20 { next += 1 }
            facts.usageEdit = .insertMember(
                at: range.lowerBound + 1, isAlone: body.load(fromByteOffset: next, as: UInt8.self) == UInt8(ascii: "}"))
        }
    }

    /// A plain whole number; nil for everything else, about which the upstream has to complain.
    private func number(_ range: Range<Int>, in body: UnsafeRawPointer) -> Int? {
        guard (1...9).contains(range.count) else { return nil }
        var value = 0
        for offset in range {
            let digit = body.load(fromByteOffset: offset, as: UInt8.self)
            guard (48...57).contains(digit) else { return nil }
            value = value * 10 + Int(digit - 48)
        }
        return value
    }

    /// The value of a boolean, nil for null.
    private mutating func flag(_ firstByte: UInt8) -> Bool? {
        switch firstByte {
        case UInt8(ascii: "t"): return true
        case UInt8(ascii: "f"): return false
        case UInt8(ascii: "n"): return nil
        default:
            fail(.unusableField)
            return nil
        }
    }

    private mutating func fail(_ reason: BypassReason) {
        if failure == nil { failure = reason }
    }
}
