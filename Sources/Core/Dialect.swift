/// The wire language of a cacheable request.
package enum Dialect: UInt8, Sendable, CaseIterable {
    case chat, completions, embeddings, responses, messages

    /// The word for it in keys, metrics and logs.
    package var word: String {
        switch self {
        case .chat: "chat"
        case .completions: "completions"
        case .embeddings: "embeddings"
        case .responses: "responses"
        case .messages: "messages"
        }
    }

    /// The canonical path, which clients may also spell without `/v1`.
    package var path: String {
        switch self {
        case .chat: "/v1/chat/completions"
        case .completions: "/v1/completions"
        case .embeddings: "/v1/embeddings"
        case .responses: "/v1/responses"
        case .messages: "/v1/messages"
        }
    }

    /// Whether errors take Anthropic's shape rather than OpenAI's.
    package var isAnthropic: Bool { self == .messages }

    /// The dialect that a path (without its query) speaks, nil for every path that is passed through.
    package init?(path: String) {
        switch path {
        case "/v1/chat/completions", "/chat/completions": self = .chat
        case "/v1/completions", "/completions": self = .completions
        case "/v1/embeddings", "/embeddings": self = .embeddings
        case "/v1/responses", "/responses": self = .responses
        case "/v1/messages", "/messages": self = .messages
        default: return nil
        }
    }
}

/// How an answer is laid out on the wire: one JSON document, or a stream of server-sent events.
package enum Form: UInt8, Sendable, CaseIterable {
    case whole, stream

    /// The word for it where people read it.
    package var word: String { self == .whole ? "whole" : "stream" }

    package var contentType: String {
        switch self {
        case .whole: "application/json"
        case .stream: "text/event-stream; charset=utf-8"
        }
    }
}
