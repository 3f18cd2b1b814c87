import Core

/// Requests and answers of the five dialects, as short as they can be.
package enum ModelRequest {
    /// `extra` are further members, each ending in a comma.
    package static func body(
        _ dialect: Dialect, _ prompt: String, form: Form = .whole, includeUsage: Bool = false, extra: String = ""
    ) -> String {
        let input =
            switch dialect {
            case .chat, .messages: #""messages":[{"role":"user","content":"\#(prompt)"}]"#
            case .completions: #""prompt":"\#(prompt)""#
            case .embeddings, .responses: #""input":"\#(prompt)""#
            }
        let usage = includeUsage ? #","stream_options":{"include_usage":true}"# : ""
        let stream = form == .stream ? #","stream":true"# : ""
        return #"{\#(extra)"model":"m",\#(input)\#(stream)\#(usage)}"#
    }
}

package enum ModelAnswer {
    /// A complete answer as one document.
    package static func whole(_ dialect: Dialect, _ text: String, finish: String = "stop") -> String {
        switch dialect {
        case .chat:
            #"{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":"#
                + #"{"role":"assistant","content":"\#(text)"},"finish_reason":"\#(finish)"}],"usage":\#(usage)}"#
        case .completions:
            #"{"id":"c","object":"text_completion","created":1,"model":"m","choices":[{"index":0,"text":"\#(text)","#
                + #""logprobs":null,"finish_reason":"\#(finish)"}],"usage":\#(usage)}"#
        case .embeddings:
            #"{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.5,0.25]}],"model":"\#(text)","#
                + #""usage":{"prompt_tokens":3,"total_tokens":3}}"#
        case .responses: response(text, status: "completed")
        case .messages:
            #"{"id":"c","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"\#(text)"}],"#
                + #""stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":3,"output_tokens":2}}"#
        }
    }

    /// A complete answer as the events of a stream, the one that only reports usage last but one where there is one.
    /// Empty for embeddings.
    package static func events(
        _ dialect: Dialect, _ texts: [String], finish: String = "stop", reportsUsage: Bool = true
    ) -> [String] {
        switch dialect {
        case .chat: chatEvents(texts, finish, reportsUsage)
        case .completions: completionEvents(texts, finish, reportsUsage)
        case .embeddings: []
        case .responses: responseEvents(texts)
        case .messages: messageEvents(texts)
        }
    }

    package static let usage = #"{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}"#
    package static let done = "data: [DONE]\n\n"

    private static func chatEvents(_ texts: [String], _ finish: String, _ reportsUsage: Bool) -> [String] {
        let start = #"data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":["#
        var events = [start + #"{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}"#]
        for text in texts {
            events.append(start + #"{"index":0,"delta":{"content":"\#(text)"},"finish_reason":null}]}"#)
        }
        events.append(start + #"{"index":0,"delta":{},"finish_reason":"\#(finish)"}]}"#)
        if reportsUsage { events.append(start + #"],"usage":\#(usage)}"#) }
        return events.map { $0 + "\n\n" } + [done]
    }

    private static func completionEvents(_ texts: [String], _ finish: String, _ reportsUsage: Bool) -> [String] {
        let start = #"data: {"id":"c","object":"text_completion","created":1,"model":"m","choices":["#
        var events = texts.map { start + #"{"index":0,"text":"\#($0)","logprobs":null,"finish_reason":null}]}"# }
        events.append(start + #"{"index":0,"text":"","logprobs":null,"finish_reason":"\#(finish)"}]}"#)
        if reportsUsage { events.append(start + #"],"usage":\#(usage)}"#) }
        return events.map { $0 + "\n\n" } + [done]
    }

    private static func messageEvents(_ texts: [String]) -> [String] {
        var events = [
            #"{"type":"message_start","message":{"id":"c","type":"message","role":"assistant","model":"m","#
                + #""content":[],"stop_reason":null,"stop_sequence":null,"#
                + #""usage":{"input_tokens":3,"output_tokens":1}}}"#,
            #"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
        ]
        for text in texts {
            events.append(
                #"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"\#(text)"}}"#)
        }
        events += [
            #"{"type":"content_block_stop","index":0}"#,
            #"{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"#
                + #""usage":{"output_tokens":2}}"#,
            #"{"type":"message_stop"}"#,
        ]
        return events.map(named)
    }

    private static func responseEvents(_ texts: [String]) -> [String] {
        let text = texts.joined()
        let item = #""item_id":"i","output_index":0,"content_index":0"#
        let message = { (content: String, status: String) in
            #"{"type":"message","id":"i","status":"\#(status)","role":"assistant","content":[\#(content)]}"#
        }
        let part = { (text: String) in #"{"type":"output_text","text":"\#(text)","annotations":[]}"# }
        var events = [
            #"{"type":"response.created","response":\#(response("", status: "in_progress"))"#,
            #"{"type":"response.output_item.added","output_index":0,"item":\#(message("", "in_progress"))"#,
            #"{"type":"response.content_part.added",\#(item),"part":\#(part(""))"#,
        ]
        for text in texts { events.append(#"{"type":"response.output_text.delta",\#(item),"delta":"\#(text)""#) }
        events += [
            #"{"type":"response.output_text.done",\#(item),"text":"\#(text)""#,
            #"{"type":"response.content_part.done",\#(item),"part":\#(part(text))"#,
            #"{"type":"response.output_item.done","output_index":0,"item":\#(message(part(text), "completed"))"#,
            #"{"type":"response.completed","response":\#(response(text, status: "completed"))"#,
        ]
        return events.enumerated().map { named($1 + #","sequence_number":\#($0)}"#) }
    }

    private static func response(_ text: String, status: String) -> String {
        let output =
            status == "completed"
            ? #"{"type":"message","id":"i","status":"completed","role":"assistant","content":"#
                + #"[{"type":"output_text","text":"\#(text)","annotations":[]}]}"# : ""
        let usage = status == "completed" ? #"{"input_tokens":3,"output_tokens":2,"total_tokens":5}"# : "null"
        return #"{"id":"r","object":"response","created_at":1,"status":"\#(status)","model":"m","store":false,"#
            + #""error":null,"incomplete_details":null,"output":[\#(output)],"usage":\#(usage)}"#
    }

    /// An event that carries its type as its name too.
    private static func named(_ data: String) -> String {
        let type = data.dropFirst(#"{"type":""#.count).prefix { $0 != "\"" }
        return "event: \(type)\ndata: \(data)\n\n"
    }
}
