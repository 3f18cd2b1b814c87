import Core
import Engine
import Foreign
import Synchronization
import Tiers

/// What this sidecar shares with the others of its deployment and with itself after a restart: what was purged, which
/// answers are popular, and the answers that still wait to be written to the lower tiers.
final class Deployment: Sendable {
    /// nil: purges are this sidecar's own.
    let purgeSync: PurgeSync?

    private let engine: Engine
    private let lower: LowerTiers
    private let loop: EventLoop
    private let subscription: RedisSubscription?
    private let hottest: HottestKeys?
    private let hottestCount: Int
    private let clock: any Clock
    private let log: any Log
    private let refill = Mutex<Task<Void, Never>?>(nil)
    /// Whether memory holds but a part of what was popular.
    private let isRefilling = Atomic(false)

    /// For noting and reading the hottest keys, in nanoseconds.
    private static let hottestLimit = 5 * Duration64.nanosecondsPerSecond
    /// How long the marks of purges are waited for before memory is refilled, in nanoseconds.
    private static let settleLimit: Int64 = 60 * Duration64.nanosecondsPerSecond

    /// - Parameter loop: runs timers and listens to announcements.
    init(
        _ settings: Settings, engine: Engine, lower: LowerTiers, ports: Engine.Lower?, loop: EventLoop,
        clock: any Clock, log: any Log
    ) throws(CommandFailure) {
        self.engine = engine
        self.lower = lower
        self.loop = loop
        self.clock = clock
        self.log = log
        let sync = ports.flatMap { engine.makeSync($0) }
        purgeSync = sync
        hottestCount = min(settings.cache.warmRestart, HottestKeys.most)
        hottest = lower.objects.map { HottestKeys(store: $0, checksum: XXH3Checksum(), clock: clock) }
        guard let options = lower.redisOptions else {
            subscription = nil
            return
        }
        do throws(RedisSetupFailure) {
            subscription = try RedisSubscription(
                loop: loop, options: options, channel: RedisPurgeHome.Options().channel, random: SystemRandom(),
                log: log, servers: { lower.masters(on: loop) },
                handlers: .init(
                    subscribed: { sync?.refresh() },
                    message: { if let mark = RedisPurgeHome.mark(in: $0) { engine.heard(mark) } }))
        } catch {
            throw .failed("\(error)")
        }
    }

    /// Begins to listen, and to bring back what was popular, when the loops run. Returns at once.
    func open() {
        purgeSync?.refresh()
        if let subscription { loop.execute { subscription.open() } }
        guard hottest != nil, hottestCount > 0 else { return }
        isRefilling.store(true, ordering: .relaxed)
        refill.withLock { $0 = Task.detached { await self.refillMemory() } }
    }

    private func refillMemory() async {
        guard let hottest else { return }
        defer { if !Task.isCancelled { isRefilling.store(false, ordering: .relaxed) } }
        let deadline = clock.monotonic() + Deployment.settleLimit
        while !engine.purges.isSettled {
            guard clock.monotonic() < deadline, (try? await Task.sleep(for: .milliseconds(50))) != nil else { return }
        }
        do throws(ObjectFailure) {
            let keys = try await hottest.load(limit: Deployment.hottestLimit)
            guard !keys.isEmpty else { return }
            let count = await engine.refill(Array(keys.prefix(hottestCount)))
            log.write(.info, "refilled", LogField("keys", keys.count), LogField("answers", count))
        } catch {
            log.write(.warning, "refill-failed", LogField("reason", error.message))
        }
    }

    /// Writes what still waits and notes what is popular, in `limit` nanoseconds. While the loops still run.
    func leave(limit: Int64) async {
        refill.withLock { $0.take() }?.cancel()
        purgeSync?.close()
        // Beside each other: a tier that is away takes all of the time.
        async let noted: Void = noteHottest(limit: min(limit, Deployment.hottestLimit))
        if let lost = await engine.fill?.flush(limit: limit), lost > 0 {
            log.write(
                .warning, "fill-lost", LogField("answers", lost),
                LogField("message", "the drain time was over before they were written to the lower tiers"))
        }
        await noted
    }

    private func noteHottest(limit: Int64) async {
        var keys = engine.memory.hottest(hottestCount)
        guard let hottest, !keys.isEmpty else { return }
        do throws(ObjectFailure) {
            if isRefilling.load(ordering: .relaxed) {
                // Who is stopped again at once knows but a part: behind it goes what was noted before it.
                let known = Set(keys)
                keys += try await hottest.load(limit: limit).filter { !known.contains($0) }
            }
            try await hottest.save(Array(keys.prefix(hottestCount)), limit: limit)
        } catch {
            log.write(.warning, "hottest-unnoted", LogField("reason", error.message))
        }
    }

    /// Stops listening. While the loops still run.
    func close() async {
        guard let subscription else { return }
        await loop.perform { subscription.close() }
    }

    func register(in registry: MetricsRegistry) {
        guard let fill = engine.fill else { return }
        for tier in fill.tiers {
            registry.read(.fillQueueDepth, tier) { Double(fill.statistics(of: tier).depth) }
            registry.read(.fillQueueBytes, tier) { Double(fill.statistics(of: tier).bytes) }
            for reason in FillDrop.allCases {
                registry.read(.fillDropped, tier, reason) { Double(fill.statistics(of: tier).dropped[reason] ?? 0) }
            }
        }
    }
}

extension Engine.Lower {
    /// nil where there are no lower tiers.
    init?(_ settings: Settings, _ tiers: LowerTiers, loop: EventLoop, log: any Log) {
        guard !tiers.tiers.isEmpty else { return nil }
        self.init(scheduler: LoopScheduler(loop: loop), random: SystemRandom(), log: log)
        self.tiers = tiers.tiers
        home = tiers.home
        leases = tiers.leases
        leaseTimeout = settings.redis.coalesceTimeout.nanoseconds
        fill = Fill.Options(mostItems: settings.limits.fillEntries, mostBytes: settings.limits.fillMemory.bytes)
    }
}
