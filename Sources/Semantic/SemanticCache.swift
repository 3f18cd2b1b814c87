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

    private struct Teller: Sendable {
        var codec: RecordCodec
        var tell: @Sendable (Bytes) -> Void
    }

    package let identity: String
    private let options: Options
    private let encoder: (any TextEncoding)?
    private let meanings: GrowingIndex?
    private let letters: GrowingIndex
    private let refusals = RefusedPairs()
    private let judge: PairJudge
    private let backlog = LearningBacklog()
    private let teller = Mutex<Teller?>(nil)
    private let clock: any Clock
    private let random: any RandomSource
    private let metrics: MetricsBlock

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
        let chance = Double(random.next() >> 11) / 0x1p53
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
            score: opinion.judgement.score, probability: opinion.judgement.probability)
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
        isWanted: @escaping @Sendable () -> Bool
    ) {
        if let reading = reading as? Reading {
            let record = SemanticRecord(
                key: key, partition: question.partition, text: question.text, sketch: QuantizedVector(reading.vector),
                tokens: reading.tokens, facts: facts)
            insert(record, index(of: reading), isWanted)
            return announce(record, reading.way == .letters ? .letters : .meanings)
        }
        // An answer that was fetched anew is that of a known question.
        for index in indices {
            guard var known = index.record(under: key), known.partition == question.partition,
                known.text.utf8.elementsEqual(question.text.utf8)
            else { continue }
            known.facts = facts
            insert(known, index, isWanted)
            return announce(known, index === letters ? .letters : .meanings)
        }
        backlog.add(question.text.utf8.count) { [weak self] in
            guard let self, let reading = try? await read(question.text, budget: SemanticCache.learningBudget) else {
                return
            }
            learn(question, reading: reading, under: key, facts, isWanted: isWanted)
        }
    }

    private func announce(_ record: SemanticRecord, _ store: Store) {
        guard let teller = teller.withLock({ $0 }), let bytes = teller.codec.encode(record) else { return }
        teller.tell(
            Bytes(capacity: bytes.count + 1) { target in
                target[0] = store.rawValue
                bytes.withUnsafeBytes { UnsafeMutableRawBufferPointer(rebasing: target[1...]).copyMemory(from: $0) }
                return bytes.count + 1
            })
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
        guard !isRight, witness == .person else { return }
        refusals.insert(key, match.key)
        teller.withLock { $0 }?.tell(Bytes([SemanticCache.refusal] + SemanticCache.line(key, match.key).utf8))
    }

    package func isRefused(_ key: CacheKey, by entry: CacheKey) -> Bool { refusals.contains(key, entry) }

    // MARK: Other sidecars, and the next start

    /// The two ways of comparing, each with what it remembers.
    package enum Store: UInt8, Sendable, CaseIterable {
        case meanings = 0
        case letters = 1
    }

    private func index(_ store: Store) -> GrowingIndex? { store == .letters ? letters : meanings }

    /// Has what is learned from now on told to others: `tell` is called with the bytes of an announcement.
    package func announce(_ codec: RecordCodec, _ tell: @escaping @Sendable (Bytes) -> Void) {
        teller.withLock { $0 = Teller(codec: codec, tell: tell) }
    }

    /// Begins an announcement of a refused pair, where others have their store.
    private static let refusal: UInt8 = 2

    /// Another sidecar's announcement. What cannot be read, or is not of use here, is dropped.
    package func heard(
        _ announcement: Bytes, _ codec: RecordCodec, isWelcome: (CacheKey, SemanticFacts) -> Bool
    ) {
        announcement.withUnsafeBytes { bytes in
            if bytes.first == SemanticCache.refusal {
                return refuse(
                    lines: String(decoding: bytes.dropFirst().prefix(SemanticCache.longestLine), as: UTF8.self))
            }
            // How wide vectors are is not for others to say.
            guard let first = bytes.first, let store = Store(rawValue: first), let index = index(store),
                index.isSettled, let record = try? codec.decode(UnsafeRawBufferPointer(rebasing: bytes[1...])),
                isWelcome(record.key, record.facts)
            else { return }
            index.insert(record, now: clock.wall())
        }
    }

    /// Hands over what is remembered, piece by piece; how many questions, nil where `write` gave up.
    package func snapshot(_ store: Store, _ codec: RecordCodec, into write: (Bytes) -> Bool) -> Int? {
        guard let index = index(store)?.index else { return 0 }
        return index.snapshot(codec, into: write)
    }

    /// Takes back what `snapshot` handed over.
    package func restore(
        _ store: Store, _ codec: RecordCodec, isWelcome: (CacheKey, SemanticFacts) -> Bool,
        from read: (UnsafeMutableRawBufferPointer) throws(SnapshotFault) -> Int
    ) throws(SnapshotFault) -> Restored {
        let width = store == .letters ? LexicalSketch.width : encoder?.width
        guard let width, let index = index(store)?.made(width: width) else { return Restored() }
        return try index.restore(codec, now: clock.wall(), isWelcome: isWelcome, from: read)
    }

    /// Pairs that somebody said do not belong together, as lines of text.
    package var refusedLines: String { refusals.all.map { SemanticCache.line($0.key, $0.other) }.joined() }

    private static func line(_ key: CacheKey, _ entry: CacheKey) -> String { "\(key.hex) \(entry.hex)\n" }
    /// Two keys of 64 digits.
    private static let longestLine = 2 * 64 + 2

    package func refuse(lines: String) {
        for line in lines.split(separator: "\n").suffix(RefusedPairs.most) {
            let keys = line.split(separator: " ").compactMap { CacheKey(hex: String($0)) }
            if keys.count == 2 { refusals.insert(keys[0], keys[1]) }
        }
    }

    // MARK: What there is

    package var questionCount: Int { indices.reduce(0) { $0 + $1.stats.records } }
    package var byteCount: Int { indices.reduce(0) { $0 + $1.stats.bytes } }
}

