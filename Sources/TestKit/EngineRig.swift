import Core
import Dialects
import Engine
import Tiers

/// What stands behind the memory of one sidecar or of several.
package struct FakeLower: Sendable {
    package var tiers: [FakeTier]
    package var home: FakePurgeHome?
    package var leases: FakeCallLeases?
    package var leaseTimeout = 60 * Duration64.nanosecondsPerSecond
    package var fill = Fill.Options(mostItems: 1000, mostBytes: 1 << 20)

    package init(_ tiers: [FakeTier], home: FakePurgeHome? = nil, leases: FakeCallLeases? = nil) {
        self.tiers = tiers
        self.home = home
        self.leases = leases
    }

    fileprivate func ports(
        scheduler: any Scheduler, log: any Log, executor: (any TaskExecutor)?
    ) -> Engine.Lower {
        var lower = Engine.Lower(scheduler: scheduler, random: SeededSource(seed: 1), log: log)
        lower.tiers = tiers
        lower.home = home
        lower.leases = leases
        lower.leaseTimeout = leaseTimeout
        lower.fill = fill
        lower.executor = executor
        return lower
    }
}

/// An engine with everything around it that a test owns: time, timers, the upstream, and the way in.
package final class EngineRig: Sendable {
    package let settings: Settings
    package let clock: ManualClock
    package let scheduler: ManualScheduler
    package let upstream: FakeUpstream
    package let memory: MemoryTier
    package let engine: Engine
    package let registry = MetricsRegistry(version: "test")
    package let ports: Engine.Ports
    package let log = RecordingLog()
    /// nil without a home of marks.
    package let sync: PurgeSync?

    /// - Parameters:
    ///   - scheduler: with its clock, where several engines share them.
    ///   - executor: where what nobody waits for runs.
    ///   - lower: what stands behind memory; nil: nothing.
    package init(
        capacity: Int = 64 << 20, eviction: Settings.Eviction = .lru, upstream: FakeUpstream = FakeUpstream(),
        clock: ManualClock = ManualClock(), scheduler: ManualScheduler? = nil, executor: (any TaskExecutor)? = nil,
        lower: FakeLower? = nil, meaning: Meaning? = nil, change: (inout Settings) -> Void = { _ in }
    ) {
        var settings = Settings()
        change(&settings)
        self.settings = settings
        self.upstream = upstream
        self.clock = clock
        self.scheduler = scheduler ?? ManualScheduler(clock: clock)
        memory = MemoryTier(
            capacity: capacity, eviction: eviction, shards: 1,
            retainStale: settings.cache.staleRetention.milliseconds, clock: clock)
        let below = lower?.ports(scheduler: self.scheduler, log: log, executor: executor)
        engine = Engine(settings: settings, memory: memory, lower: below, meaning: meaning, clock: clock)
        ports = Engine.Ports(
            upstream: upstream, scheduler: self.scheduler, metrics: registry.makeBlock(),
            executor: executor)
        sync = below.flatMap { [engine] in engine.makeSync($0) }
    }

    package static let credential = ("Authorization", "Bearer one")

    /// The way in of a request, or why it is passed on. With the credential of `credential` unless another is given.
    package func admit(
        _ body: String, _ dialect: Dialect = .chat, headers: [(String, String)] = [credential], query: String = ""
    ) throws(BypassReason) -> Engine.Call {
        let admission = Admission(settings: settings, digest: FakeDigest())
        let fields = headers.map { (Bytes($0.0), Bytes($0.1)) }
        let body = Bytes(body)
        let query = Bytes(query)
        // The head borrows from `fields`, which outlive it.
        return try withExtendedLifetime(fields) { () throws(BypassReason) -> Engine.Call in
            var head = RequestHead()
            for (name, value) in fields { admission.note(EngineRig.view(name), EngineRig.view(value), in: &head) }
            let admitted = try admission.admit(
                head, body: EngineRig.view(body), dialect: dialect, query: EngineRig.view(query),
                now: clock.monotonic(), trust: engine.trust)
            return withExtendedLifetime((body, query)) {
                call(
                    admitted, EngineRig.view(body), head, headers: headers,
                    question: engine.meaning.flatMap {
                        admission.question(
                            head, body: EngineRig.view(body), admitted, query: EngineRig.view(query),
                            matcher: $0.matcher.identity)
                    })
            }
        }
    }

    private func call(
        _ admitted: Admitted, _ body: BytesView, _ head: RequestHead, headers: [(String, String)],
        question: SemanticQuestion?
    ) -> Engine.Call {
        let forwarded = upstreamBody(original: body, facts: admitted.facts, askForUsage: settings.cache.askForUsage)
        return Engine.Call(
            admitted: admitted,
            upstream: UpstreamRequest(
                method: "POST", target: admitted.dialect.path, headers: headers.map { HeaderField($0.0, $0.1) },
                body: .bytes(forwarded), decodes: true,
                demand: UpstreamDemand(priority: head.controls.priority ?? .standard, tenant: admitted.tenant)),
            model: admitted.facts.model(in: body), namespace: head.namespaceText, tags: head.tagList, stale: nil,
            question: question)
    }

    /// What a server does with an admitted request: look in memory, then ask the engine, then send the answer.
    package func serve(
        _ call: Engine.Call, readSize: Int = 64, pace: Pace? = nil, opened: (@Sendable () -> Void)? = nil
    ) async -> Served {
        var call = call
        switch engine.lookup(call.admitted, metrics: ports.metrics) {
        case .fresh(let found):
            return await Served.read(.found(found, .hit(found.tier)), call, readSize: readSize, pace: pace)
        case .stale(let found): call.stale = found
        case .nothing: break
        }
        let reply = await engine.answer(call, via: ports)
        opened?()
        return await Served.read(reply, call, readSize: readSize, pace: pace)
    }

    /// A counter's value in the series with that label word.
    package func count(_ metric: MetricName, _ word: String? = nil) -> Int {
        let labels = MetricsTable[metric].labels
        let series = word.flatMap { word in labels.first?.values.firstIndex(of: word) } ?? 0
        return Int(registry.values(of: metric).first { $0.series == series }?.value ?? 0)
    }

    /// The memory of `bytes`, valid while the value is held by somebody.
    private static func view(_ bytes: Bytes) -> BytesView { bytes.withUnsafeBytes { $0 } }
}
