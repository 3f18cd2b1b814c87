/// Both errors of a semantic cache, after vCache (Schroeder et al., 2025): the share of wrong answers among those by meaning,
/// and among all requests.
package struct SemanticErrors: Sendable, Equatable, Codable {
    /// A share from 0 to 1, and between what it lies with a confidence of 95 %.
    package struct Estimate: Sendable, Equatable, Codable {
        package var error: Double
        package var errorLow: Double
        package var errorHigh: Double
    }

    package var perHit: Estimate
    package var perRequest: Estimate

    /// nil before anything was observed.
    ///
    /// - Parameters:
    ///   - wrong: of the `observed` answers by meaning that were compared with the model's own, chosen by chance.
    ///   - hits: requests that were answered by meaning, or would have been.
    ///   - requests: that might have been answered from the cache.
    package init?(wrong: Int, of observed: Int, hits: Int, requests: Int) {
        let estimate = ShareEstimate(wrong, of: observed)
        guard let share = estimate.share, requests > 0 else { return nil }
        let (low, high) = (estimate.interval.lowerBound, estimate.interval.upperBound)
        perHit = Estimate(error: share, errorLow: low, errorHigh: high)
        let rate = min(1, Double(hits) / Double(requests))
        perRequest = Estimate(error: share * rate, errorLow: low * rate, errorHigh: high * rate)
    }
}

extension SemanticErrors {
    /// By what a process counted. Feedback is left out: nobody chose by chance what people look at.
    init?(_ registry: MetricsRegistry) {
        func observed(_ verdict: SemanticVerdict) -> Int {
            [SemanticWitness.comparison, .judge].reduce(0) {
                $0 + registry.count(of: .semanticObservations, [$1.labelWord, verdict.labelWord])
            }
        }
        let (right, wrong) = (observed(.right), observed(.wrong))
        guard right + wrong > 0 else { return nil }
        let requests = registry.counts(of: .requests)
        func count(where isMeant: (_ outcome: String) -> Bool) -> Int {
            requests.reduce(0) { isMeant($1.labels[1]) ? $0 + $1.count : $0 }
        }
        self.init(
            wrong: wrong, of: right + wrong,
            hits: count { $0 == Outcome.Kind.semantic.labelWord }
                + registry.count(of: .semanticLookups, [SemanticLookup.compared.labelWord]),
            requests: count { $0 != Outcome.Kind.bypass.labelWord })
    }
}

extension MetricsRegistry {
    /// Has both errors read as gauges.
    package func readSemanticErrors() {
        for share in SemanticErrorShare.allCases {
            for bound in EstimateBound.allCases {
                read(.semanticErrors, share, bound) { [unowned self] in
                    guard let errors = SemanticErrors(self) else { return bound == .high ? 1 : 0 }
                    let estimate = share == .hits ? errors.perHit : errors.perRequest
                    return switch bound {
                    case .estimate: estimate.error
                    case .low: estimate.errorLow
                    case .high: estimate.errorHigh
                    }
                }
            }
        }
    }
}
