import Core
import Foreign
import FoundationEssentials

/// The answer of `/api/stats`, read back and laid out for people.
enum StatsReport {
    static func decode(_ json: [UInt8]) throws(CommandFailure) -> StatsSnapshot {
        do {
            return try JSONDecoder().decode(StatsSnapshot.self, from: Data(json))
        } catch {
            throw .failed("the answer is not that of a Refrain admin port; check --admin")
        }
    }

    static func text(_ stats: StatsSnapshot, _ style: TerminalStyle, now: Int64 = SystemClock().wall()) -> String {
        let tables = [
            endpoints(stats), latencies(stats), tiers(stats), lowerTiers(stats), upstreams(stats),
            meaning(stats.semantic), observed(stats.semantic), errors(stats.semantic), usage("MODEL", stats.models),
            usage("TENANT", stats.tenants), usage("NAMESPACE", stats.namespaces), counts(stats),
        ]
        return ([overview(stats, style, now)] + tables.compactMap { $0?.text(style) }).joined(separator: "\n")
    }

    private static func overview(_ stats: StatsSnapshot, _ style: TerminalStyle, _ now: Int64) -> String {
        let tokens = "\(stats.savedTokens.prompt) prompt, \(stats.savedTokens.completion) completion"
        return """
            refrain \(stats.version), up \(duration(stats.uptimeSeconds))
            hit rate      \(style.bold(stats.hitRate.map(percent) ?? "none yet"))
            saved tokens  \(tokens)
            saved cost    \(dollars(stats.savedCostUSD))
            saved time    \(stats.savedSeconds.map { "about " + duration($0) } ?? "none yet")
            coalesced     \(stats.coalesced)\(stats.warming.map { "\nwarming       " + warming($0, now: now) } ?? "")
            now           \(stats.inflightRequests) requests, \(stats.flights) flights, \(stats.connections) connections
            waiting       \(stats.queue.map { "\($0.count) \($0.name)" }.joined(separator: ", "))

            """
    }

    /// What scheduled warming did; `now` in milliseconds since 1970.
    private static func warming(_ warming: StatsSnapshot.Warming, now: Int64) -> String {
        guard let last = warming.lastRun else { return "no run yet" }
        let ago = duration(max(0, Double(now) / 1_000 - last))
        return "\(warming.runs) runs, the last \(ago) ago: \(warming.hits) were there, \(warming.asked) asked, "
            + "\(warming.refreshed) refreshed, \(warming.failed) failed"
    }

    /// Requests by endpoint and outcome, with the share that cost no call of their own.
    private static func endpoints(_ stats: StatsSnapshot) -> TextTable? {
        let outcomes = Outcome.Kind.allCases
        var table = TextTable(
            [
                .init(title: "ENDPOINT"), .init(title: "REQUESTS", isNumber: true),
                .init(title: "HIT RATE", isNumber: true),
            ]
                + outcomes.map { .init(title: $0.rawValue.uppercased(), isNumber: true) })
        for endpoint in Endpoint.allCases {
            let rows = stats.requests.filter { $0.endpoint == endpoint.labelWord }
            guard !rows.isEmpty else { continue }
            let counts = outcomes.map { outcome in rows.first { $0.outcome == outcome.rawValue }?.count ?? 0 }
            let all = counts.reduce(0, +)
            let cacheable = all - counts[Outcome.Kind.bypass.labelIndex]
            let rate =
                cacheable > 0 ? Double(cacheable - counts[Outcome.Kind.miss.labelIndex]) / Double(cacheable) : nil
            table.add([endpoint.labelWord, String(all), rate.map(percent) ?? "-"] + counts.map { String($0) })
        }
        return table.rows.isEmpty ? nil : table
    }

    private static func usage(_ title: String, _ rows: [StatsSnapshot.Usage]) -> TextTable? {
        // One tenant or one namespace without a name tells nothing.
        guard rows.count > 1 || rows.contains(where: { !$0.name.isEmpty && title != "TENANT" }) else { return nil }
        let titles = ["REQUESTS", "HIT RATE", "HIT", "COALESCED", "MISS", "TOKENS SAVED", "COST SAVED"]
        var table = TextTable([.init(title: title)] + titles.map { .init(title: $0, isNumber: true) })
        for row in rows.prefix(mostRows) {
            let rate = row.requests > 0 ? percent(Double(row.requests - row.misses) / Double(row.requests)) : "-"
            table.add(
                [name(of: row), String(row.requests), rate]
                    + [row.hits, row.coalesced, row.misses].map { String($0) }
                    + [String(row.savedTokens.prompt + row.savedTokens.completion), dollars(row.savedCostUSD)])
        }
        return table
    }

