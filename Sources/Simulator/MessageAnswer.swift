import Core
import Dialects

/// Messages of the Anthropic protocol.
struct MessageAnswer {
    private let request: SimulatedRequest
    private let text: SimulatedText
    private let thinking: [String]
    private let tool: String?

    init(_ request: SimulatedRequest, length: Int) {
        self.request = request
        text = SimulatedText(seed: request.seed, length: length, limit: request.tokenLimit)
        tool = request.toolToCall
        thinking =
            request.isReasoner
            ? SimulatedText(seed: ~request.seed, length: max(5, length / 4), limit: nil).tokens : []
    }

    var answer: SimulatedAnswer {
        var whole = head(outputTokens: outputTokens)
        whole["content"] = .array(blocks)
        whole["stop_reason"] = stopReason
        return SimulatedAnswer(whole: .object(whole), events: events, tokens: outputTokens)
    }

    private var outputTokens: Int { thinking.count + (tool == nil ? text.tokens.count : 12) }
    private var stopReason: JSONValue { .string(tool != nil ? "tool_use" : text.isCut ? "max_tokens" : "end_turn") }

    private func head(outputTokens: Int) -> JSONObject {
        [
            "id": .string("msg_sim_\(request.id)"), "type": .string("message"), "role": .string("assistant"),
            "model": .string(request.model), "content": .array([]), "stop_reason": .null, "stop_sequence": .null,
            "usage": .object([
                "input_tokens": .number(request.promptTokens), "cache_creation_input_tokens": .number(0),
                "cache_read_input_tokens": .number(0), "output_tokens": .number(outputTokens),
            ]),
        ]
    }

    private var blocks: [JSONValue] {
        var blocks: [JSONValue] = []
        if !thinking.isEmpty {
            blocks.append(
                .object([
                    "type": .string("thinking"), "thinking": .string(thinking.joined()),
                    "signature": .string("simulated"),
                ]))
        }
        if let tool {
            var block = toolBlock(tool)
            // The arguments are made here and are a JSON object.
            block["input"] = (try? JSONValue.parse(request.toolArguments)) ?? .object([:])
            blocks.append(.object(block))
        } else {
            blocks.append(.object(["type": .string("text"), "text": .string(text.text)]))
        }
        return blocks
    }

    private func toolBlock(_ name: String) -> JSONObject {
        [
            "type": .string("tool_use"), "id": .string("toolu_\(request.id)"), "name": .string(name),
            "input": .object([:]),
        ]
    }

    // MARK: As a stream

    private var events: [SimulatedAnswer.Event] {
        var list = EventList()
        add(&list, "message_start", ["message": .object(head(outputTokens: 1))])
        add(&list, "ping", [:])
        var index = 0
        if !thinking.isEmpty {
            let start: JSONObject = [
                "type": .string("thinking"), "thinking": .string(""), "signature": .string(""),
            ]
            var deltas = thinking.map { Delta("thinking_delta", "thinking", $0) }
            deltas.append(Delta("signature_delta", "signature", "simulated", tokens: 0))
            addBlock(&list, index, start, deltas)
            index += 1
        }
        if let tool {
            let deltas = pieces(request.toolArguments).map { Delta("input_json_delta", "partial_json", $0) }
            addBlock(&list, index, toolBlock(tool), deltas)
        } else {
            let start: JSONObject = ["type": .string("text"), "text": .string("")]
            addBlock(&list, index, start, text.tokens.map { Delta("text_delta", "text", $0) })
        }
        add(
            &list, "message_delta",
            [
                "delta": .object(["stop_reason": stopReason, "stop_sequence": .null]),
                "usage": .object(["output_tokens": .number(outputTokens)]),
            ])
        add(&list, "message_stop", [:], isTerminal: true)
        return list.events
    }

    private struct Delta {
        var type: String
        var member: String
        var text: String
        var tokens: Int

        init(_ type: String, _ member: String, _ text: String, tokens: Int = 1) {
            (self.type, self.member, self.text, self.tokens) = (type, member, text, tokens)
        }
    }

    private func addBlock(_ list: inout EventList, _ index: Int, _ start: JSONObject, _ deltas: [Delta]) {
        add(&list, "content_block_start", ["index": .number(index), "content_block": .object(start)])
        for delta in deltas {
            list.tokens += delta.tokens
            let value: JSONObject = ["type": .string(delta.type), delta.member: .string(delta.text)]
            add(&list, "content_block_delta", ["index": .number(index), "delta": .object(value)])
        }
        add(&list, "content_block_stop", ["index": .number(index)])
    }

    private func add(_ list: inout EventList, _ type: String, _ members: JSONObject, isTerminal: Bool = false) {
        var data: JSONObject = ["type": .string(type)]
        for member in members.members { data[member.name] = member.value }
        list.add(.object(data), event: type, isTerminal: isTerminal)
    }
}
