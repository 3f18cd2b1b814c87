/// A share that was counted on some cases, with the interval that holds it.
package struct ShareEstimate: Sendable, Equatable {
    package var count: Int
    package var of: Int

    package init(_ count: Int, of: Int) {
        self.count = count
        self.of = of
    }

    /// nil where nothing was counted.
    package var share: Double? { of > 0 ? Double(count) / Double(of) : nil }

    /// The 95 % interval of Wilson ("Probable inference", 1927), which stays inside 0 to 1 and is of use for small counts;
    /// everything where nothing was counted.
    package var interval: ClosedRange<Double> { Wilson.interval(share ?? 0, Double(of), z: 1.96) }
}

enum Wilson {
    static func interval(_ share: Double, _ count: Double, z: Double) -> ClosedRange<Double> {
        guard count > 0 else { return 0...1 }
        let square = z * z / count
        let middle = (share + square / 2) / (1 + square)
        let half = z / (1 + square) * (share * (1 - share) / count + square / (4 * count)).squareRoot()
        return max(0, middle - half)...max(0, min(1, middle + half))
    }
}

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
