import Core

/// Renders a whole chat or completions answer as the chunks of a stream.
struct ChoicesRendering {
    private let dialect: Dialect
    private let answer: JSONObject
    /// What every chunk repeats.
    private var common = JSONObject()
    /// Members of the answer that are not known by name; the first chunk carries them.
    private var extra = JSONObject()

    init(_ answer: JSONObject, dialect: Dialect) {
        self.dialect = dialect
        self.answer = answer
        for member in answer.members {
            switch member.name {
            case "choices", "usage": break
            case "object":
                common["object"] = dialect == .chat ? .string("chat.completion.chunk") : member.value
            case "id", "created", "model", "system_fingerprint", "service_tier":
                common[member.name] = member.value
            default: extra[member.name] = member.value
            }
        }
        if dialect == .chat { common["object"] = .string("chat.completion.chunk") }
    }

    func stream() throws(ConversionFailure) -> StreamRendition {
        var writer = EventWriter()
        var isFirst = true
        for choice in try interleavedChoices() {
            var chunk = common
            if isFirst { for member in extra.members { chunk[member.name] = member.value } }
            isFirst = false
            chunk["choices"] = .array([.object(choice)])
            writer.write(data: chunk)
        }
        var usageRange = 0..<0
        if let usage = answer["usage"], !usage.isNull {
            var chunk = common
            chunk["choices"] = .array([])
            chunk["usage"] = usage
            let start = writer.bytes.count
            writer.write(data: chunk)
            usageRange = start..<writer.bytes.count
        }
        writer.writeDone()
        return StreamRendition(
            bytes: Bytes(writer.bytes), usageStart: usageRange.lowerBound, usageEnd: usageRange.upperBound)
    }

    /// The chunks of all choices, taking turns as a server that samples them side by side would send them.
    private func interleavedChoices() throws(ConversionFailure) -> [JSONObject] {
        var queues: [[JSONObject]] = []
        var seen: Set<Int> = []
        for choice in answer["choices"]?.elements ?? [] {
            guard let choice = choice.object else { throw .unmergeable }
            let index = choice["index"] == nil ? 0 : choice["index"]?.integer
            guard let index, seen.insert(index).inserted else { throw .unmergeable }
            queues.append(
                dialect == .chat
                    ? try chatChunks(choice, index: index) : try completionChunks(choice, index: index))
        }
        var chunks: [JSONObject] = []
        for turn in 0..<(queues.map(\.count).max() ?? 0) {
            for queue in queues where turn < queue.count { chunks.append(queue[turn]) }
        }
        return chunks
    }
}

/// The chunks of one choice: its role, its pieces, its finish reason.
private func chatChunks(_ choice: JSONObject, index: Int) throws(ConversionFailure) -> [JSONObject] {
    guard let message = choice["message"]?.object else { throw .unmergeable }
    var logprobs = LogprobCarrier(choice["logprobs"])
    var opening = JSONObject()
    var pieces: [(delta: JSONObject, logprobs: JSONValue?)] = []
    // A model thinks before it speaks, whatever the order of the members.
    let (thoughts, rest) = message.partitioned { $0.hasPrefix("reasoning") }
    for member in thoughts + rest {
        switch member.name {
        case "content", "refusal", "reasoning_content", "reasoning":
            opening[member.name] = member.value.isNull ? .null : .string("")
            guard !member.value.isNull else { break }
            guard let text = member.value.text else { throw .unmergeable }
            for piece in logprobs.pieces(text, list: member.name) {
                pieces.append(([member.name: .string(piece.text)], piece.logprobs))
            }
        case "tool_calls":
            let isEmpty = member.value.isNull || member.value.elements?.isEmpty == true
            if isEmpty { opening["tool_calls"] = member.value }
            for (position, call) in (member.value.elements ?? []).enumerated() {
                guard let call = call.object else { throw .unmergeable }
                pieces += try toolCallDeltas(call, index: position).map { ($0, logprobs.none) }
            }
        case "function_call":
            guard let call = member.value.object else {
                opening["function_call"] = member.value
                break
            }
            pieces += callPieces(call).map { (["function_call": .object($0)], logprobs.none) }
        default: opening[member.name] = member.value
        }
    }
    pieces.insert((opening, logprobs.leftOver()), at: 0)
    pieces.append((JSONObject(), logprobs.none))
    var chunks: [JSONObject] = []
    for piece in pieces {
        var chunk: JSONObject = ["index": .number(index), "delta": .object(piece.delta)]
        chunk["logprobs"] = piece.logprobs
        chunk["finish_reason"] = .null
        chunks.append(chunk)
    }
    for member in choice.without("index", "message", "logprobs").members {
        chunks[chunks.count - 1][member.name] = member.value
    }
    return chunks
}

private func toolCallDeltas(_ call: JSONObject, index: Int) throws(ConversionFailure) -> [JSONObject] {
    guard call["index"] == nil else { throw .unmergeable }
    var first: JSONObject = ["index": .number(index)]
    for member in call.without("function", "custom").members { first[member.name] = member.value }
    var deltas: [JSONObject] = []
    for kind in ["function", "custom"] {
        guard let value = call[kind] else { continue }
        guard let function = value.object else {
            first[kind] = value
            continue
        }
        for piece in callPieces(function) {
            var delta = deltas.isEmpty ? first : ["index": .number(index)]
            delta[kind] = .object(piece)
            deltas.append(delta)
        }
    }
    if deltas.isEmpty { deltas = [first] }
    return deltas.map { ["tool_calls": .array([.object($0)])] }
}

