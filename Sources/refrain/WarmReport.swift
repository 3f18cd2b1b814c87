import Core
import Foreign
import Warmup

/// What a run of `warm` did.
struct WarmReport: Sendable {
    enum Stop: String, Sendable {
        /// A signal.
        case asked = "interrupted"
        case tokens = "token-budget"
        case cost = "cost-budget"
        /// Too many prompts in a row.
        case failing = "failing"
    }

    struct Failure: Sendable, Equatable {
        var key: CacheKey
        var model: String
        var message: String
    }

    let planned: Int
    /// Done by a run before this one.
    var resumed = 0
    var hits = 0
    var asked = 0
    /// Asked anew before they expired.
    var refreshed = 0
    private(set) var failed = 0
    /// The first ones.
    private(set) var failures: [Failure] = []
    /// Spent on the model, as the answers say.
    var tokens = 0
    /// US dollars.
    var cost = 0.0
    var seconds = 0.0
    var stop: Stop?
    var isJournalBroken = false

    private static let shown = 20

    init(planned: Int) { self.planned = planned }

    var finished: Int { resumed + hits + asked + refreshed + failed }

    mutating func fail(_ prompt: WarmPlan.Prompt, _ message: String) {
        failed += 1
        if failures.count < WarmReport.shown {
            failures.append(Failure(key: prompt.key, model: prompt.model, message: message))
        }
    }

    var text: String {
        var rows = [("prompts", "\(planned)")]
        if resumed > 0 { rows.append(("done before", "\(resumed)")) }
        rows += [("cached already", "\(hits)"), ("asked", "\(asked)")]
        if refreshed > 0 { rows.append(("refreshed", "\(refreshed)")) }
        rows.append(("failed", "\(failed)"))
        rows.append(("tokens", "\(tokens)"))
        if cost > 0 { rows.append(("cost", dollars(cost))) }
        rows.append(("time", StatsReport.duration(seconds)))
        return columns(rows)
    }

    /// Lines for standard error where something is to be done; nil where all went well.
    var failure: String? {
        var lines = failures.map {
            "\($0.key.hex.prefix(12)) (\(StatsReport.printable($0.model))): \(StatsReport.printable($0.message, most: 200))"
        }
        if failed > failures.count { lines.append("… and \(failed - failures.count) more that failed") }
        if failed > 0 { lines.append("\(failed) of \(planned) prompts failed; --resume asks them again") }
        if isJournalBroken { lines.append("the journal could not be written; --resume will ask more than is needed") }
        switch stop {
        case .asked: lines.append("stopped after \(finished) of \(planned) prompts; --resume goes on")
        case .tokens, .cost:
            lines.append(
                "the budget is used up after \(finished) of \(planned) prompts; --resume with a larger one goes on")
        case .failing: lines.append("gave up after \(finished) of \(planned) prompts: too many failed in a row")
        case nil: break
        }
        return lines.isEmpty ? nil : lines.joined(separator: "\n")
    }

    func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("planned", planned)
        writer.member("resumed", resumed)
        writer.member("hits", hits)
        writer.member("asked", asked)
        writer.member("refreshed", refreshed)
        writer.member("failed", failed)
        writer.member("tokens", tokens)
        writer.member("costUSD", cost)
        writer.member("seconds", seconds)
        if let stop { writer.member("stopped", stop.rawValue) }
        writer.name("failures")
        writer.beginArray()
        for failure in failures {
            writer.beginObject()
            writer.member("key", failure.key.hex)
            writer.member("model", failure.model)
            writer.member("message", failure.message)
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
    }
}

/// Dollars with two digits behind the point, or as many as a small sum needs.
func dollars(_ value: Double) -> String {
    let places = value >= 1 || value == 0 ? 2 : value >= 0.01 ? 4 : 6
    let scale = (0..<places).reduce(1.0) { product, _ in product * 10 }
    guard value.isFinite, value.magnitude * scale < 1e18 else { return "?" }
    let units = Int64((value * scale).rounded())
    let (whole, rest) = units.quotientAndRemainder(dividingBy: Int64(scale))
    let digits = String(rest.magnitude)
    return "$\(whole).\(String(repeating: "0", count: places - digits.count))\(digits)"
}

/// What the logs held and what is planned.
struct WarmSummary {
    private let counter: PromptCounter
    private let input: LogInput
    private let plan: WarmPlan

    init(_ counter: PromptCounter, _ input: LogInput, _ plan: WarmPlan) {
        self.counter = counter
        self.input = input
        self.plan = plan
    }

