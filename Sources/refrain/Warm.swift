import Core
import Foreign
import Warmup

/// `refrain warm`: read the logs, plan, ask.
struct Warm {
    let options: WarmOptions

    /// A million lines of a journal have 65 MB.
    private static let journalLimit = 256 << 20

    func run() async throws(CommandFailure) {
        // It may run on the machine whose applications it is to help.
        SystemThread.giveWay()
        let stop: StopRequest
        do throws(LoopError) {
            stop = try StopRequest {
                Console.write("\nstopping once what is under way has ended; once more ends it now\n", to: .error)
            }
        } catch {
            throw .failed(error.description)
        }
        defer { stop.close() }
        let digest = SystemDigest(secret: [0])
        let input = LogInput(options.files)
        let isStopped: @Sendable () -> Bool = { stop.isMade }
        let counter = try count(input, digest, isStopped)
        let reader = PromptReader(options: options.records, digest: digest) { input.line(at: $0) }
        let plan = WarmPlan(counter, limits: options.limits, prices: options.asking.prices, reader: reader)
        let summary = WarmSummary(counter, input, plan)
        if options.isDryRun {
            try Output.write(options.printsJSON ? summary.json(report: nil) + "\n" : summary.dryRun())
        } else {
            if !options.printsJSON { Console.write(summary.heading(), to: .error) }
            let report = try await ask(plan, reader, digest, isStopped)
            try Output.write(options.printsJSON ? summary.json(report: report) + "\n" : report.text)
            if let failure = report.failure { throw .failed(failure) }
        }
        if !input.broken.isEmpty {
            throw .failed(input.broken.joined(separator: "\n"))
        }
    }

    private func count(
        _ input: LogInput, _ digest: SystemDigest, _ isStopped: () -> Bool
    ) throws(CommandFailure) -> PromptCounter {
        var settings = PromptCounter.Options()
        settings.records = options.records
        settings.since = options.since
        settings.halfLife = options.halfLife?.milliseconds
        settings.latest = SystemClock().wall()
        settings.minCount = options.limits.minCount
        let counter = PromptCounter(options: settings, digest: digest)
        var bar = ReadingProgress(isTerminal: Console.isTerminal(.error), clock: SystemClock())
        let isRead = counter.read(input, isStopped: isStopped) {
            Console.write(bar.text(input.progress($0)), to: .error)
        }
        guard isRead else { throw .failed("stopped while reading; nothing was asked") }
        Console.write(bar.last(), to: .error)
        if counter.totals.lines == 0, let broken = input.broken.first { throw .failed(broken) }
        return counter
    }

    private func ask(
        _ plan: WarmPlan, _ reader: PromptReader, _ digest: SystemDigest,
        _ isStopped: @escaping @Sendable () -> Bool
    ) async throws(CommandFailure) -> WarmReport {
        let id = WarmJournal.plan(of: options.purpose, digest: digest)
        let journal = try journal(for: id)
        let done = try done(journal, id)
        let client: AnswerClient
        do throws(LoopError) {
            client = try AnswerClient(options.url, timeout: .seconds(600))
        } catch {
            throw .failed(error.description)
        }
        defer { client.close() }
        let bar = WarmProgress(isTerminal: Console.isTerminal(.error), clock: SystemClock())
        let run = WarmRun(
            plan.prompts, done: done, reader: WarmRequests(reader), asking: options.asking, journal: journal, bar: bar,
            isStopped: isStopped)
        return await run.run(client)
    }

    /// What a run before has done, if this one is to go on with it; else the journal begins anew.
    private func done(_ journal: StateFile, _ id: CacheKey) throws(CommandFailure) -> Set<CacheKey> {
        let old = journal.read(limit: Warm.journalLimit)
        guard let old, WarmJournal.isJournal(old) else {
            throw .failed("\(journal.path) holds something else than a journal; name another file with --journal")
        }
        if options.resumes {
            if let done = WarmJournal.read(old, plan: id) { return done }
            Console.write("there is no run of these logs to go on with: asking all\n", to: .error)
        }
        journal.empty()
        guard journal.append(WarmJournal.head(id)) else { throw .failed("\(journal.path) cannot be written") }
        return []
    }

    private func journal(for id: CacheKey) throws(CommandFailure) -> StateFile {
        let environment = SettingsSources.environment()
        func find(_ name: String) -> String? { environment.first { $0.name == name && !$0.value.isEmpty }?.value }
        let state = find("XDG_STATE_HOME") ?? find("HOME").map { $0 + "/.local/state" }
        guard let path = options.journal ?? state.map({ "\($0)/refrain/warm-\(id.hex.prefix(16)).journal" }) else {
            throw .wrongUse("there is no HOME for the journal; write --journal FILE")
        }
        do throws(InputFile.Unreadable) {
            return try StateFile(path)
        } catch {
            throw .failed(error.description)
        }
    }
}