    /// A name that is the same as the word for all others is told from it by quotes.
    static func name(of row: StatsSnapshot.Usage, most: Int = 40) -> String {
        row.isRest != true && row.name == UsageReport.rest ? quoted(row.name) : printable(row.name, most: most)
    }

    /// More rows of names are for `--json`.
    private static let mostRows = 10

    private static func latencies(_ stats: StatsSnapshot) -> TextTable? {
        let rows = stats.latency + (stats.upstreamLatency.map { [$0] } ?? [])
        guard !rows.isEmpty else { return nil }
        let titles = ["COUNT", "MEAN", "P50", "P90", "P99"]
        var table = TextTable([.init(title: "LATENCY")] + titles.map { .init(title: $0, isNumber: true) })
        for row in rows {
            table.add([row.outcome, String(row.count)] + [row.mean, row.p50, row.p90, row.p99].map(duration))
        }
        return table
    }

    private static func tiers(_ stats: StatsSnapshot) -> TextTable? {
        guard !stats.tiers.isEmpty else { return nil }
        let titles = ["LOOKUPS", "HITS", "STALE", "MISSES", "HIT SHARE", "ENTRIES", "BYTES", "CAPACITY"]
        var table = TextTable([.init(title: "TIER")] + titles.map { .init(title: $0, isNumber: true) })
        for row in stats.tiers {
            let numbers = [row.lookups, row.hits, row.stale, row.misses].map { String($0) }
            let holdings = [row.entries.map { String($0) }, row.bytes.map(size), row.capacity.map(size)]
            table.add(
                [row.tier] + numbers + [row.hitShare.map(percent) ?? "-"]
                    + holdings.map { $0 ?? "-" })
        }
        return table
    }

    private static func lowerTiers(_ stats: StatsSnapshot) -> TextTable? {
        let titles = ["P50", "P99", "STORED", "REFUSED", "FAILED", "FAILURES", "QUEUED", "BYTES", "DROPPED"]
        var table = TextTable(
            [.init(title: "LOWER TIER"), .init(title: "BREAKER")] + titles.map { .init(title: $0, isNumber: true) })
        for row in stats.tiers {
            guard let lower = row.lower else { continue }
            let times = [lower.p50, lower.p99].map { $0.map(duration) ?? "-" }
            let calls = [lower.stored, lower.refused, lower.failed, lower.failures].map { String($0) }
            table.add(
                [row.tier, lower.breaker] + times + calls
                    + [String(lower.queued), size(lower.queuedBytes), String(lower.dropped)])
        }
        return table.rows.isEmpty ? nil : table
    }

    /// What came of the requests that might have been answered by meaning.
    private static func meaning(_ semantic: StatsSnapshot.SemanticStats?) -> TextTable? {
        guard let semantic else { return nil }
        var table = TextTable([.init(title: "BY MEANING"), .init(title: "NUMBER", isNumber: true)])
        for row in semantic.lookups { table.add([row.name, String(row.count)]) }
        for row in semantic.rejections { table.add(["rejected: \(row.name)", String(row.count)]) }
        table.add(["questions", String(semantic.questions)])
        table.add(["wordings answered", String(semantic.aliases)])
        table.add(["memory", "\(size(semantic.bytes)) of \(size(semantic.capacity))"])
        for row in [semantic.search, semantic.encoding].compactMap(\.self) {
            table.add([row.outcome, "\(duration(row.p50)) p50, \(duration(row.p99)) p99"])
        }
        return table
    }

    private static func observed(_ semantic: StatsSnapshot.SemanticStats?) -> TextTable? {
        guard let rows = semantic?.observed, !rows.isEmpty else { return nil }
        var table = TextTable(
            [.init(title: "MATCHES JUDGED BY")]
                + ["RIGHT", "WRONG", "ERROR", "95 % INTERVAL"].map { .init(title: $0, isNumber: true) })
        for row in rows {
            table.add([
                row.witness, String(row.right), String(row.wrong), percent(row.error),
                "\(percent(row.errorLow)) to \(percent(row.errorHigh))",
            ])
        }
        return table
    }

