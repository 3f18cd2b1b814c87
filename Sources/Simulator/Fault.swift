import Core

/// How a simulated answer goes wrong, told by the header `x-sim-fail` or by `[sim-fail: …]` in the prompt.
///
/// `status=429;retry-after=2` answers with an error; every other fault is one word.
enum Fault: Equatable {
    case status(Int, retryAfter: Int?)
    /// The connection is cut before the answer.
    case reset
    /// Nothing ever comes.
    case hang
    /// A stream is cut inside an event; a whole answer inside its body.
    case halfEvent
    /// The body is shorter than its Content-Length.
    case shortBody
    /// The body is compressed, asked for or not.
    case gzip
    /// A stream ends cleanly, but without the event that tells its end.
    case noDone
    /// A stream ends cleanly in its middle.
    case truncated
    /// A stream reports an error in its middle and ends.
    case errorEvent

    private static let words: KeyValuePairs<String, Fault> = [
        "reset": .reset, "hang": .hang, "half-event": .halfEvent, "short-body": .shortBody, "gzip": .gzip,
        "no-done": .noDone, "truncated": .truncated, "error-event": .errorEvent,
    ]

    static var wordList: String { (words.map(\.key) + ["status=CODE[;retry-after=SECONDS]"]).joined(separator: ", ") }

    init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ";").map { part in String(part.filter { $0 != " " }) }
        guard let first = parts.first else { return nil }
        if let word = Fault.words.first(where: { $0.key == first && parts.count == 1 }) {
            self = word.value
            return
        }
        guard first.hasPrefix("status="), let status = Int(first.dropFirst("status=".count)),
            (400...599).contains(status)
        else { return nil }
        var retryAfter: Int?
        for part in parts.dropFirst() {
            guard part.hasPrefix("retry-after="), let seconds = Int(part.dropFirst("retry-after=".count)) else {
                return nil
            }
            retryAfter = seconds
        }
        self = .status(status, retryAfter: retryAfter)
    }

    /// The text between `[sim-fail:` and `]` in a prompt, nil where there is none.
    static func text(inPrompt prompt: String) -> String? {
        guard let start = prompt.firstRange(of: "[sim-fail:") else { return nil }
        let rest = prompt[start.upperBound...]
        guard let end = rest.firstIndex(of: "]") else { return nil }
        return String(rest[..<end])
    }
}
