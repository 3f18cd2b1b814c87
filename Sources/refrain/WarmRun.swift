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

/// How the prompts of a plan are asked, and when to stop.
struct WarmAsking: Sendable {
    var credentials: Credentials
    /// As `x-refrain-ttl` has it; nil: what the sidecar is set to.
    var ttl: String?
    var concurrency = 4
    /// Prompts started in a second; nil: as fast as answers come.
    var rate: Double?
    /// Tokens that may be spent, prompts and answers together.
    var maxTokens: Int?
    /// US dollars that may be spent.
    var maxCost: Double?
    var prices = ModelPrices(own: [])
    /// Answers with less to live, in milliseconds, are fetched anew. 0: none are.
    var refreshAhead: Int64 = 0
    /// So many failures in a row end the run; nil: no number does.
    var mostFailures: Int?

    init(_ credentials: Credentials) { self.credentials = credentials }
}

/// Asks the prompts of a plan, each once, several at a time.
actor WarmRun {
    private let prompts: [WarmPlan.Prompt]
    private let done: Set<CacheKey>
    private let requests: WarmRequests
    private let asking: WarmAsking
    private let journal: StateFile?
    private let isStopped: @Sendable () -> Bool
    private let clock: any Clock
    private var bar: WarmProgress?
    private var report: WarmReport
    private var next = 0
    private var started = 0
    private var failuresInRow = 0
    private let start: Int64

    /// `done` are the keys that a run before has asked. Without a journal nothing can be resumed, without a bar nothing
    /// is shown.
    init(
        _ prompts: [WarmPlan.Prompt], done: Set<CacheKey> = [], reader: WarmRequests, asking: WarmAsking,
        journal: sending StateFile? = nil, bar: WarmProgress? = nil, clock: any Clock = SystemClock(),
        isStopped: @escaping @Sendable () -> Bool
    ) {
        self.prompts = prompts
        self.done = done
        requests = reader
        self.asking = asking
        self.journal = journal
        self.isStopped = isStopped
        self.bar = bar
        self.clock = clock
        report = WarmReport(planned: prompts.count)
        start = clock.monotonic()
    }

    private static let longestSleep = 200 * Duration64.nanosecondsPerMillisecond

    /// Asks until nothing is left to ask.
    func run(_ client: AnswerClient) async -> WarmReport {
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<min(asking.concurrency, max(1, prompts.count)) {
                group.addTask { await self.work(client) }
            }
        }
        report.seconds = Double(clock.monotonic() - start) / 1e9
        if let bar { Console.write(bar.last(report), to: .error) }
        // Where everything is done there is nothing to resume.
        if report.failed == 0, report.stop == nil { journal?.remove() }
        return report
    }

    /// What one of the concurrent askers does.
    private func work(_ client: AnswerClient) async {
        while let (prompt, due) = take() {
            // In short steps, so that a stop is heard.
            while !isStopped(), case let wait = due - clock.monotonic(), wait > 0 {
                try? await Task.sleep(for: .nanoseconds(min(wait, WarmRun.longestSleep)))
            }
            if isStopped() {
                report.stop = .asked
                return
            }
            guard let request = requests.request(prompt) else {
                finish(prompt, .failed("its line is not in the log any more"))
                continue
            }
            finish(prompt, await WarmAnswer.ask(request, asking, client))
        }
    }

    /// The next prompt and when it is to be asked.
    private func take() -> (WarmPlan.Prompt, Int64)? {
        while next < prompts.count, report.stop == nil {
            report.stop = reasonToStop
            if report.stop != nil { return nil }
            let prompt = prompts[next]
            next += 1
            if done.contains(prompt.key) {
                report.resumed += 1
                continue
            }
            started += 1
            let due = asking.rate.map { start + Int64(Double(started - 1) / $0 * 1e9) } ?? start
            return (prompt, due)
        }
        return nil
    }

    private var reasonToStop: WarmReport.Stop? {
        if isStopped() { return .asked }
        if let limit = asking.maxTokens, report.tokens >= limit { return .tokens }
        if let limit = asking.maxCost, report.cost >= limit { return .cost }
        if let most = asking.mostFailures, failuresInRow >= most { return .failing }
        return nil
    }

    private func finish(_ prompt: WarmPlan.Prompt, _ answer: WarmAnswer) {
        failuresInRow += 1
        switch answer {
        case .failed(let message): report.fail(prompt, message)
        case .hit: report.hits += 1
        case .asked(let spent):
            report.asked += 1
            note(spent, on: prompt)
        case .refreshed(let spent):
            report.refreshed += 1
            note(spent, on: prompt)
        }
        if case .failed = answer {
        } else {
            failuresInRow = 0
            if journal?.append(WarmJournal.line(prompt.key)) == false { report.isJournalBroken = true }
        }
        if let text = bar?.text(report) { Console.write(text, to: .error) }
    }

    private func note(_ spent: WarmAnswer.Tokens, on prompt: WarmPlan.Prompt) {
        report.tokens += spent.prompt + spent.answer
        report.cost += asking.prices[prompt.model]?.cost(prompt: spent.prompt, answer: spent.answer) ?? 0
    }
}
