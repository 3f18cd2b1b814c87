import Core
import Dialects
import Foreign
import Warmup

extension Command {
    static let importPairs = Command(
        name: "import",
        summary: "Fills the cache of a running sidecar from requests whose answers exist; no model is asked.",
        positionals: [
            Positional(
                name: "FILE",
                sentence:
                    "Logged pairs ({\"request\":…,\"response\":…}), LiteLLM records, or the input and the output of "
                    + "a batch, joined by custom_id; also gzip; - is standard input.",
                isRequired: true, mayRepeat: true)
        ],
        options: [.importTTL, .importFormat, .admin, .json],
        examples: [
            Example(
                line: "refrain import batch_input.jsonl batch_output.jsonl", sentence: "The answers of an OpenAI batch"),
            Example(line: "zcat pairs.jsonl.gz | refrain import -", sentence: "Logged pairs from a pipe"),
            Example(
                line: "refrain import --ttl 7d pairs.jsonl --json",
                sentence: "With a lifetime, the result for other programs"),
        ],
        run: { arguments throws(CommandFailure) in
            try await Import(arguments).run()
        })
}

extension Command.Option {
    fileprivate static let importTTL = Command.Option(
        name: "--ttl", value: "DURATION", sentence: "How long the answers live; else what the sidecar is set to.")
    fileprivate static let importFormat = Command.Option(
        name: "--format", value: "FORMAT", sentence: "Use only lines of one format: batch, access or litellm.")
}

/// `refrain import`: pairs are sent to the admin port in batches.
///
/// A batch is `POST /api/import` with `Content-Type: application/x-ndjson`, a line for each pair:
/// `{"dialect":"chat","request":{…},"response":{…}}`, `request` and `response` being the bodies that went over the
/// wire. The headers that the requests would have carried go along with `x-import-` before their names
/// (`x-import-authorization`, `x-import-x-api-key`, `x-import-anthropic-version`, `x-import-x-refrain-ttl`): they
/// make the tenant and the key, as they do for `/api/explain`. All lines of a batch are of one kind of credential.
/// The answer is `{"stored":N,"refused":[{"line":L,"reason":"…"}]}`, L from 1 in the batch, the reason a word of
/// those for which requests are not cached or answers not kept.
struct Import {
    private let files: [String]
    private let port: AdminPort
    private let credentials: Credentials
    private let ttl: String?
    private let records: RecordReader.Options
    private let printsJSON: Bool

    /// What is sent at once, in bytes.
    private static let batchSize = 1 << 20
    /// Pairs that are sent at once.
    private static let batchLines = 1_000

    init(_ arguments: Arguments) throws(CommandFailure) {
        files = arguments.positionals
        try LogInput.check(files)
        port = try AdminPort(arguments)
        credentials = Credentials(SettingsSources.environment())
        ttl = arguments.value(of: .importTTL)
        if let ttl, DurationFormat.parse(ttl) == nil {
            throw .wrongUse("--ttl \(quoted(ttl)) is no duration; write one such as 10m, 24h or 7d")
        }
        var options = RecordReader.Options()
        if let word = arguments.value(of: .importFormat) {
            guard let format = LogFormat(rawValue: word), [.batch, .access, .litellm].contains(format) else {
                throw .wrongUse("--format \(quoted(word)) has no answers; write one of batch, access, litellm")
            }
            options.format = format
        }
        records = options
        printsJSON = arguments.has(.json)
    }

    func run() async throws(CommandFailure) {
        let input = LogInput(files)
        let batches = PairBatches(size: Import.batchSize, lines: Import.batchLines)
        let joiner = PairJoiner(
            options: records, line: { input.line(at: $0) }, found: { batches.add($0) })
        joiner.keep = { input.keep($0) }
        var report = ImportReport()
        var failure: CommandFailure?
        var source = 0
        while source < files.count, failure == nil {
            guard input.open(source, begin: joiner.begin) else {
                source += 1
                continue
            }
            while failure == nil, input.next(source, joiner.feed) {
                failure = await send(batches.takeFull(), &report)
            }
            joiner.end()
            source += 1
        }
        joiner.finish()
        if failure == nil { failure = await send(batches.takeAll(), &report) }
        if let failure, report.stored == 0, report.refusedCount == 0 { throw failure }
        try Output.write(
            printsJSON ? report.json(joiner, input) + "\n" : report.text(joiner, input))
        if let failure { throw failure }
        if report.refusedCount > 0 || !input.broken.isEmpty {
            throw .failed((input.broken + report.complaint).joined(separator: "\n"))
        }
    }

