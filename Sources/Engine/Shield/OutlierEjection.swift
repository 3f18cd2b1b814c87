import Core

/// Leaves an upstream alone for a while that does much worse than the others, although it is not down.
///
/// After Envoy's outlier detection: every ten seconds the upstreams are compared, the worse of them are ejected, never
/// more than half of them, and each time for twice as long. Two things are compared. *Failures*: the share of attempts
/// that failed is higher than that of the others together by three tenths. *Latency*: heads take four times as long as
/// they usually do *here*, while those of the others do not; upstreams are not compared with each other in this,
/// because a larger model is slower all the time.
package struct OutlierEjection: Sendable {
    package enum Reason: String, Sendable, CaseIterable {
        case failures, latency
    }

    struct Ejection: Sendable, Equatable {
        let index: Int
        let pause: Int64
        let reason: Reason
    }

    private struct Record: Sendable {
        var isMember = true
        var attempts = 0
        var failures = 0
        var latencies = 0
        var latencySum = 0.0
        /// Mean time to a head, over many windows.
        var usual: Double?
        var ejectedUntil: Int64?
        var ejections = 0

        var failureShare: Double { Double(failures) / Double(max(1, attempts)) }
        /// How many times as long as usual it took.
        var slowness: Double? {
            guard latencies >= OutlierEjection.fewest, let usual else { return nil }
            return latencySum / Double(latencies) / usual
        }
    }

    static let window = 10 * Duration64.nanosecondsPerSecond
    /// Attempts in a window, below which it proves nothing.
    static let fewest = 10
    static let largestShare = 0.5
    private static let failureGap = 0.3
    private static let slowLimit = 4.0
    private static let othersLimit = 2.0
    static let pause = 30 * Duration64.nanosecondsPerSecond
    static let longestPause = 300 * Duration64.nanosecondsPerSecond
    private static let usualWeight = 0.1
    /// Of a window that was out of the usual: it is the new usual only if it stays so.
    private static let unusualWeight = 0.02

    private var records: [Record] = []
    private var nextLook: Int64

    init(now: Int64) { nextLook = now + OutlierEjection.window }

    /// A new one at `index`, or none any more.
    mutating func set(member isMember: Bool, at index: Int) {
        while records.count <= index { records.append(Record()) }
        if isMember != records[index].isMember { records[index] = Record() }
        records[index].isMember = isMember
    }

    func isEjected(_ index: Int) -> Bool { records[index].ejectedUntil != nil }

    /// When somebody comes back, and nobody does earlier.
    var nextReturn: Int64? { records.lazy.compactMap(\.ejectedUntil).min() }

    /// The end of an attempt, or its head with the time that it took.
    mutating func record(_ index: Int, isFailure: Bool, latency: Int64?) {
        records[index].attempts += 1
        if isFailure { records[index].failures += 1 }
        if let latency {
            records[index].latencies += 1
            records[index].latencySum += Double(max(latency, 1))
        }
    }

    /// Somebody whose pause is over; ask until there is nobody.
    mutating func returned(now: Int64) -> Int? {
        for index in records.indices {
            if let until = records[index].ejectedUntil, until <= now {
                records[index].ejectedUntil = nil
                clear(index)
                return index
            }
        }
        return nil
    }

    /// Once a window: who is to be left alone.
    mutating func look(now: Int64) -> [Ejection] {
        guard now >= nextLook else { return [] }
        nextLook = now + OutlierEjection.window
        var found: [Ejection] = []
        let members = records.count { $0.isMember }
        var room = Int(Double(members) * OutlierEjection.largestShare) - records.count { $0.ejectedUntil != nil }
        // The worst first, so that it is the one that goes where not all may.
        for index in records.indices.sorted(by: { records[$0].failureShare > records[$1].failureShare }) {
            guard records[index].isMember, records[index].ejectedUntil == nil else { continue }
            guard room > 0, let reason = reason(against: index) else { continue }
            room -= 1
            let doubled = OutlierEjection.pause << Int64(min(records[index].ejections, 8))
            let pause = min(OutlierEjection.longestPause, doubled)
            records[index].ejections += 1
            records[index].ejectedUntil = now + pause
            found.append(Ejection(index: index, pause: pause, reason: reason))
        }
        for index in records.indices { close(index) }
        return found
    }

    private func reason(against index: Int) -> Reason? {
        let record = records[index]
        guard record.attempts >= OutlierEjection.fewest else { return nil }
        var (attempts, failures, slowest) = (0, 0, 0.0)
        for other in records.indices where other != index && records[other].isMember {
            guard records[other].ejectedUntil == nil else { continue }
            attempts += records[other].attempts
            failures += records[other].failures
            slowest = max(slowest, records[other].slowness ?? 0)
        }
        guard attempts >= OutlierEjection.fewest else { return nil }
        if record.failureShare - Double(failures) / Double(attempts) >= OutlierEjection.failureGap { return .failures }
        if let slowness = record.slowness, slowness >= OutlierEjection.slowLimit, slowest < OutlierEjection.othersLimit
        {
            return .latency
        }
        return nil
    }

    /// Ends a window; one with too few attempts goes on.
    private mutating func close(_ index: Int) {
        let record = records[index]
        guard record.attempts >= OutlierEjection.fewest else { return }
        if record.latencies >= OutlierEjection.fewest {
            let mean = record.latencySum / Double(record.latencies)
            let isUnusual = (record.slowness ?? 1) >= OutlierEjection.othersLimit
            let weight = isUnusual ? OutlierEjection.unusualWeight : OutlierEjection.usualWeight
            records[index].usual = record.usual.map { $0 + (mean - $0) * weight } ?? mean
        }
        if record.ejectedUntil == nil { records[index].ejections = max(0, record.ejections - 1) }
        clear(index)
    }

    private mutating func clear(_ index: Int) {
        records[index].attempts = 0
        records[index].failures = 0
        records[index].latencies = 0
        records[index].latencySum = 0
    }
}
