import Core
import Dialects
import Testing

struct AnswerStreamTests {
    static func chunk(_ choices: String, _ more: String = "") -> String {
        #"{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[\#(choices)]\#(more)}"#
    }
    static let hello = chunk(#"{"index":0,"delta":{"role":"assistant","content":"Hello"},"finish_reason":null}"#)
    static func end(_ reason: String, index: Int = 0) -> String {
        chunk(#"{"index":\#(index),"delta":{},"finish_reason":\#(reason)}"#)
    }
    static let usage = chunk("", #","usage":{"prompt_tokens":7,"completion_tokens":2,"total_tokens":9}"#)

    @Test(arguments: ["stop", "length", "tool_calls", "function_call"])
    func `a chat stream is complete with its finish reason`(reason: String) {
        let stream = events(Self.hello, Self.end("\"\(reason)\""), Self.usage, "[DONE]")
        let seen = watch(stream, .chat)
        #expect(seen.verdict?.promptTokens == 7)
        #expect(seen.verdict?.completionTokens == 2)
        #expect(seen.text(.usage) == events(Self.usage))
        #expect(seen.everything == stream)
    }

    static let chatFailures: [(stream: String, reason: NotStored)] = [
        ("", .incomplete),
        (events("[DONE]"), .incomplete),
        (events(hello), .incomplete),
        (events(hello, "[DONE]"), .incomplete),
        (events(hello, end("\"stop\"")) + "data: {\"cho", .incomplete),
        (events(hello, end("\"content_filter\""), "[DONE]"), .finishReason),
        (events(hello, end("\"insufficient_system_resource\""), "[DONE]"), .finishReason),
        (events(hello, end("\"stop\"", index: 1), "[DONE]"), .incomplete),
        (events(end("\"stop\"", index: 1), "[DONE]"), .incomplete),
        (events(hello, end("\"stop\""), end("\"stop\"", index: 2)), .incomplete),
        (events(hello, #"{"error":{"message":"overloaded"}}"#), .malformed),
        (events(hello, end("\"stop\"")) + "event: error\ndata: {\"choices\":[]}\n\n", .malformed),
        (events(hello, end("\"stop\""), "[DONE]", hello), .malformed),
        (events(hello, end("\"stop\""), "[DONE]", "[DONE]"), .malformed),
        (events(hello, end("\"stop\""), usage, usage, "[DONE]"), .malformed),
        (events(hello, "{", end("\"stop\""), "[DONE]"), .malformed),
        (events(hello, "{}", end("\"stop\""), "[DONE]"), .malformed),
        (events(hello, "[]", end("\"stop\""), "[DONE]"), .malformed),
        (events(chunk(#"{"index":-1,"delta":{}}"#), end("\"stop\"")), .malformed),
        (events(chunk(#"{"index":999999,"delta":{}}"#), end("\"stop\"")), .malformed),
        (events(chunk(#"{"index":1.5,"delta":{}}"#), end("\"stop\"")), .malformed),
    ]

    @Test(arguments: chatFailures.indices)
    func `a chat stream that is not a complete answer is not kept, but nothing of it is lost`(index: Int) {
        let (stream, reason) = Self.chatFailures[index]
        let seen = watch(stream, .chat)
        #expect(seen.failure == reason)
        #expect(seen.everything == stream)
    }

    static let chatOddities: [String] = [
        // No terminal event.
        events(hello, end("\"stop\"")),
        // The terminal event lacks its line end.
        events(hello, end("\"stop\"")) + "data: [DONE]",
        events(hello, end("\"stop\"")) + "data: [DONE]\n",
        // Azure opens with an empty list of choices.
        events(chunk("", #","prompt_filter_results":[]"#), hello, end("\"stop\""), "[DONE]"),
        // Annotations after the finish reason.
        events(hello, end("\"stop\""), end("null"), "[DONE]"),
        // No index where there is one choice.
        events(#"{"choices":[{"delta":{"content":"x"},"finish_reason":"stop"}]}"#, "[DONE]"),
        // A null error.
        events(chunk(#"{"index":0,"delta":{"content":"x"},"finish_reason":"stop"}"#, #","error":null"#), "[DONE]"),
        // Names spelled with escapes.
        events(#"{"\u0063hoices":[{"inde\u0078":0,"delta":{},"finish_reason":"s\u0074op"}]}"#),
    ]

    @Test(arguments: chatOddities.indices)
    func `servers' habits are known`(index: Int) {
        let seen = watch(Self.chatOddities[index], .chat)
        #expect(seen.verdict != nil)
        #expect(seen.everything == Self.chatOddities[index])
        #expect(seen.text(.usage).isEmpty)
    }

    @Test func `usage may come with the last content, or with every chunk`() {
        func counted(_ choice: String, _ tokens: Int) -> String {
            Self.chunk(choice, #","usage":{"prompt_tokens":5,"completion_tokens":\#(tokens)}"#)
        }
        let seen = watch(
            events(
                counted(#"{"index":0,"delta":{"content":"x"},"finish_reason":null}"#, 1),
                counted(#"{"index":0,"delta":{"content":"y"},"finish_reason":"stop"}"#, 2), "[DONE]"), .chat)
        #expect(seen.verdict?.completionTokens == 2)
        #expect(seen.text(.usage).isEmpty)
    }

    @Test func `keep-alives belong to the wire`() {
        let stream = ": keep-alive\n\n\n" + events(Self.hello) + ": keep-alive\n\n" + events(Self.end("\"stop\""))
        let seen = watch(stream, .chat)
        #expect(seen.verdict != nil)
        #expect(seen.text(.wire) == ": keep-alive\n\n\n: keep-alive\n\n")
        #expect(seen.text(.answer) == events(Self.hello, Self.end("\"stop\"")))
    }

    @Test func `an event beyond the limit ends the reading, not the passing on`() {
        let stream = events(Self.hello, Self.end("\"stop\""), "[DONE]")
        let seen = watch(Array(stream.utf8), .chat, cuts: Array(stride(from: 10, to: 300, by: 10)), maxEvent: 64)
        #expect(seen.failure == .tooLarge)
        #expect(seen.everything == stream)
    }

    static let messageStart =
        #"{"type":"message_start","message":{"id":"m","type":"message","role":"assistant","content":[],"#
        + #""model":"c","stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":9,"output_tokens":1}}}"#
    static let blockStart = #"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#
    static let blockDelta = #"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}"#
    static let blockStop = #"{"type":"content_block_stop","index":0}"#
    static func messageDelta(_ reason: String) -> String {
        #"{"type":"message_delta","delta":{"stop_reason":\#(reason),"stop_sequence":null},"#
            + #""usage":{"output_tokens":4}}"#
    }
    static let messageStop = #"{"type":"message_stop"}"#
    static let ping = #"{"type":"ping"}"#

    @Test(arguments: ["end_turn", "max_tokens", "stop_sequence", "tool_use"])
    func `a message stream is complete at its stop`(reason: String) throws {
        let stream = try namedEvents(
            Self.messageStart, Self.blockStart, Self.ping, Self.blockDelta, Self.blockStop,
            Self.messageDelta("\"\(reason)\""), Self.messageStop)
        let seen = watch(stream, .messages)
        #expect(seen.verdict?.promptTokens == 9)
        #expect(seen.verdict?.completionTokens == 4)
        #expect(seen.text(.wire) == (try namedEvents(Self.ping)))
        #expect(seen.everything == stream)
    }

    static let messageFailures: [(data: [String], reason: NotStored)] = [
        ([], .incomplete),
        ([messageStart, blockStart, blockDelta, blockStop, messageDelta("\"end_turn\"")], .incomplete),
        ([messageStart, blockStart, blockDelta, blockStop, messageStop], .incomplete),
        ([messageStart, messageDelta("\"refusal\""), messageStop], .finishReason),
        ([messageStart, messageDelta("\"pause_turn\""), messageStop], .finishReason),
        ([messageStart, messageDelta("null"), messageStop], .incomplete),
        ([messageStart, #"{"type":"error","error":{"type":"overloaded_error"}}"#], .malformed),
        ([blockStart, blockStop], .malformed),
        ([messageStart, messageStart], .malformed),
        ([messageStart, blockStart, blockStart], .malformed),
        ([messageStart, blockDelta], .malformed),
        ([messageStart, blockStart, messageDelta("\"end_turn\""), messageStop], .malformed),
        ([messageStart, messageDelta("\"end_turn\""), messageStop, messageStop], .malformed),
        ([messageStart, "{}"], .malformed),
    ]

    @Test(arguments: messageFailures.indices)
    func `a message stream that is not a complete answer is not kept`(index: Int) {
        let (data, reason) = Self.messageFailures[index]
        #expect(watch(data.map { events($0) }.joined(), .messages).failure == reason)
    }

    static func response(_ type: String, _ status: String, _ more: String = "") -> String {
        #"{"type":"\#(type)","response":{"id":"r","status":"\#(status)","output":[],"store":true,"#
            + #""usage":{"input_tokens":3,"output_tokens":5}\#(more)}}"#
    }
    static let created = response("response.created", "in_progress")
    static let cutShort = #","incomplete_details":{"reason":"max_output_tokens"}"#

    static let responseCases: [(data: [String], reason: NotStored?)] = [
        ([created, response("response.completed", "completed")], nil),
        ([created, response("response.completed", "completed"), "[DONE]"], nil),
        ([created, response("response.incomplete", "incomplete", cutShort)], nil),
        (
            [
                created,
                response("response.incomplete", "incomplete", #","incomplete_details":{"reason":"content_filter"}"#),
            ],
            .finishReason
        ),
        ([created, response("response.failed", "failed")], .finishReason),
        ([created, response("response.cancelled", "cancelled")], .finishReason),
        ([created, response("response.completed", "in_progress")], .incomplete),
        ([created], .incomplete),
        ([], .incomplete),
        ([created, #"{"type":"error","message":"x"}"#], .malformed),
        ([created, response("response.completed", "completed"), created], .malformed),
        ([created, "[DONE]"], .malformed),
        ([created, #"{"type":"response.completed"}"#], .malformed),
        ([created, response("response.completed", "completed", #","error":{"code":"x"}"#)], .malformed),
    ]

    @Test(arguments: responseCases.indices)
    func `a response stream is complete with its last event`(index: Int) {
        let (data, reason) = Self.responseCases[index]
        let seen = watch(data.map { events($0) }.joined(), .responses)
        #expect(seen.failure == reason)
        if reason == nil {
            #expect(seen.verdict?.promptTokens == 3)
            #expect(seen.verdict?.completionTokens == 5)
            #expect(seen.verdict?.storedUpstream == true)
        }
    }

    @Test func `embeddings are not streamed`() {
        #expect(watch(events(#"{"data":[]}"#), .embeddings).failure == .malformed)
    }
}
