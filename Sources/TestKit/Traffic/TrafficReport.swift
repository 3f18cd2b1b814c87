import Core
import Engine

/// What became of the requests of a simulated day.
package struct TrafficReport: Sendable {
    package struct Row: Sendable {
        /// Seconds from arrival to the complete answer.
        var latencies: [Double] = []
        package fileprivate(set) var arrived = 0
        package fileprivate(set) var shed = 0
        fileprivate var shedAfter = 0.0
        package fileprivate(set) var failed = 0
        /// The client had gone before the answer came.
        package fileprivate(set) var tooLate = 0

        package var answered: Int { latencies.count }
        package var goodput: Double { Double(answered) / Double(max(1, arrived)) }
        /// Mean seconds until somebody who is shed is told.
        package var timeToShed: Double { shedAfter / Double(max(1, shed)) }
        package var shedShare: Double { Double(shed) / Double(max(1, arrived)) }

        package func latency(_ quantile: Double) -> Double {
            guard !latencies.isEmpty else { return 0 }
            let sorted = latencies.sorted()
            return sorted[min(sorted.count - 1, Int((Double(sorted.count) * quantile).rounded(.up)) - 1)]
        }
    }

    /// By phase, then by `Priority.rawValue`.
    package private(set) var rows: [TrafficScenario.Phase: [Row]] = [:]
    /// The most that each server had to do with at a time.
    package internal(set) var peaks: [Int] = []
    /// Starts of attempts, in seconds, by server.
    package internal(set) var starts: [[Double]] = []
    package internal(set) var attempts = 0
    package internal(set) var shield: ShieldReport?

    init() {
        for phase in TrafficScenario.Phase.allCases { rows[phase] = Priority.allCases.map { _ in Row() } }
    }

    package func row(_ phase: TrafficScenario.Phase, _ priority: Priority) -> Row {
        rows[phase]?[priority.rawValue] ?? Row()
    }

    enum End {
        case answered(Double)
        case shed(Double)
        case failed, tooLate
    }

    mutating func note(_ phase: TrafficScenario.Phase, _ priority: Priority, _ end: End) {
        change(phase, priority) { row in
            row.arrived += 1
            switch end {
            case .answered(let seconds): row.latencies.append(seconds)
            case .shed(let seconds):
                row.shed += 1
                row.shedAfter += seconds
            case .failed: row.failed += 1
            case .tooLate: row.tooLate += 1
            }
        }
    }

    private mutating func change(_ phase: TrafficScenario.Phase, _ priority: Priority, _ change: (inout Row) -> Void) {
        // Every phase was given its rows at the start.
        change(&rows[phase]![priority.rawValue])
    }
}
