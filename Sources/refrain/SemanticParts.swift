import Core
import Engine
import Foreign
import Matrix
import Neighbours
import Semantic
import Synchronization

/// What answers by meaning: the encoder, what remembers questions, and how other sidecars and the next start hear of them.
final class SemanticParts: Sendable {
    let meaning: Meaning
    private let cache: SemanticCache
    private let remote: RemoteEncoder?
    private let codec: RecordCodec
    private let feed: (any SemanticFeed)?
    private let capacity: Int
    private let snapshot: String
    private let log: any Log

    /// Of the memory for questions, what remembers wordings that were answered.
    private static let aliasShare = 16

    /// Loads the encoder, which takes a moment.
    ///
    /// - Parameter loop: runs the deadlines, and listens to announcements.
    init(
        _ settings: Settings, lower: LowerTiers, loop: EventLoop, registry: MetricsRegistry, clock: any Clock,
        log: any Log
    ) throws(CommandFailure) {
        self.log = log
        capacity = settings.semanticCapacity
        snapshot = settings.semantic.snapshot
        let aliasBytes = capacity / SemanticParts.aliasShare
        var options = SemanticCache.Options(settings.semantic)
        options.capacity = capacity - aliasBytes
        remote = try SemanticParts.remoteEncoder(settings.semantic.remote, clock, log)
        let local =
            remote == nil ? try SemanticParts.encoder(settings.semantic, LoopScheduler(loop: loop), clock, log) : nil
        let sealing = try EntrySeal.make(settings)
        do {
            cache = try SemanticCache(
                encoder: remote ?? local, options: options, kernels: HNSWKernels(), clock: clock,
                random: SystemRandom(),
                metrics: registry.makeBlock())
            codec = RecordCodec(matcher: cache.identity, checksum: XXH3Checksum(), sealing: sealing)
            feed = try lower.feed(on: loop, clock: clock, log: log)
        } catch {
            throw .failed("\(error)")
        }
        let judge = settings.semantic.judge
        meaning = Meaning(
            matcher: cache, isServing: settings.semantic.mode == .serve, aliasBytes: aliasBytes,
            judge: judge.model.isEmpty ? nil : AnswerJudge(judge, clock: clock))
    }

    private static func encoder(
        _ semantic: Settings.Semantic, _ scheduler: any Scheduler, _ clock: any Clock, _ log: any Log
    ) throws(CommandFailure) -> (any TextEncoding)? {
        guard !semantic.model.isEmpty else { return nil }
        let folder = ModelDirectory(path: semantic.model)
        let kernels: DNNLKernels
        do throws(MatrixFault) { kernels = try DNNLKernels() } catch {
            throw .failed(
                "semantic.model: \(error), or write semantic.model: \"\" to compare texts by their letters")
        }
        do {
            let started = clock.monotonic()
            let encoder = try Encoder(folder: folder, kernels: kernels, checksum: XXH3Checksum())
            let isKnown = try Verifier().isLearnedWith(encoder.vector(of: Verifier.probe))
            // Weights were read in one form and are held in another; what comes next finds memory that nothing wrote to.
            HeapTrim.run()
            let threads = try PooledThreads(
                name: "encoder", count: semantic.threads, scheduler: scheduler, clock: clock)
            let queue = try EncodingQueue(encoder, threads: threads, scheduler: scheduler)
            log.write(
                .info, "encoder", LogField("model", folder.name), LogField("precision", encoder.precision.rawValue),
                LogField("width", encoder.width), LogField("window", encoder.window),
                LogField("verifier", isKnown ? "encoder" : "words"),
                LogField("milliseconds", (clock.monotonic() - started) / Duration64.nanosecondsPerMillisecond))
            return LocalEncoding(encoder, queue, isKnown: isKnown)
        } catch {
            throw .failed(
                "semantic.model: in the folder \(folder.name), \(error); name the folder of a sentence encoder of the BERT "
                    + "family, or write semantic.model: \"\" to compare texts by their letters")
        }
    }

