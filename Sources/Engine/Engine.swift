import Core
import Dialects
import Tiers

/// The cache between clients and the upstream. Shared by all workers; the way of a request is `answer(_:)`.
package final class Engine: Sendable {
    package let memory: MemoryTier
    package let flights = FlightTable()
    package let trust: Trust
    let cache: Settings.Cache
    let clock: any Clock
    /// What was purged, in this sidecar and in others.
    package let purges: PurgeLedger
    let searches = PurgeSearches()
    package let revalidations: Revalidations
    let keepHeaders: [String]
    /// The tiers behind memory, in the order in which they are asked.
    let below: [any Tier]
    /// nil: only exact matches are served.
    package let meaning: Meaning?
    /// nil without lower tiers.
    package let fill: Fill?
    let leases: (any CallLeases)?
    let leaseTimeout: Int64
    /// Where what nobody waits for runs; nil: on the threads that all share.
    let executor: (any TaskExecutor)?

    /// - Parameter lower: nil: memory is all there is.
    package init(
        settings: Settings, memory: MemoryTier, lower: Lower? = nil, meaning: Meaning? = nil, clock: any Clock
    ) {
        self.memory = memory
        self.meaning = meaning
        self.clock = clock
        let purges = PurgeLedger(isShared: lower?.home != nil)
        self.purges = purges
        below = lower?.tiers ?? []
        leases = lower?.leases
        leaseTimeout = lower?.leaseTimeout ?? 0
        executor = lower?.executor
        fill = lower.map { lower in
            Fill(
                lower.tiers, options: lower.fill, scheduler: lower.scheduler, random: lower.random,
                executor: lower.executor, isWanted: { !purges.covers($0, under: $1) })
        }
        cache = settings.cache
        keepHeaders = settings.cache.keepHeaders
        revalidations = Revalidations(settings.limits)
        trust = Trust(lifetime: settings.cache.trustFor.nanoseconds)
    }

    /// What a worker lends the engine for the requests it brings.
    package struct Ports: Sendable {
        package var upstream: any Upstream
        package var scheduler: any Scheduler
        package var metrics: MetricsBlock
        /// Where the upstream is to be called by what nobody waits for; nil: on any thread.
        package var executor: (any TaskExecutor)?

        package init(
            upstream: any Upstream, scheduler: any Scheduler, metrics: MetricsBlock,
            executor: (any TaskExecutor)? = nil
        ) {
            self.executor = executor
            self.upstream = upstream
            self.scheduler = scheduler
            self.metrics = metrics
        }
    }

    /// A request that memory could not answer.
    package struct Call: Sendable {
        package var admitted: Admitted
        /// With the client's own body; usage is asked for already.
        package var upstream: UpstreamRequest
        package var model: String
        package var namespace: String
        package var tags: [String]
        /// Held past its lifetime: to be served while a fresh one is fetched, or in case the upstream fails.
        package var stale: Found?
        /// nil where only exactly the same request may be answered alike.
        package let question: OpenQuestion?
        /// Nobody waits for the answer: it is to take the place of one that has expired.
        var isRefresh = false

        package init(
            admitted: Admitted, upstream: UpstreamRequest, model: String, namespace: String, tags: [String],
            stale: Found?, question: SemanticQuestion? = nil
        ) {
            self.question = question.map { OpenQuestion($0) }
            self.admitted = admitted
            self.upstream = upstream
            self.model = model
            self.namespace = namespace
            self.tags = tags
            self.stale = stale
        }
    }

    /// An answer out of the cache, in the form that was asked for.
    package struct Found: Sendable {
        package var entry: Entry
        package var form: Form
        package var tier: TierName
        /// Since the upstream finished it, in milliseconds.
        package var age: Int64
        /// Until it expires, in milliseconds; negative past that.
        package var lifetime: Int64
        /// Whose answer it is, where it is not this request's own.
        package var match: SemanticMatch?
    }

    package enum Lookup: Sendable {
        case fresh(Found)
        case stale(Found)
        case nothing
    }

    /// Looks in memory, without waiting, and counts what it finds.
    package func lookup(_ wanted: Admitted, metrics: MetricsBlock) -> Lookup {
        if wanted.controls.noCache { return .nothing }
        let result = memory.lookup(wanted.key, now: clock.wall()).map { judge($0, for: wanted) } ?? .nothing
        switch result {
        case .fresh: metrics.countLookup(.memory, .hit)
        case .stale: metrics.countLookup(.memory, .stale)
        case .nothing: metrics.countLookup(.memory, .miss)
        }
        return result
    }

    /// Looks once more, in a flight whose leader was counted already.
    func lookAgain(_ wanted: Admitted) -> Found? {
        if case .fresh(let found) = judgeInMemory(wanted) { found } else { nil }
    }

    /// What memory holds under a key. Looking does not count as use.
    package func heldInMemory(_ key: CacheKey) -> Entry? { memory.peek(key, now: clock.wall()) }

    func staleInMemory(_ wanted: Admitted) -> Found? {
        if !wanted.controls.noCache, case .stale(let found) = judgeInMemory(wanted) { found } else { nil }
    }

    private func judgeInMemory(_ wanted: Admitted) -> Lookup {
        heldInMemory(wanted.key).map { judge($0, for: wanted) } ?? .nothing
    }

    /// Whether an entry under the right key may answer a request, and as what.
    func judge(_ held: Entry, for wanted: Admitted, in tier: TierName = .memory) -> Lookup {
        let now = clock.wall()
        guard let entry = suitable(held, for: wanted, now: now) else { return .nothing }
        let facts = entry.facts
        let found = Found(
            entry: entry, form: wanted.form, tier: tier, age: max(0, now - facts.createdAt),
            lifetime: facts.expiresAt - now)
        let isFresh = found.lifetime > 0 && found.age / 1000 <= wanted.controls.maxAge ?? .max
        return isFresh ? .fresh(found) : .stale(found)
    }

    /// Whether a request asks for usage that the upstream reports only to those who ask, where not all are made to.
    func wantsUnaskedUsage(_ wanted: Admitted) -> Bool {
        let hasOption = wanted.dialect == .chat || wanted.dialect == .completions
        return !cache.askForUsage && hasOption && wanted.form == .stream && wanted.facts.wantsUsage
    }

    /// The entry in a form that can be served, nil where there is none.
    private func suitable(_ entry: Entry, for wanted: Admitted, now: Int64) -> Entry? {
        if wanted.dialect == .responses, wanted.facts.storesUpstream, !entry.facts.storedUpstream { return nil }
        if wantsUnaskedUsage(wanted), entry.facts.promptTokens < 0, entry.facts.completionTokens < 0 { return nil }
        if entry.has(wanted.form) { return entry }
        let held = memory.peek(wanted.key, now: now)
        // Somebody else who waited for this answer may have made the other form meanwhile.
        if let held, held.has(wanted.form), held.facts.createdAt == entry.facts.createdAt,
            held.facts.storedUpstream == entry.facts.storedUpstream
        {
            return held
        }
        guard let both = entry.withBothForms() else { return nil }
        // The other form was made once and is now at hand for the next request. An entry that is not held must not
        // come back this way, and one that is must not be lost to a form that does not fit in.
        if held?.isIdentical(to: entry) == true, both.byteCount <= memory.largestEntry {
            _ = keep(both, under: wanted.key, now: now)
        }
        return both
    }

    /// Judges a complete answer and keeps it, if it is one to keep. `asked` is the stamp of `purges` from when the
    /// upstream was asked.
    func land(_ cargo: FlightCargo, of call: Call, asked: UInt64) -> FlightEnd {
        do throws(NotStored) {
            let entry = try entry(from: cargo, of: call, asked: asked)
            var refusal = keep(entry, under: call.admitted.key, now: entry.facts.createdAt)
            // What memory has no room for, a lower tier may have.
            if let fill, [nil, .tooLarge, .admissionFilter].contains(refusal) {
                fill.offer(entry, under: call.admitted.key)
                refusal = nil
            }
            learn(entry, of: call, isKept: refusal == nil)
            return .complete(entry, cargo.head, refusal)
        } catch {
            return .answered(cargo.head, cargo.content, error)
        }
    }

    /// nil when memory took it.
    private func keep(_ entry: Entry, under key: CacheKey, now: Int64) -> NotStored? {
        // A lifetime of nothing means that nobody else is to have it, not even when the upstream fails.
        guard entry.facts.ttl > 0 else { return .expired }
        return switch hold(entry, under: key, now: now) {
        case .stored, .replaced: nil
        case .refused(.tooLarge): .tooLarge
        case .refused(.admission): .admissionFilter
        case .refused(.expired): .expired
        case .refused(.unwanted): .purged
        }
    }

    /// Puts an entry into memory, unless it was purged. A purge raises its mark before it looks through memory, so that
    /// one that comes later finds the entry.
    func hold(_ entry: Entry, under key: CacheKey, now: Int64) -> InsertOutcome {
        memory.insert(entry, under: key, now: now) { !purges.covers(entry, under: key) }
    }

    private func entry(from cargo: FlightCargo, of call: Call, asked: UInt64) throws(NotStored) -> Entry {
        if let refusal = cargo.refusal { throw refusal }
        guard (200..<300).contains(cargo.head.status) else { throw .status }
        if let coding = cargo.head.headers.first(named: "content-encoding"), coding.lowercased() != "identity" {
            throw .contentEncoding
        }
        if cache.honorNoStore, cargo.head.forbidsStoring { throw .upstreamNoStore }
        let verdict = try verdict(on: cargo, dialect: call.admitted.dialect)
        let ttl = call.admitted.controls.ttl ?? cache.ttl.milliseconds
        var facts = Entry.Facts(createdAt: clock.wall(), ttl: ttl, dialect: call.admitted.dialect, origin: cargo.form)
        facts.generation = asked
        facts.tenant = call.admitted.tenant.word0
        facts.promptTokens = verdict.promptTokens
        facts.completionTokens = verdict.completionTokens
        facts.status = UInt16(cargo.head.status)
        facts.storedUpstream = verdict.storedUpstream
        facts.usageStart = UInt32(cargo.usage.lowerBound)
        facts.usageEnd = UInt32(cargo.usage.upperBound)
        return Entry(
            facts: facts, headers: cargo.head.headers.filter { field in keepHeaders.contains { field.isNamed($0) } },
            model: call.model, namespace: call.namespace, tags: call.tags,
            whole: cargo.form == .whole ? cargo.content : nil, stream: cargo.form == .stream ? cargo.content : nil)
    }

    private func verdict(on cargo: FlightCargo, dialect: Dialect) throws(NotStored) -> Verdict {
        if let verdict = cargo.verdict { return verdict }
        return try cargo.content.withUnsafeBytes { (bytes) throws(NotStored) in
            try judgeWhole(bytes, dialect: dialect)
        }
    }

    /// Lets go of expired entries, at most `budget` looked at.
    package func sweep(budget: Int) {
        memory.sweep(now: clock.wall(), budget: budget)
        meaning?.matcher.sweep(now: clock.wall())
    }
}

extension UpstreamHead {
    var forbidsStoring: Bool {
        headers.contains { field in
            field.isNamed("cache-control")
                && field.value.lowercased().split(separator: ",").contains {
                    $0.drop { $0 == " " }.hasPrefix("no-store")
                }
        }
    }
}
