import Core

/// Counts from which both errors of a semantic cache are estimated: of all requests, and of its own hits.
package struct ErrorTally: Sendable, Equatable {
    package private(set) var requests = 0
    package private(set) var hits = 0
    /// Hits whose answer was compared with a fresh one, chosen by chance.
    package private(set) var audited = ShareEstimate(0, of: 0)

    package init() {}

    package mutating func noteRequest(isHit: Bool) {
        requests += 1
        if isHit { hits += 1 }
    }

    package mutating func noteAudit(isWrong: Bool) {
        audited.of += 1
        if isWrong { audited.count += 1 }
    }

    /// Wrong answers by semantic hits.
    package var perHit: ShareEstimate { audited }

    /// Wrong answers by all requests, and the interval that holds them; nil before anything was audited.
    package var perRequest: (share: Double, interval: ClosedRange<Double>)? {
        guard let share = audited.share, requests > 0 else { return nil }
        let rate = Double(hits) / Double(requests)
        let interval = audited.interval
        return (share * rate, interval.lowerBound * rate...interval.upperBound * rate)
    }
}
