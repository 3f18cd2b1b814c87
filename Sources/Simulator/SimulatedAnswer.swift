import Core
import Dialects

/// An answer in both forms.
struct SimulatedAnswer {
    /// One server-sent event.
    struct Event {
        var bytes: [UInt8]
        /// Tokens made before it can be sent.
        var tokens: Int
        /// It tells that the stream is complete.
        var isTerminal = false
    }

    var whole: JSONValue
    /// Empty where the dialect has no streams.
    var events: [Event] = []
    /// Tokens in the answer.
    var tokens: Int

    init(_ request: SimulatedRequest, length: Int) {
        switch request.dialect {
        case .chat: self = ChatAnswer(request, length: length).answer
        case .completions: self = CompletionAnswer(request, length: length).answer
        case .embeddings: self = EmbeddingAnswer.answer(request)
        case .responses: self = ResponseAnswer(request, length: length).answer
        case .messages: self = MessageAnswer(request, length: length).answer
        }
    }

    init(whole: JSONValue, events: [Event], tokens: Int) {
        self.whole = whole
        self.events = events
        self.tokens = tokens
    }
}

/// Gathers the events of a stream.
struct EventList {
    private(set) var events: [SimulatedAnswer.Event] = []
    /// Tokens made so far.
    var tokens = 0

    mutating func add(_ data: JSONValue, event: String? = nil, isTerminal: Bool = false) {
        var bytes: [UInt8] = []
        if let event { bytes += "event: \(event)\n".utf8 }
        bytes += "data: ".utf8
        data.write(to: &bytes)
        bytes += "\n\n".utf8
        events.append(SimulatedAnswer.Event(bytes: bytes, tokens: tokens, isTerminal: isTerminal))
    }

    mutating func addDone() {
        events.append(SimulatedAnswer.Event(bytes: Array("data: [DONE]\n\n".utf8), tokens: tokens, isTerminal: true))
    }
}

extension JSONValue {
    static func number(_ value: Double) -> JSONValue { .number(String(value)) }
    static func texts(_ texts: [String]) -> JSONValue { .array(texts.map { .string($0) }) }
    static func integers(_ numbers: some Sequence<UInt8>) -> JSONValue { .array(numbers.map { .number(Int($0)) }) }
}

/// Text in pieces as a tool's arguments arrive.
func pieces(_ text: String, of size: Int = 8) -> [String] {
    let characters = Array(text)
    return stride(from: 0, to: characters.count, by: size).map {
        String(characters[$0..<min($0 + size, characters.count)])
    }
}
