import Core

/// The progress of `warm` on standard error: a bar for a person, a line at each tenth for a file.
struct WarmProgress: Sendable {
    private let isTerminal: Bool
    private let clock: any Clock
    private let start: Int64
    private var shown = 0
    private var drawn: Int64

    private static let width = 30
    /// Nanoseconds between two drawings of the bar.
    private static let pause: Int64 = 100_000_000

    init(isTerminal: Bool, clock: any Clock) {
        self.isTerminal = isTerminal
        self.clock = clock
        start = clock.monotonic()
        drawn = start - WarmProgress.pause
    }

    /// What to write now; empty where nothing changed that is worth it.
    mutating func text(_ report: WarmReport) -> String {
        guard report.planned > 0 else { return "" }
        let now = clock.monotonic()
        if isTerminal {
            guard now - drawn >= WarmProgress.pause else { return "" }
            drawn = now
            return bar(report, now)
        }
        let tenth = report.finished * 10 / report.planned
        guard tenth > shown else { return "" }
        shown = tenth
        return counts(report, now) + "\n"
    }

    /// What to write at the end.
    func last(_ report: WarmReport) -> String {
        isTerminal && report.planned > 0 ? bar(report, clock.monotonic()) + "\n" : ""
    }

    private func bar(_ report: WarmReport, _ now: Int64) -> String {
        let filled = report.finished * WarmProgress.width / report.planned
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: WarmProgress.width - filled)
        // The line may be shorter than the one it is drawn over.
        return "\r\(bar) \(counts(report, now))\u{1B}[K"
    }

    private func counts(_ report: WarmReport, _ now: Int64) -> String {
        var text = "\(report.finished)/\(report.planned), \(report.hits) hits, \(report.failed) errors, "
        text += "\(report.tokens) tokens"
        if report.cost > 0 { text += ", " + dollars(report.cost) }
        let here = report.finished - report.resumed
        let left = report.planned - report.finished
        if here > 0, left > 0, report.stop == nil {
            text += ", " + StatsReport.duration(Double(now - start) / 1e9 / Double(here) * Double(left)) + " left"
        }
        return text
    }
}

/// How far the logs are read, for a person only: it takes seconds unless they are huge.
struct ReadingProgress: Sendable {
    private let isTerminal: Bool
    private let clock: any Clock
    private var drawn: Int64
    private var isShown = false

    /// Nanoseconds before the first and between two drawings.
    private static let pause: Int64 = 500_000_000

    init(isTerminal: Bool, clock: any Clock) {
        self.isTerminal = isTerminal
        self.clock = clock
        drawn = clock.monotonic()
    }

    /// What to write now; mostly empty.
    mutating func text(_ progress: (name: String, position: Int, size: Int?)) -> String {
        guard isTerminal, clock.monotonic() - drawn >= ReadingProgress.pause else { return "" }
        drawn = clock.monotonic()
        isShown = true
        let share = progress.size.map { $0 > 0 ? ", \(min(100, progress.position * 100 / $0)) %" : "" } ?? ""
        return "\rreading \(progress.name): \(StatsReport.size(progress.position))\(share)\u{1B}[K"
    }

    /// Takes the line away.
    func last() -> String { isShown ? "\r\u{1B}[K" : "" }
}