    private static func errors(_ semantic: StatsSnapshot.SemanticStats?) -> TextTable? {
        guard let errors = semantic?.errors else { return nil }
        var table = TextTable(
            [.init(title: "WRONG BY MEANING")] + ["ESTIMATE", "95 % INTERVAL"].map { .init(title: $0, isNumber: true) })
        for (share, estimate) in [("of those answers", errors.perHit), ("of all requests", errors.perRequest)] {
            table.add([
                share, percent(estimate.error), "\(percent(estimate.errorLow)) to \(percent(estimate.errorHigh))",
            ])
        }
        return table
    }

    private static func upstreams(_ stats: StatsSnapshot) -> TextTable? {
        guard !stats.upstreams.isEmpty else { return nil }
        let titles = ["CALLS", "FAILED", "IN FLIGHT", "LIMIT", "RATE/S", "P95"]
        var table = TextTable(
            [.init(title: "UPSTREAM"), .init(title: "STATE")] + titles.map { .init(title: $0, isNumber: true) })
        for row in stats.upstreams {
            let state = row.breaker == BreakerState.closed.word && !row.healthy ? "unhealthy" : row.breaker
            table.add(
                [row.name, state] + [row.calls, row.failed, row.inflight, row.limit].map { String($0) }
                    + [row.ratePerSecond.map(decimal) ?? "-", row.p95.map(duration) ?? "-"])
        }
        return table
    }

    private static func counts(_ stats: StatsSnapshot) -> TextTable? {
        var table = TextTable([.init(title: "COUNT OF"), .init(title: "WHAT"), .init(title: "NUMBER", isNumber: true)])
        for (title, rows) in [
            ("upstream calls", stats.upstream), ("further calls", stats.furtherCalls), ("shed requests", stats.shed),
            ("answers", stats.responses), ("bypasses", stats.bypass), ("answers not kept", stats.notStored),
            ("evictions", stats.evictions),
        ] {
            for row in rows where row.count > 0 { table.add([title, row.name, String(row.count)]) }
        }
        return table.rows.isEmpty ? nil : table
    }

    /// Seconds in the unit that leaves few digits.
    static func duration(_ seconds: Double) -> String {
        switch seconds {
        case ..<0.001: "\(decimal(seconds * 1e6)) µs"
        case ..<1: "\(decimal(seconds * 1e3)) ms"
        case ..<120: "\(decimal(seconds)) s"
        case ..<7_200: "\(decimal(seconds / 60)) min"
        case ..<172_800: "\(decimal(seconds / 3_600)) h"
        default: "\(decimal(seconds / 86_400)) d"
        }
    }

    /// Bytes in the unit that leaves few digits.
    static func size(_ bytes: Int) -> String {
        let units = ["KiB", "MiB", "GiB", "TiB"]
        var value = Double(bytes)
        guard value >= 1024 else { return "\(bytes) B" }
        var unit = -1
        while value >= 1024 && unit < units.count - 1 {
            value /= 1024
            unit += 1
        }
        return "\(decimal(value)) \(units[unit])"
    }

    static func percent(_ share: Double) -> String { "\(decimal(share * 100)) %" }

    /// To the cent where there are dollars, else to the digit that tells something.
    static func dollars(_ amount: Double) -> String {
        guard amount.isFinite, amount < 1e15 else { return "$?" }
        if amount == 0 { return "$0" }
        let digits = amount >= 1 ? 2 : amount >= 0.01 ? 4 : 6
        let scale = (0..<digits).reduce(1.0) { scale, _ in scale * 10 }
        let (whole, rest) = Int64((amount * scale).rounded()).quotientAndRemainder(dividingBy: Int64(scale))
        let fraction = String(rest)
        return "$\(whole)." + String(repeating: "0", count: digits - fraction.count) + fraction
    }

    /// A name that came from outside, without what would steer a terminal, and short.
    static func printable(_ name: String, most: Int = 40) -> String {
        if name.isEmpty { return "(none)" }
        var result = String.UnicodeScalarView()
        for scalar in name.unicodeScalars.prefix(most) {
            switch scalar.properties.generalCategory {
            case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator:
                result.append("?")
            default: result.append(scalar)
            }
        }
        return String(result) + (name.unicodeScalars.count > most ? "…" : "")
    }

    /// One digit behind the point.
    static func decimal(_ value: Double) -> String {
        let tenths = (value * 10).rounded()
        guard tenths.isFinite, tenths.magnitude < 1e15 else { return "?" }
        let (whole, rest) = Int64(tenths).quotientAndRemainder(dividingBy: 10)
        return "\(whole).\(rest.magnitude)"
    }
}
