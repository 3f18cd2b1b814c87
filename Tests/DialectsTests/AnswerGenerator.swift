import Core
import Dialects
import TestKit

/// Makes up whole answers of every shape that the dialects know.
struct AnswerGenerator {
    var random: SeededRandom

    init(seed: UInt64) { random = SeededRandom(seed: seed) }

    mutating func answer(_ dialect: Dialect) -> JSONValue {
        switch dialect {
        case .chat: chat()
        case .completions: completion()
        case .messages: message()
        case .responses: response()
        case .embeddings: ["object": "list", "data": [["embedding": [0.5], "index": 0]]]
        }
    }

    // MARK: Parts

    mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }
    mutating func count(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
    mutating func pick<Element>(_ elements: [Element]) -> Element { elements[count(0...(elements.count - 1))] }

    mutating func text(upTo words: Int = 60) -> String {
        let vocabulary = [
            "the ", "a ", "model ", "answers ", "naïve ", "日本語", "🙂", "👩‍👩‍👧", "e\u{301}", "\"quoted\" ", "\\ ", "\n",
            "\r\n",
            "\t", "\u{2028}", "\u{0}", "data: [DONE]\n\n", "Donaudampfschifffahrtsgesellschaftskapitänsmützen",
        ]
        return (0..<count(0...words)).map { _ in pick(vocabulary) }.joined()
    }

    /// The text cut into tokens, each with its log-probability; sometimes with tokens that do not make up the text.
    mutating func tokens(of text: String) -> [String] {
        var tokens: [String] = []
        var token = ""
        for scalar in text.unicodeScalars {
            token.unicodeScalars.append(scalar)
            if chance(40) {
                tokens.append(token)
                token = ""
            }
        }
        if !token.isEmpty { tokens.append(token) }
        if chance(20), !tokens.isEmpty { tokens[tokens.count - 1] += "\u{FFFD}" }
        return tokens
    }

    mutating func logprob() -> JSONValue { .number("-\(count(0...9)).\(count(0...99999))") }

    mutating func logprobs(of text: String) -> JSONValue {
        .array(
            tokens(of: text).map { token in
                let top: JSONValue = chance(50) ? [] : [["token": "x", "logprob": logprob(), "bytes": [120]]]
                return [
                    "token": .string(token), "logprob": logprob(), "bytes": .array(token.utf8.map { .number(Int($0)) }),
                    "top_logprobs": top,
                ]
            })
    }

    mutating func arguments() -> JSONObject {
        var object = JSONObject()
        for index in 0..<count(0...4) {
            let value: JSONValue =
                switch count(0...3) {
                case 0: .string(text(upTo: 20))
                case 1: .number("1.50")
                case 2: .array([.null, .bool(true), .object(["deep": .string(text(upTo: 3))])])
                default: .object(JSONObject())
                }
            object["argument\(index)"] = value
        }
        return object
    }

    mutating func argumentText() -> JSONValue {
        .string(String(decoding: JSONValue.object(arguments()).serialised, as: UTF8.self))
    }

    // MARK: Chat and completions

    private mutating func envelope(_ object: String, _ choices: [JSONValue]) -> JSONValue {
        var answer: JSONObject = [
            "id": "chatcmpl-1", "object": .string(object), "created": .number(count(1...2_000_000_000)), "model": "m-1",
        ]
        answer["choices"] = .array(choices)
        var usage: JSONObject = [
            "prompt_tokens": .number(count(0...999)), "completion_tokens": .number(count(0...999)),
            "total_tokens": .number(count(0...999)),
        ]
        if chance(50) { usage["completion_tokens_details"] = ["reasoning_tokens": 3] }
        answer["usage"] = .object(usage)
        if chance(50) { answer["system_fingerprint"] = chance(50) ? nil as JSONValue : "fp_1" }
        if chance(30) { answer["service_tier"] = "default" }
        if chance(20) { answer["prompt_logprobs"] = .null }
        if chance(20) { answer["x_vendor"] = ["id": "req_1", "parts": [1, 2]] }
        return .object(answer)
    }

    mutating func chat() -> JSONValue {
        let choices = (0..<count(1...3)).map { chatChoice($0) }
        return envelope("chat.completion", choices)
    }

    private mutating func chatChoice(_ index: Int) -> JSONValue {
        var message: JSONObject = ["role": "assistant"]
        let content = text()
        let hasContent = chance(75)
        message["content"] = hasContent ? .string(content) : .null
        let refusal = text(upTo: 10)
        let refuses = chance(15)
        if refuses { message["refusal"] = .string(refusal) } else if chance(60) { message["refusal"] = .null }
        if chance(30) { message["annotations"] = chance(50) ? [] : [["type": "url_citation", "url": "u"]] }
        if chance(30) { message["reasoning_content"] = chance(80) ? .string(text()) : .null }
        if chance(10) { message["reasoning"] = .string(text()) }
        if chance(10) { message["x_unknown"] = .string(text(upTo: 5)) }
        if chance(40) {
            message["tool_calls"] = .array((0..<count(0...3)).map { toolCall($0) })
        } else if chance(15) {
            message["function_call"] = chance(30) ? .null : ["name": "old", "arguments": argumentText()]
        }
        var choice: JSONObject = ["index": .number(index), "message": .object(message)]
        if chance(60) {
            choice["logprobs"] = .null
        } else if chance(70) {
            choice["logprobs"] = [
                "content": hasContent && chance(90) ? logprobs(of: content) : .null,
                "refusal": refuses ? logprobs(of: refusal) : .null,
            ]
        }
        choice["finish_reason"] = .string(pick(["stop", "length", "tool_calls", "function_call"]))
        if chance(20) { choice["stop_reason"] = chance(50) ? .null : 128009 }
        return .object(choice)
    }

    private mutating func toolCall(_ index: Int) -> JSONValue {
        let id = JSONValue.string("call_\(index)")
        if chance(20) { return ["id": id, "type": "custom", "custom": ["name": "c", "input": .string(text())]] }
        return ["id": id, "type": "function", "function": ["name": "get_weather", "arguments": argumentText()]]
    }

    mutating func completion() -> JSONValue {
        let choices = (0..<count(1...3)).map { completionChoice($0) }
        return envelope("text_completion", choices)
    }

    private mutating func completionChoice(_ index: Int) -> JSONValue {
        let text = text()
        var choice: JSONObject = ["text": .string(text), "index": .number(index)]
        if chance(50) {
            choice["logprobs"] = .null
        } else if chance(80) {
            let tokens = tokens(of: text)
            let numbers = tokens.map { _ in logprob() }
            choice["logprobs"] = [
                "tokens": .array(tokens.map { .string($0) }), "token_logprobs": .array(numbers),
                "top_logprobs": chance(50) ? .null : .array(tokens.map { [$0 + "!": logprob()] }),
                "text_offset": .array(tokens.indices.map { .number($0 * 3) }),
            ]
        }
        choice["finish_reason"] = .string(pick(["stop", "length"]))
        if chance(20) { choice["stop_reason"] = .null }
        return .object(choice)
    }

    // MARK: Messages

    mutating func message() -> JSONValue {
        var usage: JSONObject = ["input_tokens": .number(count(0...999)), "output_tokens": .number(count(0...999))]
        if chance(50) {
            usage["cache_creation_input_tokens"] = 0
            usage["cache_read_input_tokens"] = .number(count(0...9))
            usage["cache_creation"] = ["ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0]
        }
        if chance(30) {
            usage["server_tool_use"] = chance(50) ? .null : ["web_search_requests": 1, "web_fetch_requests": 0]
        }
        if chance(30) { usage["service_tier"] = "standard" }
        let blocks = (0..<count(0...5)).map { _ in messageBlock() }
        var message: JSONObject = ["id": "msg_1", "type": "message", "role": "assistant", "model": "c-1"]
        message["content"] = .array(blocks)
        message["stop_reason"] = .string(pick(["end_turn", "max_tokens", "stop_sequence", "tool_use"]))
        message["stop_sequence"] = chance(70) ? .null : "END"
        message["usage"] = .object(usage)
        if chance(20) { message["container"] = .null }
        return .object(message)
    }

    private mutating func messageBlock() -> JSONValue {
        switch count(0...6) {
        case 0, 1:
            var block: JSONObject = ["type": "text", "text": .string(text())]
            if chance(40) {
                let citations: [JSONValue] = (0..<count(0...3)).map { _ in
                    [
                        "type": "char_location", "cited_text": .string(text(upTo: 3)), "document_index": 0,
                        "document_title": nil, "start_char_index": 0, "end_char_index": 5, "file_id": nil,
                    ]
                }
                block["citations"] = chance(30) ? .null : .array(citations)
            }
            return .object(block)
        case 2, 3:
            return ["type": "tool_use", "id": "toolu_1", "name": "t", "input": .object(arguments())]
        case 4:
            return ["type": "thinking", "thinking": .string(text()), "signature": chance(80) ? "c2ln" : ""]
        case 5: return ["type": "redacted_thinking", "data": "b3BhcXVl"]
        default:
            return [
                "type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search",
                "input": ["query": .string(text())],
            ]
        }
    }

    // MARK: Responses

    mutating func response() -> JSONValue {
        let isCut = chance(20)
        var response: JSONObject = [
            "id": "resp_1", "object": "response", "created_at": 1_700_000_000,
            "status": isCut ? "incomplete" : "completed", "error": nil, "model": "m-1", "instructions": nil,
            "metadata": [:], "parallel_tool_calls": true, "temperature": 1.0, "tool_choice": "auto", "tools": [],
            "top_p": 1.0, "store": .bool(chance(50)),
        ]
        response["incomplete_details"] = isCut ? ["reason": "max_output_tokens"] : .null
        response["output"] = .array((0..<count(0...4)).map { responseItem($0) })
        response["usage"] = [
            "input_tokens": .number(count(0...999)),
            "input_tokens_details": ["cached_tokens": 0, "cache_write_tokens": 0],
            "output_tokens": .number(count(0...999)), "output_tokens_details": ["reasoning_tokens": 0],
            "total_tokens": 5,
        ]
        return .object(response)
    }

    private mutating func responseItem(_ index: Int) -> JSONValue {
        switch count(0...5) {
        case 0, 1:
            return [
                "id": .string("msg_\(index)"), "type": "message", "role": "assistant", "status": "completed",
                "content": .array((0..<count(0...2)).map { _ in responsePart() }),
            ]
        case 2:
            return [
                "id": .string("fc_\(index)"), "type": "function_call", "status": "completed",
                "call_id": .string("call_\(index)"),
                "name": "get_weather", "arguments": argumentText(),
            ]
        case 3:
            return [
                "id": .string("ctc_\(index)"), "type": "custom_tool_call", "call_id": .string("call_\(index)"),
                "name": "c",
                "input": .string(text()),
            ]
        case 4:
            var item: JSONObject = ["id": .string("rs_\(index)"), "type": "reasoning"]
            item["summary"] = .array(
                (0..<count(0...2)).map { _ in ["type": "summary_text", "text": .string(text())] })
            if chance(40) { item["content"] = [["type": "reasoning_text", "text": .string(text())]] }
            if chance(40) { item["encrypted_content"] = "b3BhcXVl" }
            return .object(item)
        default:
            return [
                "id": .string("ws_\(index)"), "type": "web_search_call", "status": "completed",
                "action": ["type": "search", "query": "q"],
            ]
        }
    }

    private mutating func responsePart() -> JSONValue {
        if chance(20) { return ["type": "refusal", "refusal": .string(text())] }
        let text = text()
        let citation: JSONValue = [
            "type": "url_citation", "url": "u", "title": "t", "start_index": 0, "end_index": 1,
        ]
        return [
            "type": "output_text", "text": .string(text), "annotations": chance(70) ? [] : [citation, citation],
            "logprobs": chance(60) ? [] : logprobs(of: text),
        ]
    }
}

// Literals, so that answers can be written down as they read.
extension JSONValue: ExpressibleByNilLiteral, ExpressibleByStringLiteral,
    ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral,
    ExpressibleByDictionaryLiteral
{
    package init(nilLiteral: ()) { self = .null }
    package init(stringLiteral: String) { self = .string(stringLiteral) }
    package init(integerLiteral: Int) { self = .number(String(integerLiteral)) }
    package init(floatLiteral: Double) { self = .number(String(floatLiteral)) }
    package init(booleanLiteral: Bool) { self = .bool(booleanLiteral) }
    package init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    package init(dictionaryLiteral elements: (String, JSONValue)...) {
        var object = JSONObject()
        for (name, value) in elements { object[name] = value }
        self = .object(object)
    }
}