/// A text that was read.
struct Reading: SemanticReading {
    enum Way: Sendable {
        case meaning, letters
    }

    var way: Way
    /// Of length one.
    var vector: [Float]
    /// nil where there are no vectors of tokens.
    var tokens: TokenVectors?
    var text: VerifiedText
}

extension Reading {
    init(_ encoded: EncodedText, _ text: String) {
        let tokens = encoded.tokenVectors.flatMap { TokenVectors(rows: $0, width: encoded.vector.count) }
        self.init(
            way: .meaning, vector: encoded.vector, tokens: tokens,
            text: VerifiedText(text, encoding: VerifiedText.Encoding(encoded.tokens, tokens)))
    }
}

extension VerifiedText {
    /// - Parameter tokens: of its text.
    init(_ record: SemanticRecord, tokens: TokenizedText?) {
        self.init(record.text, encoding: tokens.flatMap { Encoding($0, record.tokens) })
    }
}

extension VerifiedText.Encoding {
    /// nil where there is not a vector for each token.
    init?(_ tokens: TokenizedText, _ vectors: TokenVectors?) {
        guard let vectors else { return nil }
        self.init(tokens, rows: TokenRows(width: vectors.width, bytes: vectors.values, scales: vectors.scales))
    }
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

/// An index that is made with the first vector, which may have to say how wide it is to be.
final class GrowingIndex: Sendable {
    /// nil: as the first vector is.
    private let width: Int?
    private let capacity: Int
    private let kernels: any NeighbourKernels
    private let held = Mutex<SemanticIndex?>(nil)

    init(width: Int?, capacity: Int, kernels: any NeighbourKernels) {
        self.width = width
        self.capacity = capacity
        self.kernels = kernels
    }

    /// nil before the first vector.
    var index: SemanticIndex? { held.withLock { $0 } }

    /// Whether it is known how wide vectors are.
    var isSettled: Bool { width != nil || index != nil }

    /// The index, which is made for this width if there is none and none is known.
    func made(width: Int) -> SemanticIndex {
        held.withLock { held in
            let index = held ?? SemanticIndex(width: self.width ?? width, capacity: capacity, kernels: kernels)
            held = index
            return index
        }
    }

    func insert(_ record: SemanticRecord, now: Int64) {
        let width = record.sketch.values.count
        if width > 0 { made(width: width).insert(record, now: now) }
    }

    func nearest(in partition: CacheKey, to vector: [Float], count: Int, now: Int64) -> [SemanticNeighbour] {
        index?.nearest(in: partition, to: vector, count: count, now: now) ?? []
    }

    var hasLargePartitions: Bool { index.map { $0.stats.records >= $0.graphRows } ?? false }

    func record(under key: CacheKey) -> SemanticRecord? { index?.record(under: key) }

    func remove(_ key: CacheKey) { index?.remove(key) }

    func removeAll(where isDoomed: (CacheKey, SemanticFacts) -> Bool) { index?.removeAll(where: isDoomed) }

    func sweep(now: Int64, budget: Int) { index?.sweep(now: now, budget: budget) }

    var stats: (records: Int, bytes: Int) { index.map { ($0.stats.records, $0.stats.bytes) } ?? (0, 0) }
}
