import Core
import Foreign
import Warmup

extension Command {
    static let warm = Command(
        name: "warm",
        summary: "Finds the popular prompts in logs and has a running sidecar cache their answers.",
        positionals: [
            Positional(
                name: "FILE",
                sentence: "A log: request bodies, batch input, an access log, LiteLLM records or COUNT<TAB>PROMPT, "
                    + "each line told by its content; also gzip; - is standard input.",
                isRequired: true, mayRepeat: true)
        ],
        options: WarmOptions.all,
        examples: [
            Example(
                line: "refrain warm access.jsonl --dry-run", sentence: "What would be asked, and what it would save"),
            Example(
                line: "refrain warm --top 500 --half-life 7d --since 30d access.jsonl access.1.jsonl.gz",
                sentence: "The 500 most popular prompts of a month, recent ones counting more"),
            Example(
                line: "refrain warm --max-cost 5 batch.jsonl",
                sentence: "As many as five dollars buy"),
            Example(
                line:
                    "sort questions.txt | uniq -c | sed 's/^ *\\([0-9]*\\) /\\1\\t/' | refrain warm --model gpt-4o-mini -",
                sentence: "Counted questions from a pipe"),
            Example(line: "refrain warm --resume access.jsonl", sentence: "Go on where a run was stopped"),
        ],
        run: { arguments throws(CommandFailure) in
            try await Warm(options: WarmOptions(arguments)).run()
        })
}

/// What `warm` was asked to do.
struct WarmOptions: Sendable {
    let files: [String]
    let url: UpstreamURL
    let records: RecordReader.Options
    /// Milliseconds since 1970.
    let since: Int64?
    let halfLife: Duration?
    let limits: WarmPlan.Limits
    let asking: WarmAsking
    let isDryRun: Bool
    let resumes: Bool
    let journal: String?
    let printsJSON: Bool

    static let format = Command.Option(
        name: "--format", value: "FORMAT",
        sentence: "Use only lines of one format: \(LogFormat.allCases.map(\.rawValue).joined(separator: ", ")).")
    static let model = Command.Option(
        name: "--model", value: "MODEL", sentence: "The model that prompts of COUNT<TAB>PROMPT go to.")
    static let system = Command.Option(
        name: "--system", value: "TEXT", sentence: "The system prompt before those prompts.")
    static let top = Command.Option(name: "--top", value: "N", sentence: "Ask at most N prompts; else 1000.")
    static let minCount = Command.Option(
        name: "--min-count", value: "N", sentence: "Leave out prompts with fewer requests; else 2.")
    static let since = Command.Option(
        name: "--since", value: "WHEN", sentence: "Leave out requests before a time (RFC 3339), or older than 30d.")
    static let halfLife = Command.Option(
        name: "--half-life", value: "DURATION",
        sentence: "Let requests count half as much for each such time before the newest.")
    static let concurrency = Command.Option(name: "--concurrency", value: "N", sentence: "Prompts at once; else 4.")
    static let rate = Command.Option(name: "--rate", value: "N", sentence: "Start at most N prompts a second.")
    static let maxTokens = Command.Option(
        name: "--max-tokens-budget", value: "N", sentence: "Spend at most N tokens, prompts and answers together.")
    static let maxCost = Command.Option(
        name: "--max-cost", value: "USD",
        sentence: "Spend at most so many dollars, by list prices and those of --prices.")
    static let prices = Command.Option(
        name: "--prices", value: "FILE",
        sentence: "What models cost, over the list prices: LiteLLM's file, or a JSON list like the setting prices.")
    static let ttl = Command.Option(
        name: "--ttl", value: "DURATION", sentence: "How long the answers live; else what the sidecar is set to.")
    static let dryRun = Command.Option(name: "--dry-run", sentence: "Say what would be asked, and ask nothing.")
    static let resume = Command.Option(name: "--resume", sentence: "Go on with the same plan where a run was stopped.")
    static let journal = Command.Option(
        name: "--journal", value: "FILE",
        sentence: "Where to note what is done; else a file in the user's state directory.")

    static let all: [Command.Option] = [
        format, model, system, top, minCount, since, halfLife, concurrency, rate, maxTokens, maxCost, prices, ttl,
        dryRun,
        resume, journal, .url, .json,
    ]

    init(_ arguments: Arguments) throws(CommandFailure) {
        let environment = SettingsSources.environment()
        files = arguments.positionals
        try LogInput.check(files)
        url = try Sidecar.url(arguments, environment: environment)
        records = try WarmOptions.records(arguments)
        since = try WarmOptions.moment(arguments, now: SystemClock().wall())
        halfLife = try WarmOptions.duration(arguments, WarmOptions.halfLife)
        var limits = WarmPlan.Limits()
        limits.top = try arguments.integer(WarmOptions.top, in: 1...1_000_000) ?? limits.top
        limits.minCount = try arguments.integer(WarmOptions.minCount, in: 1...1_000_000_000) ?? limits.minCount
        limits.maxTokens = try arguments.integer(WarmOptions.maxTokens, in: 1...1_000_000_000_000)
        limits.maxCost = try arguments.number(WarmOptions.maxCost, in: 0...1_000_000_000)
        self.limits = limits
        var asking = WarmAsking(Credentials(environment))
        asking.prices = ModelPrices(own: try WarmOptions.prices(arguments))
        asking.maxTokens = limits.maxTokens
        asking.maxCost = limits.maxCost
        asking.concurrency = try arguments.integer(WarmOptions.concurrency, in: 1...1_000) ?? asking.concurrency
        asking.rate = try arguments.number(WarmOptions.rate, in: 0.001...1_000_000)
        _ = try WarmOptions.duration(arguments, WarmOptions.ttl)
        asking.ttl = arguments.value(of: WarmOptions.ttl)
        self.asking = asking
        isDryRun = arguments.has(WarmOptions.dryRun)
        resumes = arguments.has(WarmOptions.resume)
        journal = arguments.value(of: WarmOptions.journal)
        printsJSON = arguments.has(.json)
        if isDryRun, resumes { throw .wrongUse("--dry-run and --resume exclude each other; write one of them") }
    }

