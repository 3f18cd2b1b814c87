import Core

/// The whole answer of a Responses API stream: the `response` that its last event carries, byte for byte.
func responseFromStream(_ stream: UnsafeRawBufferPointer) throws(ConversionFailure) -> Bytes {
    var whole: Bytes?
    var itemsDone = 0
    try eachEvent(of: stream) { (name, data) throws(ConversionFailure) in
        guard !data.elementsEqual("[DONE]".utf8) else { return }
        do {
            let event = try ResponseEvent(data)
            if event.isA("response.output_item.done", name: name) { itemsDone += 1 }
            if event.isTerminal(name: name) { whole = event.response.map { Bytes(copying: $0) } }
        } catch {
            throw .unmergeable
        }
    }
    guard let whole else { throw .notComplete }
    // Some servers leave out of the last event what they have sent before.
    let items = try whole.withUnsafeBytes { (bytes) throws(ConversionFailure) in
        try parseObject(bytes)["output"]?.elements?.count ?? 0
    }
    guard items >= itemsDone else { throw .unmergeable }
    return whole
}

/// Renders a whole response as a stream.
func renderResponse(_ response: JSONObject) throws(ConversionFailure) -> StreamRendition {
    var writer = ResponseEventWriter()
    var opening = response
    opening["status"] = .string("in_progress")
    opening["output"] = .array([])
    for name in ["usage", "completed_at", "incomplete_details"] where opening[name] != nil { opening[name] = .null }
    if opening["output_text"] != nil { opening["output_text"] = .string("") }
    writer.write("response.created", ["response": .object(opening)])
    writer.write("response.in_progress", ["response": .object(opening)])
    for (index, item) in (response["output"]?.elements ?? []).enumerated() {
        guard let item = item.object else { throw .unmergeable }
        try writer.write(item: item, index: index)
    }
    let isCompleted = response["status"]?.text == "completed"
    writer.write(isCompleted ? "response.completed" : "response.incomplete", ["response": .object(response)])
    return StreamRendition(bytes: Bytes(writer.events.bytes))
}

private struct ResponseEventWriter {
    private(set) var events = EventWriter()
    private var sequence = 0
    /// What the events of the item or part that is being written have in common.
    private var place = JSONObject()

    mutating func write(_ type: String, _ members: JSONObject) {
        var data: JSONObject = ["type": .string(type), "sequence_number": .number(sequence)]
        sequence += 1
        for member in members.members { data[member.name] = member.value }
        events.write(name: type, data: data)
    }

    /// Writes an event about the present item or part.
    private mutating func writeHere(_ type: String, _ members: JSONObject) {
        var all = place
        for member in members.members { all[member.name] = member.value }
        write(type, all)
    }

    mutating func write(item: JSONObject, index: Int) throws(ConversionFailure) {
        let kind = item["type"]?.text
        var opening = item
        switch kind {
        case "message": opening["content"] = .array([])
        case "reasoning":
            for name in ["summary", "content"] where item[name]?.elements != nil { opening[name] = .array([]) }
        case "function_call": opening["arguments"] = .string("")
        case "custom_tool_call": opening["input"] = .string("")
        default: break
        }
        if opening["status"] != nil, opening != item { opening["status"] = .string("in_progress") }
        write("response.output_item.added", ["output_index": .number(index), "item": .object(opening)])
        // Items of some servers have no id; the events about them must have one all the same.
        place = ["item_id": .string(item["id"]?.text ?? ""), "output_index": .number(index)]
        switch kind {
        case "message": try write(parts: item["content"])
        case "reasoning":
            try write(summary: item["summary"])
            try write(parts: item["content"])
        case "function_call":
            var done = JSONObject()
            done["name"] = item["name"]
            write(text: item["arguments"]?.text ?? "", event: "function_call_arguments", member: "arguments", done)
        case "custom_tool_call":
            write(text: item["input"]?.text ?? "", event: "custom_tool_call_input", member: "input", [:])
        default: break
        }
        write("response.output_item.done", ["output_index": .number(index), "item": .object(item)])
    }

    /// Deltas of a text, then the whole of it.
    private mutating func write(text: String, event: String, member: String, _ done: JSONObject) {
        for piece in textPieces(text) { writeHere("response.\(event).delta", ["delta": .string(piece)]) }
        var done = done
        done[member] = .string(text)
        writeHere("response.\(event).done", done)
    }

    private mutating func write(summary: JSONValue?) throws(ConversionFailure) {
        let item = place
        defer { place = item }
        for (index, part) in (summary?.elements ?? []).enumerated() {
            guard let part = part.object, let text = part["text"]?.text else { throw .unmergeable }
            place = item
            place["summary_index"] = .number(index)
            var opening = part
            opening["text"] = .string("")
            writeHere("response.reasoning_summary_part.added", ["part": .object(opening)])
            write(text: text, event: "reasoning_summary_text", member: "text", [:])
            writeHere("response.reasoning_summary_part.done", ["part": .object(part)])
        }
    }

    private mutating func write(parts: JSONValue?) throws(ConversionFailure) {
        let item = place
        defer { place = item }
        for (index, part) in (parts?.elements ?? []).enumerated() {
            guard let part = part.object else { throw .unmergeable }
            place = item
            place["content_index"] = .number(index)
            var opening = part
            switch part["type"]?.text {
            case "output_text", "reasoning_text": opening["text"] = .string("")
            case "refusal": opening["refusal"] = .string("")
            default: break
            }
            for name in ["annotations", "logprobs"] where part[name]?.elements != nil { opening[name] = .array([]) }
            writeHere("response.content_part.added", ["part": .object(opening)])
            switch part["type"]?.text {
            case "output_text": write(outputText: part)
            case "reasoning_text": write(text: part["text"]?.text ?? "", event: "reasoning_text", member: "text", [:])
            case "refusal": write(text: part["refusal"]?.text ?? "", event: "refusal", member: "refusal", [:])
            default: break
            }
            writeHere("response.content_part.done", ["part": .object(part)])
        }
    }

    private mutating func write(outputText part: JSONObject) {
        let text = part["text"]?.text ?? ""
        let logprobs = part["logprobs"]?.elements ?? []
        for piece in tokenPieces(text, tokens: logprobs.map { $0["token"]?.text }) {
            writeHere(
                "response.output_text.delta",
                ["delta": .string(piece.text), "logprobs": .array(Array(logprobs[piece.tokens]))])
        }
        for (index, annotation) in (part["annotations"]?.elements ?? []).enumerated() {
            writeHere(
                "response.output_text.annotation.added",
                ["annotation_index": .number(index), "annotation": annotation])
        }
        writeHere("response.output_text.done", ["text": .string(text), "logprobs": .array(logprobs)])
    }
}