/// A call with empty arguments, then its arguments piece by piece.
private func callPieces(_ call: JSONObject) -> [JSONObject] {
    var first = call
    var rest: [JSONObject] = []
    for name in ["arguments", "input"] {
        guard let text = call[name]?.text else { continue }
        first[name] = .string("")
        rest += textPieces(text).map { [name: .string($0)] }
    }
    return [first] + rest
}

/// Hands the log-probabilities of a chat choice out to the pieces of its text.
private struct LogprobCarrier {
    private let value: JSONValue?
    private var remaining: JSONObject
    /// Whether what is not in the lists has been sent along with the first of them.
    private var isStarted = false

    init(_ value: JSONValue?) {
        self.value = value
        remaining = value?.object ?? JSONObject()
    }

    /// For a chunk without log-probabilities: null if the answer has the member at all.
    var none: JSONValue? { value == nil ? nil : .null }

    /// The pieces of the text that the list of that name belongs to, if there is one.
    mutating func pieces(_ text: String, list name: String) -> [(text: String, logprobs: JSONValue?)] {
        guard name == "content" || name == "refusal", !text.isEmpty, let list = remaining[name]?.elements,
            !list.isEmpty
        else {
            return textPieces(text).map { ($0, none) }
        }
        remaining[name] = .null
        let names = ["content", "refusal"].filter { remaining[$0] != nil }
        var pieces: [(text: String, logprobs: JSONValue?)] = []
        for piece in tokenPieces(text, tokens: list.map { $0["token"]?.text }) {
            guard !piece.tokens.isEmpty else {
                pieces.append((piece.text, none))
                continue
            }
            var carried = JSONObject()
            for other in names { carried[other] = .null }
            if !isStarted { carried = remaining.withoutLists }
            isStarted = true
            carried[name] = .array(Array(list[piece.tokens]))
            pieces.append((piece.text, .object(carried)))
        }
        return pieces
    }

    /// For the first chunk: whatever no piece has carried.
    func leftOver() -> JSONValue? {
        guard value?.object != nil else { return value }
        guard isStarted else { return .object(remaining) }
        let lists = remaining.onlyLists
        return lists.members.isEmpty ? .null : .object(lists)
    }
}

extension JSONObject {
    fileprivate func partitioned(_ isFirst: (String) -> Bool) -> (first: [Member], rest: [Member]) {
        (members.filter { isFirst($0.name) }, members.filter { !isFirst($0.name) })
    }

    /// With lists that are still to be sent replaced by null.
    fileprivate var withoutLists: JSONObject {
        var copy = self
        for member in members where member.value.elements?.isEmpty == false { copy[member.name] = .null }
        return copy
    }

    fileprivate var onlyLists: JSONObject {
        var copy = JSONObject()
        for member in members where member.value.elements?.isEmpty == false { copy[member.name] = member.value }
        return copy
    }
}

/// The chunks of one completions choice: its pieces, then its finish reason with an empty text.
private func completionChunks(_ choice: JSONObject, index: Int) throws(ConversionFailure) -> [JSONObject] {
    guard let text = choice["text"]?.text else { throw .unmergeable }
    var chunks: [JSONObject] = []
    for piece in completionPieces(text, logprobs: choice["logprobs"]) {
        var chunk: JSONObject = ["index": .number(index), "text": .string(piece.text)]
        chunk["logprobs"] = piece.logprobs
        chunk["finish_reason"] = .null
        chunks.append(chunk)
    }
    for member in choice.without("index", "text", "logprobs").members {
        chunks[chunks.count - 1][member.name] = member.value
    }
    return chunks
}

/// Always ends with an empty piece. The legacy log-probabilities are parallel lists, one element a token.
private func completionPieces(
    _ text: String, logprobs: JSONValue?
) -> [(text: String, logprobs: JSONValue?)] {
    let none: JSONValue? = logprobs == nil ? nil : .null
    guard let lists = logprobs?.object, !text.isEmpty else {
        return textPieces(text).map { ($0, none) } + [("", logprobs ?? none)]
    }
    let tokens = lists["tokens"]?.elements ?? []
    let areParallel = lists.members.allSatisfy { $0.value.isNull || $0.value.elements?.count == tokens.count }
    guard areParallel, !tokens.isEmpty else {
        return textPieces(text).enumerated().map { ($1, $0 == 0 ? logprobs : none) } + [("", none)]
    }
    var pieces: [(text: String, logprobs: JSONValue?)] = []
    for piece in tokenPieces(text, tokens: tokens.map(\.text)) {
        var carried = JSONObject()
        for list in lists.members {
            carried[list.name] = list.value.elements.map { .array(Array($0[piece.tokens])) } ?? .null
        }
        pieces.append((piece.text, piece.tokens.isEmpty ? none : .object(carried)))
    }
    return pieces + [("", none)]
}
