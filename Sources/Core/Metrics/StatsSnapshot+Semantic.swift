extension StatsSnapshot {
    /// Answers by meaning.
    package struct SemanticStats: Sendable, Equatable, Codable {
        /// Requests that might have been answered so, by what came of it; only what happened.
        package var lookups: [Count]
        /// Near questions that were not taken for the same, by the first objection.
        package var rejections: [Count]
        /// Matches of which somebody knew whether they were right; only witnesses that were heard.
        package var observed: [Observed]
        /// Absent before anything was observed.
        package var errors: SemanticErrors?
        /// Of the search, in seconds; absent before the first one.
        package var search: Latency?
        package var encoding: Latency?
        package var questions: Int
        package var aliases: Int
        package var bytes: Int
        package var capacity: Int
    }

    /// What one kind of witness said.
    package struct Observed: Sendable, Equatable, Codable {
        package var witness: String
        package var right: Int
        package var wrong: Int
        /// The share of wrong ones, and between what it lies with a confidence of 95 %.
        package var error: Double
        package var errorLow: Double
        package var errorHigh: Double

        init(witness: String, right: Int, wrong: Int) {
            self.witness = witness
            self.right = right
            self.wrong = wrong
            let estimate = ShareEstimate(wrong, of: right + wrong)
            error = estimate.share ?? 0
            errorLow = estimate.interval.lowerBound
            errorHigh = estimate.interval.upperBound
        }
    }
}

extension StatsSnapshot.SemanticStats {
    /// nil where only exact matches are served.
    init?(_ registry: MetricsRegistry) {
        guard let capacity = registry.reading(of: .semanticCapacity) else { return nil }
        self.capacity = capacity
        lookups = registry.namedCounts(of: .semanticLookups)
        rejections = registry.namedCounts(of: .semanticRejections)
        observed = SemanticWitness.allCases.compactMap { witness in
            let counts = SemanticVerdict.allCases.map {
                registry.count(of: .semanticObservations, [witness.labelWord, $0.labelWord])
            }
            guard counts.reduce(0, +) > 0 else { return nil }
            // In the order of the verdicts; who took a word back said one thing, not two.
            return StatsSnapshot.Observed(
                witness: witness.labelWord, right: max(0, counts[0] - counts[2]), wrong: counts[1])
        }
        errors = SemanticErrors(registry)
        search = StatsSnapshot.Latency("search", registry.histogram(.semanticDuration))
        encoding = StatsSnapshot.Latency("encoding", registry.histogram(.encodeDuration))
        questions = registry.reading(of: .semanticQuestions) ?? 0
        aliases = registry.reading(of: .semanticAliases) ?? 0
        bytes = registry.reading(of: .semanticBytes) ?? 0
    }
}
