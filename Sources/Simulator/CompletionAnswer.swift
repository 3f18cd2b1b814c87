import Core
import Dialects

/// Text completions of the OpenAI protocol.
struct CompletionAnswer {
    private let request: SimulatedRequest
    private let texts: [SimulatedText]

    init(_ request: SimulatedRequest, length: Int) {
        self.request = request
        texts = (0..<request.choices).map {
            SimulatedText(seed: request.seed &+ UInt64($0), length: length, limit: request.tokenLimit)
        }
    }

    var answer: SimulatedAnswer {
        var whole = head
        whole["choices"] = .array(
            texts.indices.map { index in
                choice(index, texts[index].text, logprobs(texts[index].tokens, 0), finish: finish(index))
            })
        whole["usage"] = usage
        return SimulatedAnswer(whole: .object(whole), events: events, tokens: texts[0].tokens.count)
    }

    private func finish(_ index: Int) -> String { texts[index].isCut ? "length" : "stop" }

    private var head: JSONObject {
        [
            "id": .string("cmpl-sim-\(request.id)"), "object": .string("text_completion"),
            "created": .number(Int(request.created)), "model": .string(request.model),
        ]
    }

    private var usage: JSONValue {
        let made = texts.reduce(0) { $0 + $1.tokens.count }
        return .object([
            "prompt_tokens": .number(request.promptTokens), "completion_tokens": .number(made),
            "total_tokens": .number(request.promptTokens + made),
        ])
    }

    private func choice(_ index: Int, _ text: String, _ logprobs: JSONValue, finish: String?) -> JSONValue {
        .object([
            "index": .number(index), "text": .string(text), "logprobs": logprobs,
            "finish_reason": finish.map { .string($0) } ?? .null,
        ])
    }

    private func logprobs(_ tokens: [String], _ offset: Int) -> JSONValue {
        guard let count = request.body["logprobs"]?.integer, count > 0 else { return .null }
        var position = offset
        let offsets = tokens.map { token in
            defer { position += token.unicodeScalars.count }
            return JSONValue.number(position)
        }
        return .object([
            "tokens": .texts(tokens), "token_logprobs": .array(tokens.map { .number(-0.125 * Double($0.utf8.count)) }),
            "top_logprobs": .array(tokens.map { .object([$0: .number(-0.125 * Double($0.utf8.count))]) }),
            "text_offset": .array(offsets),
        ])
    }

    private var events: [SimulatedAnswer.Event] {
        var list = EventList()
        var offsets = Array(repeating: 0, count: texts.count)
        func add(_ choices: [JSONValue], usage: JSONValue?) {
            var chunk = head
            chunk["choices"] = .array(choices)
            chunk["usage"] = usage
            list.add(.object(chunk))
        }
        for position in 0..<(texts.map(\.tokens.count).max() ?? 0) {
            list.tokens += 1
            for index in texts.indices where position < texts[index].tokens.count {
                let token = texts[index].tokens[position]
                let isLast = position == texts[index].tokens.count - 1
                let logprobs = logprobs([token], offsets[index])
                offsets[index] += token.unicodeScalars.count
                add(
                    [choice(index, token, logprobs, finish: isLast ? finish(index) : nil)],
                    usage: request.wantsUsage ? .null : nil)
            }
        }
        if request.wantsUsage { add([], usage: usage) }
        list.addDone()
        return list.events
    }
}