    private static func remoteEncoder(
        _ settings: Settings.RemoteEncoder, _ clock: any Clock, _ log: any Log
    ) throws(CommandFailure) -> RemoteEncoder? {
        guard let url = settings.url else { return nil }
        do throws(LoopError) {
            return try RemoteEncoder(settings, url: url, clock: clock, log: log)
        } catch {
            throw .failed("semantic.remote: \(error)")
        }
    }

    // MARK: While it runs

    /// Brings back what a stop left, and begins to listen to other sidecars. Nothing that was purged comes back.
    func open(_ engine: Engine) {
        let isWelcome: @Sendable (CacheKey, SemanticFacts) -> Bool = { [engine] key, facts in
            !engine.purges.covers(facts, under: key)
        }
        if !snapshot.isEmpty { restore(isWelcome) }
        guard let feed else { return }
        cache.announce(codec) { feed.announce($0) }
        let hasTold = Atomic(false)
        feed.open { [cache, codec, log] in
            let result = cache.heard($0, codec, isWelcome: isWelcome)
            // The counter says how many there are.
            guard result == .otherMatcher, !hasTold.exchange(true, ordering: .relaxed) else { return }
            log.write(.warning, "semantic-strangers", LogField("reason", SemanticParts.strangers))
        }
    }

    /// Leaves what is remembered for the next start.
    func close() {
        feed?.close()
        remote?.close()
        guard !snapshot.isEmpty else { return }
        var count = 0
        do {
            for store in SemanticCache.Store.allCases {
                try SnapshotFile.replace(path(of: store)) { write in
                    guard let questions = cache.snapshot(store, codec, into: write) else { return false }
                    count += questions
                    return true
                }
            }
            try SnapshotFile.replace(refusedPath) { $0(Bytes(cache.refusedLines)) }
            log.write(.info, "semantic-saved", LogField("questions", count))
        } catch {
            log.write(.warning, "semantic-unsaved", LogField("reason", "\(error)"))
        }
    }

    private func path(of store: SemanticCache.Store) -> String {
        switch store {
        case .meanings: snapshot
        case .letters: snapshot + ".letters"
        }
    }

    private var refusedPath: String { snapshot + ".refused" }

    private func restore(_ isWelcome: (CacheKey, SemanticFacts) -> Bool) {
        var count = 0
        for store in SemanticCache.Store.allCases {
            do {
                guard let file = try SnapshotFile.open(path(of: store)) else { continue }
                count += try cache.restore(store, codec, isWelcome: isWelcome) { (target) throws(SnapshotFault) in
                    do throws(InputFile.Unreadable) { return try file.read(into: target) } catch {
                        throw .unreadable(error.description)
                    }
                }.records
            } catch {
                log.write(
                    .warning, "semantic-unrestored", LogField("file", path(of: store)), LogField("reason", "\(error)"))
            }
        }
        if let lines = try? InputFile.read(refusedPath, limit: SemanticParts.mostRefusedBytes) {
            cache.refuse(lines: String(decoding: lines, as: UTF8.self))
        }
        log.write(.info, "semantic-restored", LogField("questions", count))
    }

    private static let strangers =
        "a sidecar with another encoder, or of another version, shares this Redis: neither finds the other's questions"

    private static let mostRefusedBytes = 4 << 20

    func register(in registry: MetricsRegistry) {
        registry.read(.semanticQuestions) { [cache] in Double(cache.questionCount) }
        registry.read(.semanticBytes) { [cache, meaning] in Double(cache.byteCount + meaning.aliasBytes) }
        registry.read(.semanticTableBytes) { [cache, meaning] in Double(cache.tableBytes + meaning.tableBytes) }
        registry.read(.semanticCapacity) { [capacity] in Double(capacity) }
        registry.read(.semanticAliases) { [meaning] in Double(meaning.aliasCount) }
        registry.readSemanticErrors()
        if let remote { registry.read(.breakerState, BreakerTarget.encoder) { Double(remote.state.rawValue) } }
    }
}

extension SemanticCache.Options {
    fileprivate init(_ settings: Settings.Semantic) {
        self.init()
        maxError = settings.maxError.value
        threshold = settings.threshold.value
        neighbours = settings.neighbours
        exploration = settings.exploration.value
        budget = settings.budget.nanoseconds
    }
}
