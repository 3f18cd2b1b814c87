import Synchronization

/// A row of counters without names: the caller computes the index.
struct CounterRow<let count: Int>: ~Copyable, Sendable {
    private let cells = InlineArray<count, Atomic<UInt64>> { _ in Atomic(0) }

    init() {}

    @inline(__always)
    func add(_ amount: UInt64 = 1, at index: Int) {
        cells[index].wrappingAdd(amount, ordering: .relaxed)
    }

    func load(_ index: Int) -> UInt64 { cells[index].load(ordering: .relaxed) }

    var values: [UInt64] { (0..<count).map { load($0) } }
}

/// Durations counted on `HistogramScale`.
struct Histogram: ~Copyable, Sendable {
    private let steps = CounterRow<812>()
    private let sum = Atomic<UInt64>(0)

    init() {
        precondition(HistogramScale.stepCount == 812, "Histogram: the storage must have as many cells as the scale")
    }

    @inline(__always)
    func observe(nanoseconds: Int64) {
        steps.add(at: HistogramScale.step(ofNanoseconds: nanoseconds))
        sum.wrappingAdd(UInt64(bitPattern: max(nanoseconds, 0)), ordering: .relaxed)
    }

    func read(into reading: inout HistogramReading) {
        for step in 0..<HistogramScale.stepCount { reading.add(step: step, steps.load(step)) }
        reading.add(sum: sum.load(ordering: .relaxed))
    }
}

