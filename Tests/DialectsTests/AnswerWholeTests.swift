import Core
import Dialects
import Testing

struct AnswerWholeTests {
    static func chat(_ reason: String, _ more: String = "") -> String {
        #"{"id":"c","choices":[{"index":0,"message":{"role":"assistant","content":"x"},"finish_reason":\#(reason)}],"#
            + #""usage":{"prompt_tokens":7,"completion_tokens":2}\#(more)}"#
    }
    static let completion = #"{"choices":[{"text":"x","index":0,"finish_reason":"stop"}]}"#
    static let embedding =
        #"{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.1,-2e-5]}],"model":"m","#
        + #""usage":{"prompt_tokens":4,"total_tokens":4}}"#
    static func message(_ reason: String) -> String {
        #"{"id":"m","type":"message","content":[{"type":"text","text":"x"}],"stop_reason":\#(reason),"#
            + #""usage":{"input_tokens":7,"output_tokens":2}}"#
    }
    static func response(_ status: String, _ more: String = "") -> String {
        #"{"id":"r","status":"\#(status)","output":[],"usage":{"input_tokens":7,"output_tokens":2}\#(more)}"#
    }

    static let cases: [(dialect: Dialect, body: String, reason: NotStored?)] = [
        (.chat, chat("\"stop\""), nil), (.chat, "\n\n \r\n" + chat("\"length\"") + "\n", nil),
        (.chat, chat("\"tool_calls\""), nil), (.chat, chat("\"function_call\"", #","error":null"#), nil),
        (.chat, chat("\"content_filter\""), .finishReason), (.chat, chat("null"), .finishReason),
        (.chat, chat("\"else\""), .finishReason),
        (.chat, chat("\"stop\"") + "x", .malformed), (.chat, String(chat("\"stop\"").dropLast()), .malformed),
        (.chat, chat("\"stop\"", #","error":{"message":"x"}"#), .malformed), (.chat, "", .malformed),
        (.chat, "[]", .malformed), (.chat, "{}", .malformed), (.chat, #"{"choices":[]}"#, .malformed),
        (.chat, #"{"choices":{}}"#, .malformed), (.chat, completion.replacing("text", with: "txt"), .malformed),
        (.chat, #"{"error":{"message":"x"}}"#, .malformed), (.completions, completion, nil),
        (.completions, completion.replacing("stop", with: "abort"), .finishReason),
        (.embeddings, embedding, nil),
        (.embeddings, embedding.replacing("[0.1,-2e-5]", with: "\"AACAPwAAAEA=\""), nil),
        (.embeddings, embedding.replacing("[0.1,-2e-5]", with: "[]"), .malformed),
        (.embeddings, embedding.replacing("[0.1,-2e-5]", with: "null"), .malformed),
        (.embeddings, #"{"data":[]}"#, .malformed), (.embeddings, #"{"data":[{}]}"#, .malformed),
        (.messages, message("\"end_turn\""), nil), (.messages, message("\"tool_use\""), nil),
        (.messages, message("\"refusal\""), .finishReason), (.messages, message("null"), .incomplete),
        (.messages, #"{"type":"error","error":{"type":"api_error"}}"#, .malformed),
        (.messages, #"{"content":[]}"#, .malformed), (.messages, #"{"stop_reason":"end_turn"}"#, .malformed),
        (.responses, response("completed"), nil), (.responses, response("completed", #","error":null"#), nil),
        (.responses, response("incomplete", #","incomplete_details":{"reason":"max_output_tokens"}"#), nil),
        (.responses, response("incomplete"), .finishReason), (.responses, response("failed"), .finishReason),
        (.responses, response("in_progress"), .incomplete), (.responses, response("queued"), .incomplete),
        (.responses, #"{"status":"completed"}"#, .malformed), (.responses, "{}", .incomplete),
    ]

    @Test(arguments: cases.indices)
    func `complete answers are told from others`(index: Int) {
        let (dialect, body, reason) = Self.cases[index]
        switch judge(body, dialect) {
        case .success: #expect(reason == nil, "\(body)")
        case .failure(let failure): #expect(failure == reason, "\(body)")
        }
    }

    @Test func `usage is read in every dialect's words`() throws {
        #expect(try judge(Self.chat("\"stop\""), .chat).get().completionTokens == 2)
        #expect(try judge(Self.message("\"end_turn\""), .messages).get().promptTokens == 7)
        #expect(try judge(Self.embedding, .embeddings).get().promptTokens == 4)
        #expect(try judge(Self.embedding, .embeddings).get().completionTokens == -1)
        #expect(try judge(Self.completion, .completions).get().promptTokens == -1)
        #expect(try judge(Self.response("completed", #","store":true"#), .responses).get().storedUpstream)
        #expect(try !judge(Self.response("completed", #","store":false"#), .responses).get().storedUpstream)
        let huge = Self.chat("\"stop\"").replacing(":7", with: ":9999999999")
        #expect(try judge(huge, .chat).get().promptTokens == Int32.max)
    }
}

struct AnswerErrorTests {
    @Test func `an error takes the shape of its dialect`() throws {
        let message = "a \"quoted\"\nline"
        let openAI = errorBody(dialect: .chat, status: 504, code: "timeout", message: message)
        #expect(
            openAI.text
                == #"{"error":{"message":"a \"quoted\"\nline","type":"server_error","param":null,"code":"timeout"}}"#)
        #expect(errorBody(dialect: nil, status: 504, code: "timeout", message: message) == openAI)
        let anthropic = errorBody(dialect: .messages, status: 413, code: "body-too-large", message: message)
        #expect(
            anthropic.text
                == #"{"type":"error","error":{"type":"request_too_large","message":"a \"quoted\"\nline"}}"#)
    }

    @Test(arguments: [
        (400, "invalid_request_error"), (401, "authentication_error"), (403, "permission_error"),
        (404, "not_found_error"), (429, "rate_limit_error"), (500, "api_error"), (502, "api_error"),
        (503, "overloaded_error"), (504, "timeout_error"), (529, "overloaded_error"),
    ])
    func `Anthropic's words follow the status`(status: Int, word: String) throws {
        let body = try JSONValue.parse(errorBody(dialect: .messages, status: status, code: "x", message: "").text)
        #expect(body["error"]?["type"]?.text == word)
    }
}