    /// What tells a run from another one that it must not be resumed with.
    var purpose: [String] {
        let records = [records.format?.rawValue ?? "", records.model ?? "", records.system ?? ""]
        let credentials = asking.credentials.headers(for: .messages) + asking.credentials.headers(for: .chat)
        return [url.description, asking.ttl ?? ""] + records + credentials.map(\.value) + files
    }

    private static func records(_ arguments: Arguments) throws(CommandFailure) -> RecordReader.Options {
        var format: LogFormat?
        if let word = arguments.value(of: WarmOptions.format) {
            format = LogFormat(rawValue: word)
            guard format != nil else {
                let words = LogFormat.allCases.map(\.rawValue)
                let nearest = NearestName.find(word, among: words).map { "did you mean \($0)?" }
                throw .wrongUse(
                    "--format \(quoted(word)) is not known; "
                        + (nearest ?? "write one of \(words.joined(separator: ", "))"))
            }
        }
        return RecordReader.Options(
            format: format, model: arguments.value(of: WarmOptions.model),
            system: arguments.value(of: WarmOptions.system))
    }

    private static func moment(_ arguments: Arguments, now: Int64) throws(CommandFailure) -> Int64? {
        guard let text = arguments.value(of: since) else { return nil }
        if let age = DurationFormat.parse(text) { return now - age.milliseconds }
        if let time = Bytes(text).withUnsafeBytes({ LogTime.read(text: $0) }) { return time }
        throw .wrongUse("--since \(quoted(text)) is no time; write one such as 2026-01-31, 2026-01-31T12:00:00Z or 30d")
    }

    private static func duration(
        _ arguments: Arguments, _ option: Command.Option
    ) throws(CommandFailure) -> Duration? {
        guard let text = arguments.value(of: option) else { return nil }
        if let duration = DurationFormat.parse(text), duration >= .seconds(1) { return duration }
        throw .wrongUse(
            "\(option.name) \(quoted(text)) is no duration of a second or more; write one such as 10m, 24h or 7d")
    }

    private static func prices(_ arguments: Arguments) throws(CommandFailure) -> [ModelPrice] {
        guard let path = arguments.value(of: prices) else { return [] }
        let bytes: [UInt8]
        do throws(InputFile.Unreadable) {
            bytes = try InputFile.read(path, limit: 16 << 20)
        } catch {
            throw .failed(error.description)
        }
        do throws(PriceFile.Failure) {
            return try Bytes(bytes).withUnsafeBytes { (bytes) throws(PriceFile.Failure) in try PriceFile.read(bytes) }
        } catch {
            throw .failed("\(path) has no prices in a known shape; docs/warming.md shows what they look like")
        }
    }
}

/// What the requests of commands are sent with: answers are cached for the credential that asked.
struct Credentials: Sendable, Equatable {
    private let openAI: String?
    private let anthropic: String?

    init(_ environment: [(name: String, value: String)]) {
        func find(_ name: String) -> String? { environment.first { $0.name == name && !$0.value.isEmpty }?.value }
        openAI = find("OPENAI_API_KEY")
        anthropic = find("ANTHROPIC_API_KEY")
    }

    /// One for all dialects; none where it is empty.
    init(shared: Secret) {
        openAI = shared.isEmpty ? nil : shared.revealed
        anthropic = openAI
    }

    /// The headers with which a client of this dialect would have asked.
    func headers(for dialect: Dialect) -> [HeaderField] {
        var headers: [HeaderField] = []
        if dialect.isAnthropic {
            // What Anthropic's own packages send; the header is part of the key.
            headers.append(HeaderField("anthropic-version", "2023-06-01"))
            if let anthropic { return headers + [HeaderField("x-api-key", anthropic)] }
        }
        if let openAI { headers.append(HeaderField("Authorization", "Bearer " + openAI)) }
        return headers
    }
}

extension Arguments {
    func integer(_ option: Command.Option, in range: ClosedRange<Int>) throws(CommandFailure) -> Int? {
        guard let text = value(of: option) else { return nil }
        if let number = Int(text), range.contains(number) { return number }
        throw .wrongUse(
            "\(option.name) \(quoted(text)) is no number from \(range.lowerBound) to \(range.upperBound)")
    }

    func number(_ option: Command.Option, in range: ClosedRange<Double>) throws(CommandFailure) -> Double? {
        guard let text = value(of: option) else { return nil }
        if let number = Double(text), range.contains(number) { return number }
        throw .wrongUse("\(option.name) \(quoted(text)) is no number from \(range.lowerBound) to \(range.upperBound)")
    }
}
