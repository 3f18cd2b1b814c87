import Core
import Dialects
import Foreign
import Warmup

/// How the sidecar answered one prompt.
enum WarmAnswer: Sendable, Equatable {
    /// As the answer says; 0 where it does not.
    struct Tokens: Sendable, Equatable {
        var prompt = 0
        var answer = 0
    }

    /// It had the answer, or was getting it for somebody else.
    case hit
    /// The model was asked.
    case asked(Tokens)
    /// The model was asked anew, before the answer that is kept expires.
    case refreshed(Tokens)
    case failed(String)

    /// Asks once, and once more where the first answer says that this is needed.
    static func ask(_ request: PromptReader.Request, _ asking: WarmAsking, _ client: AnswerClient) async -> WarmAnswer {
        do throws(UpstreamFailure) {
            let answer = try await fetch(request, asking, client, isFresh: false)
            let headers = answer.head.headers
            if isExpiring(headers, within: asking.refreshAhead) {
                let answer = try await fetch(request, asking, client, isFresh: true)
                guard case .asked(let spent) = judge(answer, request) else { return judge(answer, request) }
                return .refreshed(spent)
            }
            if (200..<300).contains(answer.head.status), isBypassed(headers, for: .untrusted) {
                // The model has just accepted the credential, so that the next answer can be kept.
                return judge(try await fetch(request, asking, client, isFresh: false), request)
            }
            return judge(answer, request)
        } catch {
            return .failed(error.message)
        }
    }

    private static func fetch(
        _ request: PromptReader.Request, _ asking: WarmAsking, _ client: AnswerClient, isFresh: Bool
    ) async throws(UpstreamFailure) -> AnswerClient.Answer {
        var headers = asking.credentials.headers(for: request.dialect)
        headers.append(HeaderField("Content-Type", "application/json"))
        headers.append(HeaderField("x-refrain-priority", "2"))
        headers.append(HeaderField("x-refrain-purpose", "warm"))
        headers.append(HeaderField("x-refrain-semantic", "off"))
        // An expired answer would hide that the model fails, or that it is asked behind it: who names an age gets none.
        let age = isFresh ? "no-cache" : "max-age=2147483648"
        headers.append(HeaderField("Cache-Control", age + ", stale-if-error=0"))
        if let ttl = asking.ttl { headers.append(HeaderField("x-refrain-ttl", ttl)) }
        return try await client.fetch(
            UpstreamRequest(
                method: "POST", target: request.dialect.path, headers: headers, body: .bytes(request.body),
                decodes: true))
    }

    /// Whether a hit is in the second half of its life and has less left than `mark`, in milliseconds.
    static func isExpiring(_ headers: [HeaderField], within mark: Int64) -> Bool {
        guard mark > 0, headers.first(named: "x-refrain-cache") == "hit",
            let status = headers.first(named: "cache-status"), let at = status.firstRange(of: "; ttl="),
            let left = Int64(status[at.upperBound...].prefix { $0 != ";" }), left >= 0, left < Int64.max / 2_000,
            let age = headers.first(named: "age").flatMap({ Int64($0) })
        else { return false }
        return left * 1_000 < mark && left <= age
    }

    private static func isBypassed(_ headers: [HeaderField], for reason: BypassReason) -> Bool {
        headers.first(named: "x-refrain-cache") == "bypass" && headers.first(named: "x-refrain-reason") == reason.word
    }

    static func judge(_ answer: AnswerClient.Answer, _ request: PromptReader.Request) -> WarmAnswer {
        let headers = answer.head.headers
        guard (200..<300).contains(answer.head.status) else {
            let message = answer.body.withUnsafeBytes { try? JSONValue.parse($0) }?["error"]?["message"]?.text
            return .failed("status \(answer.head.status)" + (message.map { ": \($0)" } ?? ""))
        }
        switch headers.first(named: "x-refrain-cache") {
        case "hit", "coalesced": return .hit
        case "stale": return .failed("an expired answer was served")
        case "bypass": return .failed("not cached: \(headers.first(named: "x-refrain-reason") ?? "bypass")")
        case "miss": break
        default: return .failed("this was not answered by a sidecar; check --url")
        }
        do throws(NotStored) {
            let verdict = try judgeAnswer(answer.body, request)
            if let detail = notStored(headers) { return .failed("answered and not kept: \(detail)") }
            return .asked(
                Tokens(prompt: Int(max(0, verdict.promptTokens)), answer: Int(max(0, verdict.completionTokens))))
        } catch {
            return .failed("answered and not kept: \(error.word)")
        }
    }

    private static func judgeAnswer(
        _ body: Bytes, _ request: PromptReader.Request
    ) throws(NotStored) -> Verdict {
        guard request.wantsStream else {
            return try body.withUnsafeBytes { (bytes) throws(NotStored) in
                try judgeWhole(bytes, dialect: request.dialect)
            }
        }
        var watcher = StreamWatcher(dialect: request.dialect)
        body.withUnsafeBytes { watcher.feed($0) { _ in } }
        return try watcher.finish { _ in }
    }

    /// The word with which `Cache-Status` says that an answer was not kept.
    private static func notStored(_ headers: [HeaderField]) -> String? {
        guard let status = headers.first(named: "cache-status"), let at = status.firstRange(of: "not-stored-") else {
            return nil
        }
        return String(status[at.upperBound...].prefix { $0 != ";" })
    }
}
