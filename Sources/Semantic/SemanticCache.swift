import Core
import Synchronization

/// Remembers questions, finds those that mean the same, and learns from what came of it.
///
/// There are two ways of comparing: by an encoder's vectors, for texts that it can read, and by letters for all others.
/// Each has an index of its own: a text is never compared with one that was read another way.
package final class SemanticCache: SemanticMatching {
    package struct Options: Sendable {
        /// How many of the answers that are served may be wrong, 0 to 1.
        package var maxError = 0.01
        /// Similarity at which an answer is served whatever the learned rule says; 0: the rule decides.
        package var threshold = 0.0
        package var neighbours = 8
        /// Share of the requests that could be served and are asked all the same.
        package var exploration = 0.0
        /// For one search, in nanoseconds.
        package var budget = 30 * Duration64.nanosecondsPerMillisecond
        /// Bytes for everything that is remembered.
        package var capacity = 32 << 20
        package init() {}
    }

    /// What nobody waits for may take longer to be encoded, in nanoseconds.
    private static let learningBudget = 2 * Duration64.nanosecondsPerSecond
    /// Rows that come into graphs after each look for what has expired: half a second's work.
    private static let growth = 512
    /// Records that are looked at for expiry each time.
    private static let sweepBudget = 4_096
    /// Of the room for what waits to be read, what answers that were found may fill: a sidecar that has just started
    /// finds more of them than it can read, and what the model answers meanwhile goes first.
    private static let shareOfOld = 0.25
    /// As many as fit into a power of two of places.
    static let mostRefusals = 12_288
    static let mostDoubts = 3_072

    package let identity: String
    private let options: Options
    let encoder: (any TextEncoding)?
    let meanings: GrowingIndex?
    let letters: GrowingIndex
    /// By persons: for good.
    let refusals = RefusedPairs(most: SemanticCache.mostRefusals)
    /// By anybody: they are compared anew each time.
    let doubts = RefusedPairs(most: SemanticCache.mostDoubts)
    let judge: PairJudge
    private let backlog = LearningBacklog()
    let teller = Mutex<Teller?>(nil)
    let clock: any Clock
    private let random: any RandomSource
    let metrics: MetricsBlock

    /// - Parameters:
    ///   - encoder: nil: all texts are compared by their letters.
    ///   - metrics: for what encoding takes, and what is found out about matches.
    package init(
        encoder: (any TextEncoding)?, options: Options, kernels: any NeighbourKernels, clock: any Clock,
        random: any RandomSource, metrics: MetricsBlock
    ) throws(VerifierFault) {
        self.encoder = encoder
        self.options = options
        self.clock = clock
        self.random = random
        self.metrics = metrics
        // Texts that only letters tell apart are the fewer.
        let share = encoder == nil ? 0 : options.capacity / 4 * 3
        meanings = encoder.map { GrowingIndex(width: $0.width, capacity: share, kernels: kernels) }
        letters = GrowingIndex(width: LexicalSketch.width, capacity: options.capacity - share, kernels: kernels)
        identity = "1 \(LexicalSketch.identity) \(encoder?.identity ?? "")"
        let rule =
            options.threshold > 0 ? SemanticPolicy.Rule.threshold(options.threshold) : .maxError(options.maxError)
        judge = PairJudge(
            verifier: try Verifier(), weights: encoder?.weights,
            policy: SemanticPolicy(rule: rule, auditShare: options.exploration))
        // Word lists are read now rather than within the first request's budget.
        Guards.load()
        _ = VerifiedText("")
    }

    // MARK: Searching

    package func match(
        _ question: SemanticQuestion, under key: CacheKey, threshold: Double?
    ) async -> SemanticFinding {
        // Comparing takes milliseconds, which the caller's thread has better uses for.
        let deadline = clock.monotonic() + options.budget
        return await Task.detached { [self] in
            do throws(EncodingRefusal) {
                let reading = try await read(question.text, budget: options.budget)
                return search(question, reading, key, threshold, deadline)
            } catch {
                return SemanticFinding(SemanticResult(error))
            }
        }.value
    }

    private func search(
        _ question: SemanticQuestion, _ reading: Reading, _ key: CacheKey, _ threshold: Double?, _ deadline: Int64
    ) -> SemanticFinding {
        let chance = chance()
        var explores = false
        let neighbours = index(of: reading).nearest(
            in: question.partition, to: reading.vector, count: options.neighbours, now: clock.wall())
        var candidates: [SemanticCandidate] = []
        for neighbour in neighbours
        where neighbour.record.key != key && neighbour.similarity >= PairJudge.leastSimilarity {
            // Long texts take their time: the nearest is compared, the others while there is some left.
            if !candidates.isEmpty, clock.monotonic() >= deadline { break }
            let opinion = judge.judge(
                reading.text, VerifiedText(neighbour.record, tokens: encoder?.tokens(of: neighbour.record.text)),
                of: neighbour.record.key, similarity: neighbour.similarity, threshold: threshold, chance: chance)
            if case .audit = opinion.decision { explores = true }
            candidates.append(
                candidate(neighbour, opinion, isRefused: refusals.contains(key, neighbour.record.key)))
        }
        guard candidates.contains(where: \.isAccepted) else {
            return SemanticFinding(candidates.isEmpty ? .none : .rejected, candidates: candidates, reading: reading)
        }
        return SemanticFinding(.accepted, candidates: candidates, reading: reading, explores: explores)
    }

    /// Evenly from 0 up to 1.
    private func chance() -> Double { Double(random.next() >> 11) / 0x1p53 }

    package func standing(of match: SemanticMatch, for key: CacheKey) -> SemanticStanding {
        guard !refusals.contains(key, match.key), !doubts.contains(key, match.key) else { return .ended }
        return switch judge.judgeAgain(match, chance: chance()) {
        case .serve: .stands
        case .audit: .explores
        case .refuse: .ended
        }
    }

    private func candidate(
        _ neighbour: SemanticNeighbour, _ opinion: PairJudge.Opinion, isRefused: Bool
    ) -> SemanticCandidate {
        var objections: [SemanticObjection] = []
        if isRefused { objections.append(SemanticObjection(.feedback, "somebody said that it does not answer this")) }
        var confidence: Double?
        switch opinion.decision {
        case .serve(let bound), .audit(let bound): confidence = bound
        case .refuse(.guarded):
            objections += opinion.objections.map { SemanticObjection($0.guardian.rawValue, $0.detail) }
        case .refuse(.unsure(let bound)):
            confidence = bound
            objections.append(
                SemanticObjection(options.threshold > 0 ? .similarity : .confidence, "only \(Int(bound * 100)) %"))
        }
        let match = SemanticMatch(
            key: neighbour.record.key, similarity: Double(neighbour.similarity), confidence: confidence,
            score: opinion.judgement.score, probability: opinion.judgement.probability,
            lowerBound: opinion.judgement.lowerBound)
        return SemanticCandidate(
            match: match, text: neighbour.record.text, objections: objections, isAccepted: objections.isEmpty)
    }

    /// Reads a text the way that suits it.
    private func read(_ text: String, budget: Int64) async throws(EncodingRefusal) -> Reading {
        if let encoder {
            switch encoder.reach(of: text) {
            case .tooLong: throw .tooLong
            case .foreign: break
            case .readable:
                let started = clock.monotonic()
                let encoded = try await encoder.encode(text, budget: budget)
                metrics.countEncoding(nanoseconds: clock.monotonic() - started)
                return Reading(encoded, text)
            }
        }
        guard let vector = LexicalSketch.vector(of: text) else { throw .tooLong }
        return Reading(way: .letters, vector: vector, tokens: nil, text: VerifiedText(text))
    }

    private func index(of reading: Reading) -> GrowingIndex {
        reading.way == .letters ? letters : meanings ?? letters
    }

    // MARK: Learning

    package func learn(
        _ question: SemanticQuestion, reading: (any SemanticReading)?, under key: CacheKey, _ facts: SemanticFacts,
        isNew: Bool, isWanted: @escaping @Sendable () -> Bool
    ) {
        if let reading = reading as? Reading {
            let record = SemanticRecord(
                key: key, partition: question.partition, text: question.text, sketch: QuantizedVector(reading.vector),
                tokens: reading.tokens, facts: facts)
            // It may have come from elsewhere while it waited to be read.
            if !isNew, let known = index(of: reading).record(under: key), known.facts.createdAt >= facts.createdAt {
                return
            }
            insert(record, index(of: reading), isWanted)
            if isNew { announce(record, reading.way == .letters ? .letters : .meanings) }
            return
        }
        // An answer that was fetched anew is that of a known question.
        for index in indices {
            guard var known = index.record(under: key), known.partition == question.partition,
                known.text.utf8.elementsEqual(question.text.utf8)
            else { continue }
            if !isNew, known.facts.createdAt >= facts.createdAt { return }
            known.facts = facts
            insert(known, index, isWanted)
            if isNew { announce(known, index === letters ? .letters : .meanings) }
            return
        }
        let share = isNew ? 1 : SemanticCache.shareOfOld
        backlog.add(question.text.utf8.count, share: share) { [weak self] in
            guard let self, let reading = try? await read(question.text, budget: SemanticCache.learningBudget) else {
                return
            }
            learn(question, reading: reading, under: key, facts, isNew: isNew, isWanted: isWanted)
        }
    }

    private func insert(_ record: SemanticRecord, _ index: GrowingIndex, _ isWanted: () -> Bool) {
        index.insert(record, now: clock.wall())
        // A purge that came meanwhile has looked for it in vain.
        if !isWanted() { index.remove(record.key) }
    }

    package func forget(_ key: CacheKey) {
        for index in indices { index.remove(key) }
    }

    package func forgetAll(where isGone: (CacheKey, SemanticFacts) -> Bool) {
        for index in indices { index.removeAll(where: isGone) }
    }

    package func sweep(now: Int64) {
        for index in indices {
            index.sweep(now: now, budget: SemanticCache.sweepBudget)
            if index.hasLargePartitions { Task.detached { _ = index.index?.grow(rows: SemanticCache.growth) } }
        }
    }

    private var indices: [GrowingIndex] { [letters] + (meanings.map { [$0] } ?? []) }

    // MARK: Being told

    package func agreement(_ one: String, _ other: String) async -> SemanticAgreement {
        await AnswerComparison.compare(one, other) { text in
            try? await self.read(text, budget: SemanticCache.learningBudget)
        }
    }

    package func observe(_ match: SemanticMatch, for key: CacheKey, isRight: Bool, by witness: SemanticWitness) {
        metrics.countObservation(by: witness, isRight ? .right : .wrong)
        judge.learn(match, isRight: isRight)
        if !isRight { end(match, for: key, isForGood: witness == .person) }
    }

    package func withdraw(_ match: SemanticMatch, for key: CacheKey) {
        metrics.countObservation(by: .person, .withdrawn)
        metrics.countObservation(by: .person, .wrong)
        judge.correct(match)
        end(match, for: key, isForGood: true)
    }

    /// Here and, as soon as they hear of it, at other sidecars.
    private func end(_ match: SemanticMatch, for key: CacheKey, isForGood: Bool) {
        if isForGood {
            refusals.insert(key, match.key)
            announceRefusal(of: key, by: match.key)
        }
        doubts.insert(key, match.key)
        announceError(of: match, for: key)
    }

    // MARK: What there is

    package var questionCount: Int { indices.reduce(0) { $0 + $1.stats.records } }
    /// Of the questions, which keep to the capacity.
    package var byteCount: Int { indices.reduce(0) { $0 + $1.stats.bytes } }

    /// Of what is kept beside them: observations, refused pairs and texts that wait to be read.
    package var tableBytes: Int { judge.byteCount + refusals.byteCount + doubts.byteCount + backlog.byteCount }
    /// The most that this takes, whatever comes.
    package static let mostTableBytes = 12 << 20
}

extension SemanticObjection {
    init(_ refusal: SemanticRefusal, _ detail: String) { self.init(refusal.rawValue, detail) }
}

extension SemanticResult {
    init(_ refusal: EncodingRefusal) {
        switch refusal {
        case .tooLong: self = .tooLong
        case .late: self = .late
        case .busy: self = .busy
        case .failed, .closed: self = .failed
        }
    }
}
