import Core
import Foreign
import Synchronization
import Warmup

/// Warms again and again while a sidecar runs, as `refrain warm` would: it reads the logs, plans, and asks the sidecar's own
/// data port, at the lowest priority. All of it happens on threads of its own that let the workers go first.
final class WarmSchedule: Sendable {
    private struct Counts {
        var ends: [WarmRunEnd: Int] = [:]
        var prompts: [WarmPromptResult: Int] = [:]
        /// Seconds since 1970.
        var last = 0.0
    }

    private struct Running {
        let loop: EventLoop
        let thread: SystemThread
        let task: Task<Void, Never>
    }

    private let settings: Settings.Warm
    private let asking: WarmAsking
    private let clock: any Clock
    private let random: any RandomSource
    private let log: any Log
    private let isStopped = Atomic(false)
    private let counts = Mutex(Counts())
    private let running = Mutex<Running?>(nil)

    /// A sidecar has better uses for memory than `refrain warm`: so many prompts are counted exactly.
    private static let counters = 1 << 15
    /// What may be kept on disk of logs that cannot be read twice.
    private static let spoolLimit = 256 << 20
    /// Where so many fail in a row, the model is out.
    private static let mostFailures = 20
    /// The first run comes within this time, in nanoseconds: sidecars that start together do not warm together.
    private static let longestDelay = 60 * Duration64.nanosecondsPerSecond
    private static let timeout = Duration.seconds(600)

    init(_ settings: Settings, clock: any Clock, random: any RandomSource, log: any Log) {
        self.settings = settings.warm
        self.clock = clock
        self.random = random
        self.log = log
        var asking = WarmAsking(Credentials(shared: settings.warm.credential))
        asking.concurrency = settings.warm.concurrency
        asking.rate = Double(settings.warm.rate)
        asking.maxTokens = settings.warm.maxTokens > 0 ? settings.warm.maxTokens : nil
        asking.prices = ModelPrices(own: settings.prices)
        asking.refreshAhead = settings.warm.refreshAhead.milliseconds
        asking.mostFailures = WarmSchedule.mostFailures
        self.asking = asking
    }

    /// What would make warming useless; nil where nothing is wrong.
    static func warning(_ settings: Settings) -> String? {
        let warm = settings.warm
        switch settings.cache.partition {
        case .apiKey where warm.credential.isEmpty:
            return
                "warm.credential is empty, so that warmed answers are found only by clients that send none; set it to the "
                + "applications' credential, or share answers with cache.partition"
        case .header(let name):
            return
                "warmed answers are found only by requests without \(name), by which cache.partition tells them apart"
        default: break
        }
        if warm.source == [settings.log.access.path], !settings.log.bodies {
            return "the access log has no prompts; set log.bodies to true"
        }
        return nil
    }

    /// Begins, with the sidecar at `url`.
    func open(_ url: UpstreamURL) throws(LoopError) {
        let loop = try EventLoop()
        let thread = try loop.startThread(named: "warm", isBackground: true)
        let task = Task(executorPreference: loop) { await self.run(url) }
        running.withLock { $0 = Running(loop: loop, thread: thread, task: task) }
    }

    /// Asks nothing more; what is under way may end.
    func stop() {
        isStopped.store(true, ordering: .relaxed)
        running.withLock { $0 }?.task.cancel()
    }

    /// After `stop`, when the sidecar has ended all requests.
    func close() async {
        guard let running = running.withLock({ $0.take() }) else { return }
        await running.task.value
        running.loop.stop()
        running.thread.join()
    }

    private func run(_ url: UpstreamURL) async {
        let every = settings.every.nanoseconds
        var start = clock.monotonic() + part(of: min(every, WarmSchedule.longestDelay))
        while true {
            let wait = start - clock.monotonic()
            if wait > 0, (try? await Task.sleep(for: .nanoseconds(wait))) == nil { return }
            if isStopped.load(ordering: .relaxed) { return }
            await warm(url)
            HeapTrim.run()
            // Never later than `every`, for answers that expire; a run that took longer leaves a pause behind it.
            start = max(start + every - part(of: every / 10), clock.monotonic() + every / 10)
        }
    }

    /// A random part of a time, at least one.
    private func part(of time: Int64) -> Int64 { Int64(random.next() % UInt64(max(1, time))) + 1 }

