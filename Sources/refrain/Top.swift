import Core
import Foreign

extension Command {
    static let topScreen = Command(
        name: "top",
        summary: "Shows a running sidecar live: rates, tiers, the upstream, models and the busiest keys; q quits.",
        options: [.every, .admin],
        examples: [
            Example(line: "refrain top", sentence: "The sidecar on this machine"),
            Example(line: "refrain top --every 500ms --admin http://10.0.0.7:8401", sentence: "Another one, faster"),
        ],
        run: { arguments throws(CommandFailure) in try await Top(arguments).run() })
}

/// The live screen: asks, draws, waits for a key.
private struct Top {
    private let port: AdminPort
    private let interval: Duration
    private let style: TerminalStyle

    init(_ arguments: Arguments) throws(CommandFailure) {
        port = try AdminPort(arguments)
        interval = try arguments.interval()
        style = TerminalStyle.detect(environment: SettingsSources.environment())
    }

    func run() async throws(CommandFailure) {
        // Before the screen is taken over: what is wrong stays readable.
        var before = try await port.stats()
        guard let screen = TerminalScreen() else {
            throw .failed("top needs a terminal; `refrain stats --watch` writes to files and pipes")
        }
        var view = TopView(stats: before, before: before, keys: [], place: port.url.description)
        while true {
            do throws(CommandFailure) {
                let stats = try await port.stats()
                // The first moments tell no rates.
                view = TopView(
                    stats: stats, before: before, keys: try await port.busiestKeys(50), place: port.url.description)
                before = stats
            } catch {
                view.problem = error.message
            }
            let (columns, rows) = screen.size
            guard screen.draw(view.lines(columns: columns, rows: rows, style)) else { return }
            switch screen.wait(interval) {
            case .stop, .key(UInt8(ascii: "q")), .key(UInt8(ascii: "Q")), .key(Top.controlC): return
            case .key, .timeout: continue
            }
        }
    }

    private static let controlC: UInt8 = 3
}

/// What the screen shows, as lines.
struct TopView {
    var stats: StatsSnapshot
    /// The reading before, which rates are told from.
    var before: StatsSnapshot
    var keys: [BusyKey]
    var place: String
    /// Why the newest reading is missing.
    var problem: String?

    private var seconds: Double { stats.uptimeSeconds - before.uptimeSeconds }

    /// At most `rows` lines of at most `columns` characters; the last ones are left out first.
    func lines(columns: Int, rows: Int, _ style: TerminalStyle) -> [String] {
        var lines = [title, now, savings, ""]
        lines += block(tiers) + block(outcomes)
        lines += ["upstream  " + upstream, ""]
        lines += block(models)
        // The keys take what room there is.
        let room = max(0, rows - lines.count - 2)
        if room > 1 { lines += keyLines(room) }
        if lines.last == "" { lines.removeLast() }
        lines = Array(lines.prefix(max(1, rows - 1)))
        lines.append(problem.map { "! " + $0 } ?? "q quits")
        let isTitle = Set(["TIER", "OUTCOME", "MODEL", "KEY"])
        return lines.prefix(max(1, rows)).enumerated().map { index, line in
            let cut = String(line.prefix(columns))
            let word = String(line.prefix { $0 != " " })
            if index == 0 || isTitle.contains(word) { return style.bold(cut) }
            return problem != nil && index == lines.count - 1 ? style.coloured(cut, .red) : cut
        }
    }

    private func block(_ table: TextTable) -> [String] {
        guard !table.rows.isEmpty else { return [] }
        return table.text(TerminalStyle(isOn: false)).split(separator: "\n").map(String.init) + [""]
    }

    private var title: String {
        "refrain \(stats.version)  \(place)  up \(StatsReport.duration(stats.uptimeSeconds))"
    }

    private var now: String {
        let (all, saved) = rates { !$0.isEmpty }
        let rate = all > 0 ? StatsReport.percent(saved / all) : "-"
        let total = stats.hitRate.map(StatsReport.percent) ?? "-"
        return "\(StatsReport.decimal(all)) requests/s   hit rate \(rate) now, \(total) in all   "
            + "\(stats.inflightRequests) in flight, \(stats.connections) connections"
    }

    private var savings: String {
        let tokens = stats.savedTokens.prompt + stats.savedTokens.completion
        let time = stats.savedSeconds.map { ", about " + StatsReport.duration($0) } ?? ""
        return "saved \(StatsReport.dollars(stats.savedCostUSD)), \(tokens) tokens\(time)"
    }

