import Core
import Dialects
import Foreign
import Warmup

/// Reads the requests of a plan. Sendable because it is used by one `WarmRun` alone, which is an actor, after the
/// planning that used the reader before is over.
struct WarmRequests: @unchecked Sendable {
    private let reader: PromptReader

    init(_ reader: PromptReader) { self.reader = reader }

    func request(_ prompt: WarmPlan.Prompt) -> PromptReader.Request? {
        reader.request(at: prompt.location, key: prompt.key)
    }
}

/// Asks the prompts of a plan, each once, several at a time.
actor WarmRun {
    private let prompts: [WarmPlan.Prompt]
    private let done: Set<CacheKey>
    private let requests: WarmRequests
    private let options: WarmOptions
    private let journal: StateFile
    private let clock: any Clock
    private var bar: WarmProgress
    private var report: WarmReport
    private var next = 0
    private var started = 0
    private let start: Int64

    /// `done` are the keys that a run before has asked.
    init(
        _ prompts: [WarmPlan.Prompt], done: Set<CacheKey>, reader: WarmRequests, options: WarmOptions,
        journal: sending StateFile, bar: WarmProgress, clock: any Clock = SystemClock()
    ) {
        self.prompts = prompts
        self.done = done
        requests = reader
        self.options = options
        self.journal = journal
        self.bar = bar
        self.clock = clock
        report = WarmReport(planned: prompts.count)
        start = clock.monotonic()
    }

    private static let longestSleep = 200 * Duration64.nanosecondsPerMillisecond

    /// What one of the concurrent askers does, until nothing is left to ask.
    func work(_ client: AnswerClient, _ stop: StopRequest) async {
        while let (prompt, due) = take(stop) {
            // In short steps, so that a stop is heard.
            while !stop.isMade, case let wait = due - clock.monotonic(), wait > 0 {
                try? await Task.sleep(for: .nanoseconds(min(wait, WarmRun.longestSleep)))
            }
            if stop.isMade {
                report.stop = .asked
                return
            }
            guard let request = requests.request(prompt) else {
                finish(prompt, .failed("its line is not in the log any more"))
                continue
            }
            finish(prompt, await WarmAnswer.ask(request, options, client))
        }
    }

    /// The end of the run; the journal is not needed any more where everything is done.
    func finish() -> WarmReport {
        report.seconds = Double(clock.monotonic() - start) / 1e9
        Console.write(bar.last(report), to: .error)
        if report.failed == 0, report.stop == nil { journal.remove() }
        return report
    }

    /// The next prompt and when it is to be asked.
    private func take(_ stop: StopRequest) -> (WarmPlan.Prompt, Int64)? {
        while next < prompts.count, report.stop == nil {
            if stop.isMade {
                report.stop = .asked
                return nil
            }
            if let limit = options.limits.maxTokens, report.tokens >= limit {
                report.stop = .tokens
                return nil
            }
            if let limit = options.limits.maxCost, report.cost >= limit {
                report.stop = .cost
                return nil
            }
            let prompt = prompts[next]
            next += 1
            if done.contains(prompt.key) {
                report.resumed += 1
                continue
            }
            started += 1
            let due = options.rate.map { start + Int64(Double(started - 1) / $0 * 1e9) } ?? start
            return (prompt, due)
        }
        return nil
    }

    private func finish(_ prompt: WarmPlan.Prompt, _ answer: WarmAnswer) {
        switch answer {
        case .hit: report.hits += 1
        case .asked(let promptTokens, let answerTokens):
            report.asked += 1
            report.tokens += promptTokens + answerTokens
            report.cost +=
                options.prices.price(of: prompt.model)?.cost(prompt: promptTokens, answer: answerTokens) ?? 0
        case .failed(let message): report.fail(prompt, message)
        }
        if case .failed = answer {
        } else if !journal.append(WarmJournal.line(prompt.key)) {
            report.isJournalBroken = true
        }
        Console.write(bar.text(report), to: .error)
    }
}

/// How the sidecar answered one prompt.
enum WarmAnswer: Sendable, Equatable {
    /// It had the answer, or was getting it for somebody else.
    case hit
    /// The model was asked; what it cost in tokens, 0 where the answer does not say.
    case asked(promptTokens: Int, answerTokens: Int)
    case failed(String)

    static func ask(_ request: PromptReader.Request, _ options: WarmOptions, _ client: AnswerClient) async -> WarmAnswer
    {
        var headers = options.credentials.headers(for: request.dialect)
        headers.append(HeaderField("Content-Type", "application/json"))
        headers.append(HeaderField("x-refrain-priority", "2"))
        if let ttl = options.ttl { headers.append(HeaderField("x-refrain-ttl", ttl)) }
        do throws(UpstreamFailure) {
            let answer = try await client.fetch(
                UpstreamRequest(
                    method: "POST", target: request.dialect.path, headers: headers, body: .bytes(request.body),
                    decodes: true))
            return judge(answer, request)
        } catch {
            return .failed(error.message)
        }
    }

    static func judge(_ answer: AnswerClient.Answer, _ request: PromptReader.Request) -> WarmAnswer {
        let headers = answer.head.headers
        guard (200..<300).contains(answer.head.status) else {
            let message = answer.body.withUnsafeBytes { try? JSONValue.parse($0) }?["error"]?["message"]?.text
            return .failed("status \(answer.head.status)" + (message.map { ": \($0)" } ?? ""))
        }
        switch headers.first(named: "x-refrain-cache") {
        case "hit", "coalesced", "hit-semantic": return .hit
        case "stale": return .failed("the upstream failed, and an old answer was served")
        case "bypass": return .failed("not cached: \(headers.first(named: "x-refrain-reason") ?? "bypass")")
        case "miss": break
        default: return .failed("this was not answered by a sidecar; check --url")
        }
        do throws(NotStored) {
            let verdict = try judgeAnswer(answer.body, request)
            if let detail = notStored(headers) { return .failed("answered and not kept: \(detail)") }
            return .asked(
                promptTokens: Int(max(0, verdict.promptTokens)), answerTokens: Int(max(0, verdict.completionTokens)))
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
