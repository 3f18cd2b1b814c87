import Core
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

    static func text(_ stats: StatsSnapshot, _ style: TerminalStyle) -> String {
        var parts = [overview(stats, style)]
        var requests = TextTable([
            .init(title: "ENDPOINT"), .init(title: "OUTCOME"), .init(title: "REQUESTS", isNumber: true),
        ])
        for row in stats.requests { requests.add([row.endpoint, row.outcome, String(row.count)]) }
        if !requests.rows.isEmpty { parts.append(requests.text(style)) }
        if let table = latencies(stats) { parts.append(table.text(style)) }
        if let table = tiers(stats) { parts.append(table.text(style)) }
        if let table = lowerTiers(stats) { parts.append(table.text(style)) }
        if let table = counts(stats) { parts.append(table.text(style)) }
        return parts.joined(separator: "\n")
    }

    private static func overview(_ stats: StatsSnapshot, _ style: TerminalStyle) -> String {
        let rate = stats.hitRate.map { "\(decimal($0 * 100)) %" } ?? "none yet"
        let tokens = "\(stats.savedTokens.prompt) prompt, \(stats.savedTokens.completion) completion"
        return """
            refrain \(stats.version), up \(duration(stats.uptimeSeconds))
            hit rate      \(style.bold(rate))
            saved tokens  \(tokens)
            coalesced     \(stats.coalesced)
            now           \(stats.inflightRequests) requests, \(stats.flights) flights, \(stats.connections) connections

            """
    }

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
                [row.tier] + numbers + [row.hitShare.map { "\(decimal($0 * 100)) %" } ?? "-"]
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

    private static func counts(_ stats: StatsSnapshot) -> TextTable? {
        var table = TextTable([.init(title: "COUNT OF"), .init(title: "WHAT"), .init(title: "NUMBER", isNumber: true)])
        for (title, rows) in [
            ("upstream calls", stats.upstream), ("bypasses", stats.bypass), ("answers not kept", stats.notStored),
            ("evictions", stats.evictions),
        ] {
            for row in rows { table.add([title, row.name, String(row.count)]) }
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

    /// One digit behind the point.
    private static func decimal(_ value: Double) -> String {
        let tenths = (value * 10).rounded()
        guard tenths.isFinite, tenths.magnitude < 1e15 else { return "?" }
        let (whole, rest) = Int64(tenths).quotientAndRemainder(dividingBy: 10)
        return "\(whole).\(rest.magnitude)"
    }
}