/// The counters of one worker.
///
/// Each worker has its own, so that counting never moves a cache line between cores; `MetricsRegistry` sums
/// them when somebody asks. Any thread may count into any block and nothing is lost: order does not matter to
/// sums, therefore every access is relaxed.
package final class MetricsBlock: Sendable {
    private let requests = CounterRow<36>()
    private let responses = CounterRow<4>()
    private let warmRequests = CounterRow<6>()
    private let bypasses = CounterRow<32>()
    private let notStoredAnswers = CounterRow<32>()
    private let coalescedRequests = CounterRow<1>()
    private let lookups = CounterRow<9>()
    private let purges = CounterRow<7>()
    private let tokens = CounterRow<2>()
    private let cost = CounterRow<1>()
    private let revalidations = CounterRow<4>()
    private let fallbacks = CounterRow<2>()
    private let durations = InlineArray<6, Histogram> { _ in Histogram() }
    private let tierDurations = InlineArray<3, Histogram> { _ in Histogram() }
    private let upstreamDurations = Histogram()
    private let semanticLookups = CounterRow<16>()
    private let semanticRejections = CounterRow<24>()
    private let semanticObservations = CounterRow<9>()
    private let semanticJudgements = CounterRow<6>()
    private let semanticAnnouncements = CounterRow<4>()
    private let semanticDurations = Histogram()
    private let encodeDurations = Histogram()

    package init() {}

    /// One answered request; `duration` in nanoseconds from the complete request to the end of its answer.
    @inline(__always)
    package func countRequest(_ endpoint: Endpoint, _ outcome: Outcome.Kind, status: Int, duration: Int64) {
        responses.add(at: StatusClass(status: status).labelIndex)
        requests.add(at: endpoint.labelIndex &* 6 &+ outcome.labelIndex)
        durations[outcome.labelIndex].observe(nanoseconds: duration)
    }

    /// One answered request that nobody but warming wanted.
    package func countWarming(_ outcome: Outcome.Kind) { warmRequests.add(at: outcome.labelIndex) }

    package func countBypass(_ reason: BypassReason) { bypasses.add(at: reason.labelIndex) }

    package func countNotStored(_ reason: NotStored) { notStoredAnswers.add(at: reason.labelIndex) }

    package func countCoalesced() { coalescedRequests.add(at: 0) }

    @inline(__always)
    package func countLookup(_ tier: TierName, _ result: LookupResult) {
        lookups.add(at: tier.labelIndex &* 3 &+ result.labelIndex)
    }

    /// One look-up in a lower tier.
    package func countTierDuration(_ tier: TierName, nanoseconds: Int64) {
        tierDurations[tier.labelIndex].observe(nanoseconds: nanoseconds)
    }

    package func countPurge(_ kind: PurgeGroup.Kind) { purges.add(at: kind.labelIndex) }

    /// Tokens of an answer that was not asked of the upstream; negative where the upstream did not say.
    @inline(__always)
    package func countSaved(promptTokens: Int32, completionTokens: Int32) {
        if promptTokens > 0 { tokens.add(UInt64(promptTokens), at: TokenKind.prompt.labelIndex) }
        if completionTokens > 0 { tokens.add(UInt64(completionTokens), at: TokenKind.completion.labelIndex) }
    }

    /// What those tokens would have cost, in picodollars: the counter holds 18 million dollars a worker.
    @inline(__always)
    package func countSaved(picodollars: UInt64) { cost.add(picodollars, at: 0) }

    package func countRevalidation(_ result: RevalidationResult) { revalidations.add(at: result.labelIndex) }

    package func countFallback(_ result: FallbackResult) { fallbacks.add(at: result.labelIndex) }

    /// One finished call to the upstream; `duration` in nanoseconds.
    package func countUpstream(duration: Int64) { upstreamDurations.observe(nanoseconds: duration) }

    package func countSemantic(_ lookup: SemanticLookup) { semanticLookups.add(at: lookup.labelIndex) }

    /// One search for neighbours, with the encoding.
    package func countSemanticDuration(nanoseconds: Int64) { semanticDurations.observe(nanoseconds: nanoseconds) }

    /// One text that was encoded, with its wait.
    package func countEncoding(nanoseconds: Int64) { encodeDurations.observe(nanoseconds: nanoseconds) }

    package func countRejection(_ refusal: SemanticRefusal) { semanticRejections.add(at: refusal.labelIndex) }

    /// Somebody knew whether a match was right.
    package func countObservation(by witness: SemanticWitness, _ verdict: SemanticVerdict) {
        semanticObservations.add(at: witness.labelIndex * 3 + verdict.labelIndex)
    }

    package func countJudgement(_ result: JudgeResult) { semanticJudgements.add(at: result.labelIndex) }

    package func countAnnouncement(_ result: AnnouncementResult) { semanticAnnouncements.add(at: result.labelIndex) }

    /// The counters behind a metric in the order of its series, nil where it is not counted here.
    func counters(of metric: MetricName) -> [UInt64]? {
        switch metric {
        case .requests: requests.values
        case .responses: responses.values
        case .warmRequests: warmRequests.values
        case .bypass: bypasses.values
        case .notStored: notStoredAnswers.values
        case .coalesced: coalescedRequests.values
        case .tierLookups: lookups.values
        case .purges: purges.values
        case .savedTokens: tokens.values
        case .savedCost: cost.values
        case .revalidations: revalidations.values
        case .semanticLookups: semanticLookups.values
        case .semanticRejections: semanticRejections.values
        case .semanticObservations: semanticObservations.values
        case .semanticJudgements: semanticJudgements.values
        case .semanticAnnouncements: semanticAnnouncements.values
        case .fallbacks: fallbacks.values
        default: nil
        }
    }

    /// Adds the histogram of one series to `reading`; false where the metric is none.
    func read(_ metric: MetricName, series: Int, into reading: inout HistogramReading) -> Bool {
        switch metric {
        case .requestDuration: durations[series].read(into: &reading)
        case .tierDuration: tierDurations[series].read(into: &reading)
        case .upstreamDuration: upstreamDurations.read(into: &reading)
        case .semanticDuration: semanticDurations.read(into: &reading)
        case .encodeDuration: encodeDurations.read(into: &reading)
        default: return false
        }
        return true
    }
}
