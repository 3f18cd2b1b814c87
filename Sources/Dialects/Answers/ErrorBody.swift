import Core

/// An error in the shape that the dialect's clients read. `code` is a fixed word that programs may rely on,
/// `message` is for people; `dialect` is nil where none is known, and OpenAI's shape is used.
package func errorBody(dialect: Dialect?, status: Int, code: String, message: String) -> Bytes {
    let body: JSONObject
    if let dialect, dialect.isAnthropic {
        let error: JSONObject = ["type": .string(anthropicErrorType(status)), "message": .string(message)]
        body = ["type": .string("error"), "error": .object(error)]
    } else {
        let error: JSONObject = [
            "message": .string(message), "type": .string(openAIErrorType(status)), "param": .null,
            "code": .string(code),
        ]
        body = ["error": .object(error)]
    }
    return Bytes(JSONValue.object(body).serialised)
}

private func openAIErrorType(_ status: Int) -> String {
    switch status {
    case 401: "authentication_error"
    case 403: "permission_error"
    case 429: "rate_limit_error"
    case ..<500: "invalid_request_error"
    default: "server_error"
    }
}

/// The words of Anthropic's error reference, by HTTP status.
private func anthropicErrorType(_ status: Int) -> String {
    switch status {
    case 401: "authentication_error"
    case 403: "permission_error"
    case 404: "not_found_error"
    case 413: "request_too_large"
    case 429: "rate_limit_error"
    case 504: "timeout_error"
    case 503, 529: "overloaded_error"
    case ..<500: "invalid_request_error"
    default: "api_error"
    }
}