    /// Sends batches in order; the first failure ends the import.
    private func send(_ batches: [PairBatch], _ report: inout ImportReport) async -> CommandFailure? {
        for batch in batches {
            var headers = credentials.headers(for: batch.isAnthropic ? .messages : .chat)
            if let ttl { headers.append(HeaderField("x-refrain-ttl", ttl)) }
            headers = headers.map { HeaderField("x-import-" + $0.name.lowercased(), $0.value) }
            headers.append(HeaderField("Content-Type", "application/x-ndjson"))
            do throws(CommandFailure) {
                let answer = try await port.call("POST", "/api/import", headers: headers, body: Bytes(batch.bytes))
                try report.add(answer, sent: batch.lines)
            } catch {
                return error
            }
        }
        return nil
    }
}

/// Lines that are sent at once.
struct PairBatch: Sendable {
    let isAnthropic: Bool
    fileprivate(set) var bytes: [UInt8] = []
    fileprivate(set) var lines = 0

    init(isAnthropic: Bool) { self.isAnthropic = isAnthropic }
}

/// Gathers pairs into batches, those of Anthropic's API apart, for their credential is another one.
final class PairBatches {
    private let size: Int
    private let lines: Int
    private var full: [PairBatch] = []
    private var open = [PairBatch(isAnthropic: false), PairBatch(isAnthropic: true)]

    init(size: Int, lines: Int) {
        self.size = size
        self.lines = lines
    }

    func add(_ pair: AnsweredRequest) {
        let place = pair.dialect.isAnthropic ? 1 : 0
        open[place].bytes += pair.line
        open[place].bytes.append(10)
        open[place].lines += 1
        guard open[place].bytes.count >= size || open[place].lines >= lines else { return }
        full.append(open[place])
        open[place] = PairBatch(isAnthropic: place == 1)
    }

    func takeFull() -> [PairBatch] {
        defer { full = [] }
        return full
    }

    func takeAll() -> [PairBatch] {
        let rest = takeFull() + open.filter { $0.lines > 0 }
        open = [PairBatch(isAnthropic: false), PairBatch(isAnthropic: true)]
        return rest
    }
}

/// What an import did.
struct ImportReport: Sendable, Equatable {
    private(set) var stored = 0
    private(set) var refusedCount = 0
    /// By the sidecar's words.
    private(set) var refused: [String: Int] = [:]

    /// Reasons that are told apart; the words come from outside.
    private static let reasons = 64

    mutating func add(_ answer: Bytes, sent: Int) throws(CommandFailure) {
        let document = answer.withUnsafeBytes { try? JSONValue.parse($0) }
        guard let stored = document?["stored"]?.integer, let refusals = document?["refused"]?.elements,
            stored >= 0, stored <= sent, refusals.count <= sent
        else { throw .failed("the answer is not that of a Refrain admin port; check --admin") }
        self.stored += stored
        refusedCount += refusals.count
        for refusal in refusals {
            let reason = refusal["reason"]?.text ?? "unknown"
            refused[refused.count < ImportReport.reasons || refused[reason] != nil ? reason : "other", default: 0] += 1
        }
    }

    private var rows: [(reason: String, count: Int)] {
        refused.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { ($0.key, $0.value) }
    }

    var complaint: [String] {
        refusedCount == 0
            ? []
            : ["\(refusedCount) pairs were refused: " + rows.map { "\($0.reason) \($0.count)" }.joined(separator: ", ")]
    }

    func text(_ joiner: PairJoiner, _ input: LogInput) -> String {
        var text = columns([
            ("lines", "\(joiner.lines)"), ("pairs", "\(joiner.pairs)"), ("stored", "\(stored)"),
            ("refused", "\(refusedCount)"),
        ])
        for line in input.lines(joiner.tally, meaning: \.meaning) { text += "  \(line)\n" }
        return text
    }

    func json(_ joiner: PairJoiner, _ input: LogInput) -> String {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("lines", joiner.lines)
        writer.member("pairs", joiner.pairs)
        writer.member("stored", stored)
        writer.member("refused", refusedCount)
        writer.name("reasons")
        writer.beginObject()
        for row in rows { writer.member(row.reason, row.count) }
        writer.endObject()
        writer.member("unusable", joiner.tally, of: input, word: \.word)
        writer.endObject()
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}
