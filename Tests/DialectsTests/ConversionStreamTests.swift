import Core
import Dialects
import Testing

/// Streams as servers send them, and what they amount to.
struct ConversionStreamTests {
    static func chunk(_ choices: String, _ more: String = "") -> String {
        #"{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[\#(choices)]\#(more)}"#
    }
    static func delta(_ delta: String, _ reason: String = "null", _ more: String = "") -> String {
        chunk(#"{"index":0,"delta":\#(delta),"finish_reason":\#(reason)\#(more)}"#)
    }
    static let usage = #","usage":{"prompt_tokens":7,"completion_tokens":2,"total_tokens":9}"#
    static func answer(_ message: JSONValue, _ reason: JSONValue = "stop") -> JSONValue {
        [
            "id": "c", "object": "chat.completion", "created": 1, "model": "m",
            "choices": [["index": 0, "message": message, "finish_reason": reason]],
            "usage": ["prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9],
        ]
    }

    @Test func `texts are joined`() throws {
        let stream = events(
            Self.delta(#"{"role":"assistant","content":"","refusal":null}"#), Self.delta(#"{"content":"Hel"}"#),
            Self.delta(#"{"content":"lo \ud83d\ude00"}"#), Self.delta("{}", "\"stop\""), Self.chunk("", Self.usage),
            "[DONE]")
        #expect(
            try whole(from: stream, .chat)
                == Self.answer(["role": "assistant", "content": "Hello 😀", "refusal": nil]))
    }

    @Test func `null content stays null, empty content empty`() throws {
        let end = Self.chunk(#"{"index":0,"delta":{},"finish_reason":"stop"}"#, Self.usage)
        let null = events(Self.delta(#"{"role":"assistant","content":null}"#), end)
        #expect(try whole(from: null, .chat) == Self.answer(["role": "assistant", "content": nil]))
        let empty = events(Self.delta(#"{"role":"assistant","content":""}"#), Self.delta(#"{"content":null}"#), end)
        #expect(try whole(from: empty, .chat) == Self.answer(["role": "assistant", "content": ""]))
    }

    @Test func `thoughts come before words`() throws {
        let stream = events(
            Self.delta(#"{"role":"assistant","content":null,"reasoning_content":""}"#),
            Self.delta(#"{"content":null,"reasoning_content":"Hm"}"#),
            Self.delta(#"{"content":null,"reasoning_content":"m."}"#),
            Self.delta(#"{"content":"Yes","reasoning_content":null}"#),
            Self.chunk(
                #"{"index":0,"delta":{"content":"","reasoning_content":null},"finish_reason":"stop"}"#, Self.usage),
            "[DONE]")
        #expect(
            try whole(from: stream, .chat)
                == Self.answer(["role": "assistant", "content": "Yes", "reasoning_content": "Hmm."]))
    }

    @Test func `tool calls are put together by index`() throws {
        func call(_ piece: String) -> String { Self.delta(#"{"tool_calls":[\#(piece)]}"#) }
        let stream = events(
            Self.delta(#"{"role":"assistant","content":null}"#),
            call(#"{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":""}}"#),
            call(#"{"index":1,"id":"b","type":"function","function":{"name":"g","arguments":"{}"}}"#),
            call(#"{"index":0,"function":{"arguments":"{\"x\""}}"#),
            call(#"{"index":0,"id":"","function":{"name":null,"arguments":":1}"}}"#),
            Self.delta("{}", "\"tool_calls\""), Self.chunk("", Self.usage), "[DONE]")
        let message: JSONValue = [
            "role": "assistant", "content": nil,
            "tool_calls": [
                ["id": "a", "type": "function", "function": ["name": "f", "arguments": "{\"x\":1}"]],
                ["id": "b", "type": "function", "function": ["name": "g", "arguments": "{}"]],
            ],
        ]
        #expect(try whole(from: stream, .chat) == Self.answer(message, "tool_calls"))
    }

    @Test func `padding is dropped and late or empty fields are filled in`() throws {
        let stream = events(
            #"{"id":"","object":"","created":0,"model":"","choices":[],"prompt_filter_results":[1]}"#,
            Self.chunk(
                #"{"index":0,"delta":{"role":"assistant","content":"x"}}"#, #","obfuscation":"aa","v":{"id":1}"#),
            Self.chunk(
                #"{"index":0,"delta":{},"finish_reason":"stop"}"#,
                #","obfuscation":"bbb","system_fingerprint":"fp","v":{"t":2}"#),
            Self.chunk("", Self.usage), "[DONE]")
        var expected = try #require(Self.answer(["role": "assistant", "content": "x"]).object)
        expected["prompt_filter_results"] = [1]
        expected["system_fingerprint"] = "fp"
        expected["v"] = ["id": 1, "t": 2]
        #expect(try whole(from: stream, .chat) == .object(expected))
    }

    @Test func `legacy log-probabilities are joined list by list`() throws {
        func chunk(_ text: String, _ logprobs: String, _ reason: String) -> String {
            #"{"id":"c","object":"text_completion","created":1,"model":"m","choices":[{"index":0,"text":"\#(text)","#
                + #""logprobs":\#(logprobs),"finish_reason":\#(reason)}]\#(reason == "null" ? "" : Self.usage)}"#
        }
        func lists(_ token: String, _ offset: Int) -> String {
            #"{"tokens":["\#(token)"],"token_logprobs":[-0.50],"top_logprobs":null,"text_offset":[\#(offset)]}"#
        }
        let stream = events(
            chunk("ab", lists("ab", 0), "null"), chunk("c", lists("c", 2), "null"), chunk("", "null", "\"stop\""),
            "[DONE]")
        let answer = try whole(from: stream, .completions)
        let expected: JSONValue = [
            "index": 0, "text": "abc", "finish_reason": "stop",
            "logprobs": [
                "tokens": ["ab", "c"], "token_logprobs": [.number("-0.50"), .number("-0.50")], "top_logprobs": nil,
                "text_offset": [0, 2],
            ],
        ]
        #expect(answer["choices"] == [expected])
        #expect(answer["object"] == "text_completion")
    }

    static let end = chunk(#"{"index":0,"delta":{},"finish_reason":"stop"}"#, usage)
    static let refused: [(data: [String], failure: ConversionFailure)] = [
        ([delta(#"{"content":"x"}"#), delta("{}", "\"stop\""), "[DONE]"], .noUsage),
        ([delta(#"{"content":"x"}"#), "[DONE]"], .notComplete),
        ([delta(#"{"content":["x"]}"#), end], .unmergeable),
        ([delta(#"{"content":"x"}"#).replacing("\"c\"", with: "\"d\""), end], .unmergeable),
        ([delta(#"{"content":"x"}"#, "null", #","v":1"#), delta("{}", "null", #","v":2"#), end], .unmergeable),
        ([delta(#"{"x":"a"}"#), delta(#"{"x":"a"}"#), end], .unmergeable),
        ([delta(#"{"x":[{"index":0,"text":"a"}]}"#), delta(#"{"x":[{"index":0,"text":"b"}]}"#), end], .unmergeable),
        ([delta(#"{"tool_calls":[{"id":"a","function":{"name":"f","arguments":""}}]}"#), end], .unmergeable),
        ([delta(#"{"tool_calls":[{"index":0,"function":{"name":"f","arguments":{}}}]}"#), end], .unmergeable),
        ([chunk(#"{"index":0,"finish_reason":"stop"}"#, usage)], .unmergeable),
        ([delta(#"{"content":"x","content":"y"}"#), end], .unmergeable),
        ([delta(#"{"content":"\ud800"}"#), end], .unmergeable),
    ]

    @Test(arguments: refused.indices)
    func `what cannot be joined for certain is refused`(index: Int) {
        let (data, failure) = Self.refused[index]
        #expect(throws: failure) { try whole(from: data.map { events($0) }.joined(), .chat) }
    }

    @Test func `a chat answer is rendered as OpenAI streams it`() throws {
        let answer = try JSONValue.parse(
            #"{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":"#
                + #"{"role":"assistant","content":"Hi there","tool_calls":[{"id":"a","type":"function","function":"#
                + #"{"name":"f","arguments":"{}"}}]},"logprobs":null,"finish_reason":"tool_calls"}],"usage":{"x":1}}"#)
        func line(_ delta: String, _ reason: String = "null") -> String {
            #"{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"#
                + #""delta":\#(delta),"logprobs":null,"finish_reason":\#(reason)}]}"#
        }
        let rendition = try stream(from: answer, .chat)
        #expect(
            rendition.bytes.text
                == events(
                    line(#"{"role":"assistant","content":""}"#), line(#"{"content":"Hi there"}"#),
                    line(
                        #"{"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":""}}]}"#
                    ),
                    line(#"{"tool_calls":[{"index":0,"function":{"arguments":"{}"}}]}"#), line("{}", "\"tool_calls\""),
                    #"{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[],"usage":{"x":1}}"#,
                    "[DONE]"))
    }

    @Test func `several choices take turns`() throws {
        let choices = (0..<2).map {
            #"{"index":\#($0),"message":{"role":"assistant","content":"x"},"finish_reason":"stop"}"#
        }
        let answer = try JSONValue.parse("{\"choices\":[\(choices.joined(separator: ","))]}")
        let text = try stream(from: answer, .chat).bytes.text
        let order = text.split(separator: "\"index\":").dropFirst().map { $0.first }
        #expect(order == ["0", "1", "0", "1", "0", "1"])
    }

    @Test func `tokens keep their log-probabilities`() throws {
        let tokens: [JSONValue] = (0..<40).map { ["token": .string("word\($0) "), "logprob": 0] }
        let content = tokens.compactMap { $0["token"]?.text }.joined()
        let answer: JSONValue = [
            "choices": [
                [
                    "index": 0, "message": ["role": "assistant", "content": .string(content)],
                    "logprobs": ["content": .array(tokens)], "finish_reason": "stop",
                ]
            ]
        ]
        var carriers = 0
        for line in try stream(from: answer, .chat).bytes.text.split(separator: "\n\n") where line.hasPrefix("data: {")
        {
            let choice = try JSONValue.parse(String(line.dropFirst(6)))["choices"]?.elements?.first
            guard let tokens = choice?["logprobs"]?["content"]?.elements else { continue }
            #expect(choice?["delta"]?["content"]?.text == tokens.compactMap { $0["token"]?.text }.joined())
            carriers += 1
        }
        #expect(carriers > 3)
    }

    @Test func `a message's tool input is put together from its pieces`() throws {
        let start =
            #"{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"t","name":"f","input":{}}}"#
        func piece(_ json: String) throws -> String {
            let delta: JSONValue = ["type": "input_json_delta", "partial_json": .string(json)]
            let event: JSONValue = ["type": "content_block_delta", "index": 0, "delta": delta]
            return String(decoding: event.serialised, as: UTF8.self)
        }
        func stream(_ pieces: String...) throws -> String {
            try namedEvents(AnswerStreamTests.messageStart, start)
                + pieces.map { try namedEvents(piece($0)) }.joined()
                + namedEvents(
                    AnswerStreamTests.blockStop, AnswerStreamTests.messageDelta("\"tool_use\""),
                    AnswerStreamTests.messageStop)
        }
        let answer = try whole(from: try stream("", "{\"x\": 1", ".50}"), .messages)
        #expect(answer["content"]?.elements?.first?["input"] == ["x": .number("1.50")])
        #expect(answer["usage"] == ["input_tokens": 9, "output_tokens": 4])
        #expect(answer["stop_reason"] == "tool_use")
        let empty = try whole(from: try stream(""), .messages)
        #expect(empty["content"]?.elements?.first?["input"] == [:])
        #expect(throws: ConversionFailure.unmergeable) { try whole(from: try stream("{\"x\":"), .messages) }
    }

    @Test func `a response is what its last event says, unless that leaves items out`() throws {
        let item = #"{"type":"response.output_item.done","output_index":0,"item":{"type":"message"}}"#
        let full = AnswerStreamTests.response("response.completed", "completed").replacing(
            "\"output\":[]", with: "\"output\":[{\"type\":\"message\"}]")
        let answer = try whole(from: events(AnswerStreamTests.created, item, full), .responses)
        #expect(answer["output"] == [["type": "message"]])
        let hollow = events(
            AnswerStreamTests.created, item, AnswerStreamTests.response("response.completed", "completed"))
        #expect(throws: ConversionFailure.unmergeable) { try whole(from: hollow, .responses) }
    }

    @Test func `what would make the other form an error is refused`() throws {
        let start = AnswerStreamTests.messageStart.replacing("\"id\":\"m\"", with: "\"id\":\"m\",\"error\":{}")
        let stream = try namedEvents(
            start, AnswerStreamTests.messageDelta("\"end_turn\""), AnswerStreamTests.messageStop)
        #expect(watch(stream, .messages).verdict != nil)
        #expect(throws: ConversionFailure.unmergeable) { try whole(from: stream, .messages) }
    }
}
