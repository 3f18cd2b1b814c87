import Core
import Dialects

/// Responses of the OpenAI protocol.
struct ResponseAnswer {
    private let request: SimulatedRequest
    private let text: SimulatedText
    private let tool: String?

    init(_ request: SimulatedRequest, length: Int) {
        self.request = request
        text = SimulatedText(seed: request.seed, length: length, limit: request.tokenLimit)
        tool = request.toolToCall
    }

    var answer: SimulatedAnswer {
        SimulatedAnswer(whole: .object(response(status)), events: events, tokens: outputTokens)
    }

    private var outputTokens: Int { tool == nil ? text.tokens.count : 12 }
    private var isCut: Bool { tool == nil && text.isCut }
    private var status: String { isCut ? "incomplete" : "completed" }

    /// The response object; without output and usage while it is in progress.
    private func response(_ status: String) -> JSONObject {
        let isEnded = status != "in_progress"
        let body = request.body
        return [
            "id": .string("resp_sim_\(request.id)"), "object": .string("response"),
            "created_at": .number(Int(request.created)), "status": .string(status), "error": .null,
            "incomplete_details": isEnded && isCut ? .object(["reason": .string("max_output_tokens")]) : .null,
            "instructions": body["instructions"] ?? .null, "max_output_tokens": body["max_output_tokens"] ?? .null,
            "model": .string(request.model), "output": .array(isEnded ? [.object(item(isEnded: true))] : []),
            "parallel_tool_calls": .bool(true), "previous_response_id": .null,
            "store": body["store"] ?? .bool(true), "temperature": body["temperature"] ?? .number(1.0),
            "text": .object(["format": .object(["type": .string("text")])]),
            "tool_choice": body["tool_choice"] ?? .string("auto"), "tools": body["tools"] ?? .array([]),
            "top_p": body["top_p"] ?? .number(1.0), "metadata": body["metadata"] ?? .object([:]),
            "usage": isEnded ? usage : .null,
        ]
    }

    private var usage: JSONValue {
        .object([
            "input_tokens": .number(request.promptTokens),
            "input_tokens_details": .object(["cached_tokens": .number(0)]), "output_tokens": .number(outputTokens),
            "output_tokens_details": .object(["reasoning_tokens": .number(0)]),
            "total_tokens": .number(request.promptTokens + outputTokens),
        ])
    }

    private var itemID: String { (tool == nil ? "msg_sim_" : "fc_sim_") + request.id }

    private func item(isEnded: Bool) -> JSONObject {
        let status = isEnded ? self.status : "in_progress"
        guard let tool else {
            return [
                "id": .string(itemID), "type": .string("message"), "status": .string(status),
                "role": .string("assistant"), "content": .array(isEnded ? [.object(part(text.text))] : []),
            ]
        }
        return [
            "id": .string(itemID), "type": .string("function_call"), "status": .string(status),
            "call_id": .string("call_\(request.id)"), "name": .string(tool),
            "arguments": .string(isEnded ? request.toolArguments : ""),
        ]
    }

    private func part(_ text: String) -> JSONObject {
        [
            "type": .string("output_text"), "text": .string(text), "annotations": .array([]), "logprobs": .array([]),
        ]
    }

    // MARK: As a stream

    private var events: [SimulatedAnswer.Event] {
        var list = EventList()
        add(&list, "response.created", ["response": .object(response("in_progress"))])
        add(&list, "response.in_progress", ["response": .object(response("in_progress"))])
        add(&list, "response.output_item.added", ["output_index": .number(0), "item": .object(item(isEnded: false))])
        if tool == nil { addText(&list) } else { addArguments(&list) }
        add(&list, "response.output_item.done", ["output_index": .number(0), "item": .object(item(isEnded: true))])
        add(&list, "response.\(status)", ["response": .object(response(status))], isTerminal: true)
        return list.events
    }

    private func addText(_ list: inout EventList) {
        let place: JSONObject = [
            "item_id": .string(itemID), "output_index": .number(0), "content_index": .number(0),
        ]
        add(&list, "response.content_part.added", place.with("part", .object(part(""))))
        for token in text.tokens {
            list.tokens += 1
            add(&list, "response.output_text.delta", place.with("delta", .string(token)).with("logprobs", .array([])))
        }
        let whole = place.with("text", .string(text.text)).with("logprobs", .array([]))
        add(&list, "response.output_text.done", whole)
        add(&list, "response.content_part.done", place.with("part", .object(part(text.text))))
    }

    private func addArguments(_ list: inout EventList) {
        let place: JSONObject = ["item_id": .string(itemID), "output_index": .number(0)]
        for piece in pieces(request.toolArguments) {
            list.tokens += 1
            add(&list, "response.function_call_arguments.delta", place.with("delta", .string(piece)))
        }
        add(
            &list, "response.function_call_arguments.done", place.with("arguments", .string(request.toolArguments)))
    }

    private func add(_ list: inout EventList, _ type: String, _ members: JSONObject, isTerminal: Bool = false) {
        var data: JSONObject = ["type": .string(type), "sequence_number": .number(list.events.count)]
        for member in members.members { data[member.name] = member.value }
        list.add(.object(data), event: type, isTerminal: isTerminal)
    }
}

extension JSONObject {
    func with(_ name: String, _ value: JSONValue) -> JSONObject {
        var copy = self
        copy[name] = value
        return copy
    }
}