    /// Requests a second of those outcomes, and those that cost no call; bypasses are never saved.
    private func rates(_ isMeant: (String) -> Bool) -> (all: Double, saved: Double) {
        guard seconds > 0 else { return (0, 0) }
        func count(_ stats: StatsSnapshot, _ isMeant: (String) -> Bool) -> Int {
            stats.requests.filter { isMeant($0.outcome) }.reduce(0) { $0 + $1.count }
        }
        let lost = [Outcome.Kind.miss.rawValue, Outcome.Kind.bypass.rawValue]
        let all = count(stats, isMeant) - count(before, isMeant)
        let saved = { isMeant($0) && !lost.contains($0) } as (String) -> Bool
        return (Double(all) / seconds, Double(count(stats, saved) - count(before, saved)) / seconds)
    }

    private var tiers: TextTable {
        let titles = ["HITS/S", "HIT SHARE", "ENTRIES", "BYTES", "FULL", "QUEUED"]
        var table = TextTable(
            [.init(title: "TIER")] + titles.map { .init(title: $0, isNumber: true) } + [.init(title: "BREAKER")])
        for tier in stats.tiers {
            let hits = tier.hits - (before.tiers.first { $0.tier == tier.tier }?.hits ?? 0)
            let share = tier.bytes.flatMap { bytes in tier.capacity.map { Double(bytes) / Double(max($0, 1)) } }
            table.add([
                tier.tier, seconds > 0 ? StatsReport.decimal(Double(hits) / seconds) : "-",
                tier.hitShare.map(StatsReport.percent) ?? "-", tier.entries.map { String($0) } ?? "-",
                tier.bytes.map(StatsReport.size) ?? "-", share.map(StatsReport.percent) ?? "-",
                tier.lower.map { String($0.queued) } ?? "-", tier.lower?.breaker ?? "-",
            ])
        }
        return table
    }

    private var outcomes: TextTable {
        let titles = ["/S", "COUNT", "P50", "P90", "P99"]
        var table = TextTable([.init(title: "OUTCOME")] + titles.map { .init(title: $0, isNumber: true) })
        for row in stats.latency {
            let rate = rates { $0 == row.outcome }.all
            table.add(
                [row.outcome, StatsReport.decimal(rate), String(row.count)]
                    + [row.p50, row.p90, row.p99].map(StatsReport.duration))
        }
        return table
    }

    private var upstream: String {
        guard let latency = stats.upstreamLatency else { return "not asked yet" }
        let failures = stats.upstream.filter { $0.name != "ok" }.map { "\($0.name) \($0.count)" }
        return
            "\(latency.count) calls, p50 \(StatsReport.duration(latency.p50)), p99 \(StatsReport.duration(latency.p99))"
            + (failures.isEmpty ? "" : "; " + failures.joined(separator: ", "))
    }

    private var models: TextTable {
        let titles = ["/S", "REQUESTS", "HIT RATE", "SAVED"]
        var table = TextTable([.init(title: "MODEL")] + titles.map { .init(title: $0, isNumber: true) })
        for row in stats.models.prefix(4) {
            let earlier = before.models.first { $0.name == row.name }?.requests ?? 0
            let share = row.requests > 0 ? Double(row.requests - row.misses) / Double(row.requests) : 0
            table.add([
                StatsReport.name(of: row, most: 28),
                seconds > 0 ? StatsReport.decimal(Double(row.requests - earlier) / seconds) : "-", String(row.requests),
                StatsReport.percent(share), StatsReport.dollars(row.savedCostUSD),
            ])
        }
        return table
    }

    /// The busiest keys, shortened to what tells them apart.
    private func keyLines(_ room: Int) -> [String] {
        var table = TextTable([
            .init(title: "KEY"), .init(title: "REQUESTS", isNumber: true), .init(title: "SAVED", isNumber: true),
            .init(title: "MODEL"),
        ])
        for row in keys.prefix(room - 1) {
            table.add([
                StatsReport.printable(row.key, most: 16), String(row.requests), String(row.saved),
                row.model.map { StatsReport.printable($0, most: 28) } ?? "-",
            ])
        }
        return table.rows.isEmpty ? [] : block(table).dropLast()
    }
}
