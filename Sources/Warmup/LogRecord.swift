import Core

/// The kinds of lines that a log of prompts may hold, each recognised by its content.
///
/// - `requests`: a request body as it was sent, `{"model":…,"messages":[…]}`.
/// - `batch`: the input of OpenAI's Batch API,
///   `{"custom_id":…,"method":"POST","url":"/v1/chat/completions","body":{…}}`.
/// - `access`: Refrain's access log or any logged request, `{"time":…,"dialect":"chat","key":…,"model":…,"tenant":…,
///   "outcome":…,"request":{…}}`. `time` is RFC 3339, or seconds or milliseconds since 1970; `dialect` (or `endpoint`)
///   is a dialect's word or its path, and told from the body where both are absent; `request`, the body, is there only
///   if bodies are logged.
/// - `litellm`: LiteLLM's `StandardLoggingPayload`: `model`, `messages`, `model_parameters` (in older versions
///   `optional_params`), `call_type`, `startTime`.
/// - `text`: `COUNT<TAB>PROMPT`, a prompt to a model that is named beside it.
///
/// `batch` and `access` lines may also have `count`, how many requests the line stands for.
package enum LogFormat: String, Sendable, CaseIterable {
    case requests, batch, access, litellm, text
}

/// One request found in a log.
package struct LogRecord: Sendable, Equatable {
    package enum Body: Sendable, Equatable {
        /// A part of the line.
        case part(Range<Int>)
        /// Put together by the reader: `RecordReader.built`, until its next call.
        case built
    }

    package var format: LogFormat
    package var dialect: Dialect
    package var body: Body
    /// Milliseconds since 1970, where the line says when.
    package var time: Int64?
    /// How many requests the line stands for.
    package var count = 1
}

/// Why a line of a log gives no request. Closed, so that the tally is bounded.
package enum UnusableLine: Error, Hashable, Sendable {
    case tooLong, notUTF8, notJSON, unknownShape, otherFormat, noBody, noModel, answerOnly, warming
    /// A request that is never cached.
    case request(BypassReason)

    package var word: String {
        switch self {
        case .tooLong: "too-long"
        case .notUTF8: "not-utf-8"
        case .notJSON: "not-json"
        case .unknownShape: "unknown-shape"
        case .otherFormat: "other-format"
        case .noBody: "no-body"
        case .noModel: "no-model"
        case .answerOnly: "answer-only"
        case .warming: "warming"
        case .request(let reason): "request-" + reason.word
        }
    }

    /// Completes "the line …".
    package var meaning: String {
        switch self {
        case .tooLong: "is longer than \(LineFramer.defaultLimit >> 20) MiB"
        case .notUTF8: "is not UTF-8"
        case .notJSON: "is neither JSON nor COUNT<TAB>PROMPT"
        case .unknownShape: "is JSON in none of the known shapes"
        case .otherFormat: "is not of the format that was asked for"
        case .noBody: "logs a request without its body; turn on log.bodies to have it"
        case .noModel: "is a prompt without a model; name one with --model"
        case .answerOnly: "is an answer of a batch without its request"
        case .warming: "logs a request that warming made"
        case .request(let reason): "holds a request that is never cached (\(reason.word))"
        }
    }
}
