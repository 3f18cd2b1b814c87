import Core
import Tiers

extension Engine {
    /// What stands behind memory, and what the sidecars of a deployment share.
    package struct Lower: Sendable {
        /// In the order in which they are asked.
        package var tiers: [any Tier] = []
        /// nil: purges are this sidecar's own.
        package var home: (any PurgeHome)?
        /// nil: every sidecar asks the model by itself.
        package var leases: (any CallLeases)?
        /// How long another sidecar's answer is waited for, in nanoseconds.
        package var leaseTimeout = 60 * Duration64.nanosecondsPerSecond
        package var fill = Fill.Options(mostItems: 10_000, mostBytes: 64 << 20)
        package var sync = PurgeSync.Options()
        package var scheduler: any Scheduler
        package var random: any RandomSource
        package var log: any Log
        /// Where what nobody waits for runs; nil: on the threads that all share.
        package var executor: (any TaskExecutor)?

        package init(scheduler: any Scheduler, random: any RandomSource, log: any Log) {
            self.scheduler = scheduler
            self.random = random
            self.log = log
        }
    }

    /// Which of the lower tiers are looked in.
    enum Places {
        case all
        /// Those before the object store.
        case shared
        case objects

        func include(_ tier: TierName) -> Bool {
            switch self {
            case .all: true
            case .shared: tier != .objects
            case .objects: tier == .objects
            }
        }
    }

    /// Looks in the lower tiers, one after the other, and counts what they find. A fresh answer is promoted.
    func lookBelow(_ wanted: Admitted, _ ports: Ports, in places: Places = .all) async -> Lookup {
        await searchBelow(wanted, ports, in: places).lookup
    }

    /// `isCertain`: there is nothing better, as far as all tiers could be asked.
    func searchBelow(
        _ wanted: Admitted, _ ports: Ports, in places: Places = .all
    ) async -> (lookup: Lookup, isCertain: Bool) {
        guard !below.isEmpty else { return (.nothing, true) }
        // What others kept may have been purged by others too.
        guard purges.isSettled else { return (.nothing, false) }
        var best: Found?
        var isCertain = true
        for tier in below where places.include(tier.name) {
            let started = clock.monotonic()
            let finding = await tier.look(for: wanted.key)
            ports.metrics.countTierDuration(tier.name, nanoseconds: clock.monotonic() - started)
            if case .unknown = finding { isCertain = false }
            switch judge(finding.entry, from: tier, for: wanted) {
            case .fresh(let found):
                ports.metrics.countLookup(tier.name, .hit)
                promote(found, under: wanted.key)
                return (.fresh(found), true)
            case .stale(let found):
                ports.metrics.countLookup(tier.name, .stale)
                best = fresher(best, found)
            case .nothing: ports.metrics.countLookup(tier.name, .miss)
            }
        }
        if let best { promote(best, under: wanted.key) }
        return (best.map { .stale($0) } ?? .nothing, isCertain)
    }

    private func judge(_ held: Entry?, from tier: any Tier, for wanted: Admitted) -> Lookup {
        guard let held else { return .nothing }
        guard !purges.covers(held, under: wanted.key) else {
            // Nobody is to find it again, and nobody has to wait until it is gone.
            Task.detached(executorPreference: executor) { await tier.remove(wanted.key) }
            return .nothing
        }
        return judge(held, for: wanted, in: tier.name)
    }

    /// The one of two stale answers that is to be served, if one must.
    func fresher(_ one: Found?, _ other: Found) -> Found {
        guard let one, one.entry.facts.createdAt >= other.entry.facts.createdAt else { return other }
        return one
    }

    /// Puts an answer that was found below into the tiers above, with what is left of its lifetime.
    private func promote(_ found: Found, under key: CacheKey) {
        let entry = found.entry
        let now = clock.wall()
        // Somebody who wanted no answer out of the cache may have brought a newer one meanwhile.
        if let held = memory.peek(key, now: now), held.facts.createdAt >= entry.facts.createdAt { return }
        guard hold(entry, under: key, now: now) != .refused(.unwanted), found.lifetime > 0 else { return }
        let above = below.map(\.name).prefix { $0 != found.tier }
        if !above.isEmpty { fill?.offer(entry, under: key, to: Array(above)) }
    }

    /// Where an answer is held, lower tiers included. Looking in memory does not count as use.
    package func holders(of key: CacheKey) async -> [(tier: TierName, entry: Entry)] {
        var holders = memory.peek(key, now: clock.wall()).map { [(TierName.memory, $0)] } ?? []
        guard purges.isSettled else { return holders }
        for tier in below {
            if let entry = await tier.find(key), !purges.covers(entry, under: key) {
                holders.append((tier.name, entry))
            }
        }
        return holders
    }
}