    private func warm(_ url: UpstreamURL) async {
        let began = clock.monotonic()
        let stopped: @Sendable () -> Bool = { self.isStopped.load(ordering: .relaxed) }
        let digest = SystemDigest(secret: [0])
        let input = LogInput(settings.source, spoolLimit: WarmSchedule.spoolLimit)
        let counter = PromptCounter(options: counting, digest: digest)
        guard counter.read(input, isStopped: stopped) else { return note(WarmReport.stopped, input, counter, began) }
        let reader = PromptReader(options: RecordReader.Options(), digest: digest) { input.line(at: $0) }
        var limits = WarmPlan.Limits()
        limits.top = settings.top
        limits.minCount = settings.minCount
        let plan = WarmPlan(counter, limits: limits, prices: asking.prices, reader: reader)
        do throws(LoopError) {
            let client = try AnswerClient(url, timeout: WarmSchedule.timeout, isBackground: true)
            let run = WarmRun(
                plan.prompts, reader: WarmRequests(reader), asking: asking, clock: clock, isStopped: stopped)
            let report = await run.run(client)
            client.close()
            note(report, input, counter, began)
        } catch {
            log.write(.warning, "warm-failed", LogField("reason", error.description))
        }
    }

    private var counting: PromptCounter.Options {
        var options = PromptCounter.Options()
        options.halfLife = settings.halfLife > .zero ? settings.halfLife.milliseconds : nil
        options.latest = clock.wall()
        options.capacity = WarmSchedule.counters
        options.minCount = settings.minCount
        return options
    }

    private func note(_ report: WarmReport, _ input: LogInput, _ counter: PromptCounter, _ began: Int64) {
        let isUnreadable = counter.totals.lines == 0 && !input.broken.isEmpty
        let end: WarmRunEnd =
            switch report.stop {
            case .asked: .stopped
            case .tokens, .cost: .budget
            case .failing: .failing
            case nil: isUnreadable ? .unreadable : .complete
            }
        counts.withLock { counts in
            counts.ends[end, default: 0] += 1
            for (result, count) in report.results { counts.prompts[result, default: 0] += count }
            counts.last = Double(clock.wall()) / 1_000
        }
        var fields = [
            LogField("end", end.rawValue), LogField("lines", counter.totals.lines),
            LogField("requests", counter.totals.requests), LogField("prompts", report.planned),
        ]
        fields += report.results.map { LogField($0.key.rawValue, $0.value) }
        fields.append(LogField("tokens", report.tokens))
        fields.append(LogField("ms", (clock.monotonic() - began) / Duration64.nanosecondsPerMillisecond))
        if let row = counter.unusable.rows.first(where: { $0.reason != .warming }) {
            fields.append(LogField("unusable", "\(row.count) lines: \(row.reason.word)"))
        }
        if let broken = input.broken.first { fields.append(LogField("unread", broken)) }
        if let failure = report.failures.first {
            fields.append(LogField("failure", StatsReport.printable(failure.message, most: 200)))
        }
        // A log that was not moved away yet is no reason to be woken up.
        log.write(report.failed > 0 || isUnreadable ? .warning : .info, "warmed", fields)
    }

    func register(in registry: MetricsRegistry) {
        for end in WarmRunEnd.allCases {
            registry.read(.warmRuns, end) { Double(self.counts.withLock { $0.ends[end] ?? 0 }) }
        }
        for result in WarmPromptResult.allCases {
            registry.read(.warmPrompts, result) { Double(self.counts.withLock { $0.prompts[result] ?? 0 }) }
        }
        registry.read(.warmLastRun) { self.counts.withLock { $0.last } }
    }
}

extension WarmReport {
    /// Of a run that was stopped while it read.
    fileprivate static var stopped: WarmReport {
        var report = WarmReport(planned: 0)
        report.stop = .asked
        return report
    }

    fileprivate var results: KeyValuePairs<WarmPromptResult, Int> {
        [.hit: hits, .asked: asked, .refreshed: refreshed, .failed: failed]
    }
}

extension UpstreamURL {
    /// How a process reaches what listens at `address` on the same machine.
    init(ownServerAt address: NetworkAddress) {
        let host =
            switch address.host {
            case "0.0.0.0": "127.0.0.1"
            case "::": "[::1]"
            case let host: host.contains(":") ? "[\(host)]" : host
            }
        self.init(isTLS: false, host: host, port: address.port, path: "")
    }
}