    private var notes: [String] {
        var notes = input.lines(counter.unusable, meaning: \.meaning)
        if counter.totals.old > 0 { notes.append("\(counter.totals.old) lines are older than --since") }
        let left = plan.leftOut
        if left.overTokens > 0 { notes.append("\(left.overTokens) prompts are left out for --max-tokens-budget") }
        if left.overCost > 0 { notes.append("\(left.overCost) prompts are left out for --max-cost") }
        if left.withoutPrice > 0 {
            notes.append("\(left.withoutPrice) prompts are left out: their models have no price")
        }
        if left.unreadable > 0 {
            notes.append("\(left.unreadable) prompts are left out: their lines could not be kept")
        }
        return notes
    }

    /// What is said before asking.
    func heading() -> String {
        let totals = counter.totals
        var text = "read \(totals.lines) lines with \(totals.requests) requests; \(plan.prompts.count) prompts to ask\n"
        for note in notes { text += "  \(note)\n" }
        return text
    }

    /// The answer of `--dry-run`.
    func dryRun() -> String {
        let bound = plan.isExact ? "" : "at most "
        var rows = [
            ("lines", "\(counter.totals.lines)"), ("requests", "\(plan.requests)"),
            ("different prompts", bound + "\(plan.distinct)"), ("would ask", "\(plan.prompts.count)"),
            ("of the requests", percent(plan.requests == 0 ? 0 : Double(plan.covered) / Double(plan.requests))),
            ("hit rate, cold cache", (plan.isExact ? "" : "at least ") + percent(plan.coldHitRate)),
            ("hit rate, warmed", (plan.isExact ? "" : "at least ") + percent(plan.warmHitRate)),
            ("tokens, estimated", "\(plan.tokens)"),
        ]
        if let cost = plan.cost { rows.append(("cost, estimated", dollars(cost))) }
        var text = columns(rows)
        for note in notes { text += "  \(note)\n" }
        var table = TextTable([
            .init(title: "REQUESTS", isNumber: true), .init(title: "TOKENS", isNumber: true), .init(title: "ENDPOINT"),
            .init(title: "KEY"), .init(title: "MODEL"),
        ])
        for prompt in plan.prompts.prefix(20) {
            table.add([
                "\(prompt.count)", "\(prompt.promptTokens + prompt.answerTokens)", prompt.dialect.word,
                "\(prompt.key.hex.prefix(12))", StatsReport.printable(prompt.model),
            ])
        }
        if !table.rows.isEmpty {
            text += "\n" + table.text(TerminalStyle.detect(environment: SettingsSources.environment()))
        }
        if plan.prompts.count > 20 { text += "… and \(plan.prompts.count - 20) more; --json lists all\n" }
        return text
    }

    func json(report: WarmReport?) -> String {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("bytes", counter.totals.bytes)
        writer.member("lines", counter.totals.lines)
        writer.member("blank", counter.totals.blank)
        writer.member("old", counter.totals.old)
        writer.member("requests", plan.requests)
        writer.member("distinct", plan.distinct)
        writer.member("isExact", plan.isExact)
        writer.member("unusable", counter.unusable, of: input, word: \.word)
        writer.name("formats")
        writer.beginObject()
        for format in LogFormat.allCases {
            if let count = counter.totals.byFormat[format] { writer.member(format.rawValue, count) }
        }
        writer.endObject()
        writer.name("plan")
        writePlan(to: &writer, withPrompts: report == nil)
        if let report {
            writer.name("result")
            report.write(to: &writer)
        }
        writer.endObject()
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    private func writePlan(to writer: inout JSONWriter, withPrompts: Bool) {
        writer.beginObject()
        writer.member("count", plan.prompts.count)
        writer.member("covered", plan.covered)
        writer.member("coldHitRate", plan.coldHitRate)
        writer.member("warmHitRate", plan.warmHitRate)
        writer.member("tokens", plan.tokens)
        writer.member("costUSD", plan.cost)
        if withPrompts {
            writer.name("prompts")
            writer.beginArray()
            for prompt in plan.prompts { write(prompt, to: &writer) }
            writer.endArray()
        }
        writer.endObject()
    }

    private func write(_ prompt: WarmPlan.Prompt, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("key", prompt.key.hex)
        writer.member("endpoint", prompt.dialect.word)
        writer.member("model", prompt.model)
        writer.member("count", prompt.count)
        writer.member("weight", prompt.weight)
        writer.member("tokens", prompt.promptTokens + prompt.answerTokens)
        writer.member("costUSD", prompt.cost)
        writer.endObject()
    }

    private func percent(_ share: Double) -> String {
        let tenths = Int((share * 1000).rounded())
        return "\(tenths / 10).\(tenths % 10) %"
    }
}
