/// What the status of an answer says about the upstream.
struct AnswerStatus: Sendable, Equatable {
    /// It had no room for this request (429), or for any (503, and Anthropic's 529).
    let isRefusal: Bool
    /// It, or what it stands in front of, is down or overloaded. A plain 500 is no outage: model servers answer
    /// it to requests that they do not understand, and one client must not be able to close an upstream to all others.
    let isOutage: Bool
    let isFailure: Bool
    /// Its latency is that of an answer.
    let isAnswer: Bool
    let isOfOneCustomer: Bool

    init(_ status: Int) {
        isRefusal = status == 429 || status == 503 || status == 529
        isFailure = status >= 500
        isOutage = isFailure && status != 500 && status != 501 && status != 505
        isAnswer = (200..<400).contains(status)
        isOfOneCustomer = status == 429
    }
}
