import Core
import Dialects

/// Chat completions of the OpenAI protocol, with DeepSeek's `reasoning_content`.
struct ChatAnswer {
    private struct Choice {
        var text: SimulatedText
        var reasoning: [String]
        var finish: String
    }

    private let request: SimulatedRequest
    private let choices: [Choice]
    private let tool: String?
    private let topLogprobs: Int?

    init(_ request: SimulatedRequest, length: Int) {
        self.request = request
        let tool = request.toolToCall
        self.tool = tool
        topLogprobs =
            request.body["logprobs"] == .bool(true) ? min(max(0, request.body["top_logprobs"]?.integer ?? 0), 5) : nil
        choices = (0..<request.choices).map { index in
            let text = SimulatedText(seed: request.seed &+ UInt64(index), length: length, limit: request.tokenLimit)
            let thought = SimulatedText(seed: ~request.seed &+ UInt64(index), length: max(5, length / 4), limit: nil)
            return Choice(
                text: text, reasoning: request.isReasoner ? thought.tokens : [],
                finish: tool != nil ? "tool_calls" : text.isCut ? "length" : "stop")
        }
    }

    var answer: SimulatedAnswer {
        var whole = head("chat.completion")
        whole["choices"] = .array(choices.indices.map(wholeChoice))
        whole["usage"] = usage
        return SimulatedAnswer(whole: .object(whole), events: events, tokens: completionTokens)
    }

    private var completionTokens: Int {
        choices.reduce(0) { $0 + $1.reasoning.count + (tool == nil ? $1.text.tokens.count : 12) }
    }

    private var usage: JSONValue {
        var usage: JSONObject = [
            "prompt_tokens": .number(request.promptTokens), "completion_tokens": .number(completionTokens),
            "total_tokens": .number(request.promptTokens + completionTokens),
            "prompt_tokens_details": .object(["cached_tokens": .number(0)]),
        ]
        if request.isReasoner {
            let count = choices.reduce(0) { $0 + $1.reasoning.count }
            usage["completion_tokens_details"] = .object(["reasoning_tokens": .number(count)])
        }
        return .object(usage)
    }

    private func head(_ object: String) -> JSONObject {
        [
            "id": .string("chatcmpl-sim-\(request.id)"), "object": .string(object),
            "created": .number(Int(request.created)), "model": .string(request.model),
            "system_fingerprint": .string("fp_simulated"),
        ]
    }

    private func toolCall(_ name: String, _ choice: Int, arguments: String) -> JSONObject {
        [
            "id": .string("call_\(request.id)_\(choice)"), "type": .string("function"),
            "function": .object(["name": .string(name), "arguments": .string(arguments)]),
        ]
    }

    private func wholeChoice(_ index: Int) -> JSONValue {
        let choice = choices[index]
        var message: JSONObject = ["role": .string("assistant"), "content": .string(choice.text.text)]
        if !choice.reasoning.isEmpty { message["reasoning_content"] = .string(choice.reasoning.joined()) }
        if let tool {
            message["content"] = .null
            message["tool_calls"] = .array([.object(toolCall(tool, index, arguments: request.toolArguments))])
        }
        let logprobs = tool == nil ? choice.text.tokens.enumerated().map { logprob($0.element, $0.offset) } : []
        return .object([
            "index": .number(index), "message": .object(message),
            "logprobs": topLogprobs == nil || tool != nil ? .null : .object(["content": .array(logprobs)]),
            "finish_reason": .string(choice.finish),
        ])
    }

    private func logprob(_ token: String, _ position: Int) -> JSONValue {
        func entry(_ token: String, _ rank: Int) -> JSONObject {
            let probability = -0.125 * Double(position % 7 + 1) - Double(rank)
            return [
                "token": .string(token), "logprob": .number(probability), "bytes": .integers(token.utf8),
            ]
        }
        var result = entry(token, 0)
        let others = (0..<(topLogprobs ?? 0)).map { JSONValue.object(entry($0 == 0 ? token : "\(token)?\($0)", $0)) }
        result["top_logprobs"] = .array(others)
        return .object(result)
    }

    // MARK: As a stream

    private var events: [SimulatedAnswer.Event] {
        var list = EventList()
        for index in choices.indices {
            add(&list, index, ["role": .string("assistant"), "content": tool == nil ? .string("") : .null])
        }
        let longest = choices.map(\.reasoning.count).max() ?? 0
        for position in 0..<longest {
            list.tokens += 1
            for index in choices.indices where position < choices[index].reasoning.count {
                add(&list, index, ["content": .null, "reasoning_content": .string(choices[index].reasoning[position])])
            }
        }
        if let tool { addToolCalls(tool, &list) } else { addTokens(&list) }
        for index in choices.indices { add(&list, index, [:], finish: choices[index].finish) }
        if request.wantsUsage {
            var chunk = head("chat.completion.chunk")
            chunk["choices"] = .array([])
            chunk["usage"] = usage
            list.add(.object(chunk))
        }
        list.addDone()
        return list.events
    }

    private func addTokens(_ list: inout EventList) {
        for position in 0..<(choices.map(\.text.tokens.count).max() ?? 0) {
            list.tokens += 1
            for index in choices.indices where position < choices[index].text.tokens.count {
                let token = choices[index].text.tokens[position]
                add(
                    &list, index, ["content": .string(token)],
                    logprobs: topLogprobs.map { _ in logprob(token, position) })
            }
        }
    }

    private func addToolCalls(_ tool: String, _ list: inout EventList) {
        for index in choices.indices {
            var call = toolCall(tool, index, arguments: "")
            call["index"] = .number(0)
            add(&list, index, ["tool_calls": .array([.object(call)])])
            for piece in pieces(request.toolArguments) {
                list.tokens += 1
                let arguments: JSONObject = [
                    "index": .number(0), "function": .object(["arguments": .string(piece)]),
                ]
                add(&list, index, ["tool_calls": .array([.object(arguments)])])
            }
        }
    }

    private func add(
        _ list: inout EventList, _ index: Int, _ delta: JSONObject, logprobs: JSONValue? = nil, finish: String? = nil
    ) {
        var chunk = head("chat.completion.chunk")
        let choice: JSONObject = [
            "index": .number(index), "delta": .object(delta),
            "logprobs": logprobs.map { .object(["content": .array([$0])]) } ?? .null,
            "finish_reason": finish.map { .string($0) } ?? .null,
        ]
        chunk["choices"] = .array([.object(choice)])
        if request.wantsUsage { chunk["usage"] = .null }
        list.add(.object(chunk))
    }
}
