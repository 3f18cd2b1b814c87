import Core

/// Puts the events of an Anthropic messages stream together to the whole message.
struct MessageAssembly {
    private var message = JSONObject()
    private var blocks: [JSONObject] = []
    /// The input of a tool call as JSON text, which need not be JSON before the block ends.
    private var inputText = ""

    mutating func take(_ event: JSONObject) throws(ConversionFailure) {
        switch event["type"]?.text {
        case "message_start":
            guard let start = event["message"]?.object else { throw .unmergeable }
            guard start["content"]?.elements?.isEmpty ?? true else { throw .unmergeable }
            message = start
        case "content_block_start":
            guard event["index"]?.integer == blocks.count, let block = event["content_block"]?.object else {
                throw .unmergeable
            }
            blocks.append(block)
            inputText = ""
        case "content_block_delta":
            guard !blocks.isEmpty, event["index"]?.integer == blocks.count - 1, let delta = event["delta"]?.object
            else { throw .unmergeable }
            try take(delta: delta, at: blocks.count - 1)
        case "content_block_stop":
            guard !blocks.isEmpty, event["index"]?.integer == blocks.count - 1 else { throw .unmergeable }
            try closeInput(at: blocks.count - 1)
        case "message_delta": try take(messageDelta: event)
        case "message_stop", "ping": break
        default: throw .unmergeable
        }
    }

    private mutating func take(delta: JSONObject, at index: Int) throws(ConversionFailure) {
        for member in delta.members where member.name != "type" {
            switch (delta["type"]?.text, member.name) {
            case ("text_delta", "text"), ("thinking_delta", "thinking"):
                try blocks[index].merge(member, by: Merge.text)
            case ("signature_delta", "signature"): try blocks[index].merge(member, by: Merge.named)
            case ("citations_delta", "citation"):
                try blocks[index].update("citations") { (citations) throws(ConversionFailure) in
                    try Merge.list(.array([member.value]), &citations)
                }
            case ("input_json_delta", "partial_json"):
                guard let more = member.value.text else { throw .unmergeable }
                inputText += more
            default: throw .unmergeable
            }
        }
    }

    private mutating func closeInput(at last: Int) throws(ConversionFailure) {
        guard !inputText.isEmpty else { return }
        guard blocks[last]["input"]?.object?.members.isEmpty ?? true else { throw .unmergeable }
        do {
            blocks[last]["input"] = try JSONValue.parse(inputText)
        } catch {
            throw .unmergeable
        }
        inputText = ""
    }

    /// Usage is cumulative: what this event says replaces what the first one said.
    private mutating func take(messageDelta event: JSONObject) throws(ConversionFailure) {
        for member in event.without("type", "usage", "delta").members { message[member.name] = member.value }
        for member in event["delta"]?.object?.members ?? [] { try message.merge(member, by: Merge.latest) }
        guard let report = event["usage"]?.object else { return }
        var usage = message["usage"]?.object ?? JSONObject()
        for member in report.members { try usage.merge(member, by: Merge.latest) }
        message["usage"] = .object(usage)
    }

    func whole() throws(ConversionFailure) -> JSONObject {
        guard message["usage"]?.object != nil else { throw .noUsage }
        var whole = message
        whole["content"] = .array(blocks.map { .object($0) })
        return whole
    }
}

/// Renders a whole Anthropic message as a stream.
func renderMessage(_ message: JSONObject) throws(ConversionFailure) -> StreamRendition {
    var writer = MessageEventWriter()
    var start = message
    start["content"] = .array([])
    if start["stop_reason"] != nil { start["stop_reason"] = .null }
    if start["stop_sequence"] != nil { start["stop_sequence"] = .null }
    let usage = message["usage"]?.object
    if var opening = usage {
        if opening["output_tokens"] != nil { opening["output_tokens"] = .number(0) }
        start["usage"] = .object(opening)
    }
    writer.write("message_start", ["message": .object(start)])
    for (index, block) in (message["content"]?.elements ?? []).enumerated() {
        guard let block = block.object else { throw .unmergeable }
        writer.write(block: block, index: index)
    }
    var delta = JSONObject()
    for name in ["stop_reason", "stop_sequence"] { delta[name] = message[name] }
    var report = JSONObject()
    for name in MessageEventWriter.cumulativeUsage { report[name] = usage?[name] }
    writer.write("message_delta", ["delta": .object(delta), "usage": .object(report)])
    writer.write("message_stop", [:])
    return StreamRendition(bytes: Bytes(writer.events.bytes))
}

private struct MessageEventWriter {
    /// The members of `usage` that a `message_delta` reports.
    static let cumulativeUsage = [
        "input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "output_tokens", "server_tool_use",
    ]

    private(set) var events = EventWriter()

    mutating func write(_ type: String, _ members: JSONObject) {
        var data: JSONObject = ["type": .string(type)]
        for member in members.members { data[member.name] = member.value }
        events.write(name: type, data: data)
    }

    mutating func write(block: JSONObject, index: Int) {
        let (opening, deltas) = MessageEventWriter.pieces(of: block)
        write("content_block_start", ["index": .number(index), "content_block": .object(opening)])
        for delta in deltas {
            write("content_block_delta", ["index": .number(index), "delta": .object(delta)])
        }
        write("content_block_stop", ["index": .number(index)])
    }

    /// The block as it is opened, and the deltas that complete it. Blocks of other kinds are sent as they are.
    private static func pieces(of block: JSONObject) -> (opening: JSONObject, deltas: [JSONObject]) {
        var opening = block
        var deltas: [JSONObject] = []
        func add(_ type: String, _ name: String, _ value: JSONValue) {
            deltas.append(["type": .string(type), name: value])
        }
        switch block["type"]?.text {
        case "text":
            if let citations = block["citations"]?.elements {
                opening["citations"] = .array([])
                for citation in citations { add("citations_delta", "citation", citation) }
            }
            guard let text = block["text"]?.text else { break }
            opening["text"] = .string("")
            for piece in textPieces(text) { add("text_delta", "text", .string(piece)) }
        case "thinking":
            if let thinking = block["thinking"]?.text {
                opening["thinking"] = .string("")
                for piece in textPieces(thinking) { add("thinking_delta", "thinking", .string(piece)) }
            }
            if let signature = block["signature"], !signature.isBlank {
                opening["signature"] = .string("")
                add("signature_delta", "signature", signature)
            }
        case "tool_use":
            guard let input = block["input"]?.object, !input.members.isEmpty else { break }
            opening["input"] = .object(JSONObject())
            let text = String(decoding: JSONValue.object(input).serialised, as: UTF8.self)
            for piece in textPieces(text) { add("input_json_delta", "partial_json", .string(piece)) }
        default: break
        }
        return (opening, deltas)
    }
}
