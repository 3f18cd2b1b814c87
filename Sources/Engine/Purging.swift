import Core
import Tiers

/// What became of a purge.
package struct PurgeReport: Sendable {
    /// Answers that this sidecar's memory held of the group.
    package var count: Int
    package var mark: PurgeMark
    /// Whether the other sidecars were told.
    package var isShared = false
    /// Why they could not be told now.
    package var failure: PurgeHomeFailure?
}

extension Engine {
    /// Purges a group everywhere. Where the other sidecars cannot be told now, they are as soon as they can.
    ///
    /// - Parameters:
    ///   - sync: nil: there are no others.
    ///   - moment: of `PurgeGroup.older`: answers from before it are meant; in milliseconds since 1970.
    package func purge(_ group: PurgeGroup, before moment: Int64 = 0, sync: PurgeSync?) async -> PurgeReport {
        // Before the others are told: this sidecar hears of it too, and may drop the answers before it goes on here.
        let held = count(of: group, before: moment)
        var report: PurgeReport
        do throws(PurgeHomeFailure) {
            report = PurgeReport(count: 0, mark: try await raise(group, moment, sync), isShared: sync != nil)
        } catch {
            report = PurgeReport(count: 0, mark: markHere(group, moment), failure: error)
        }
        _ = purges.adopt([report.mark])
        report.count = max(held, apply([report.mark]))
        // Once it answers, the home gets what it could not be told of.
        if report.failure != nil { sync?.refresh() }
        if case .key(let key) = group {
            for tier in below { await tier.remove(key) }
        }
        return report
    }

    private func raise(
        _ group: PurgeGroup, _ moment: Int64, _ sync: PurgeSync?
    ) async throws(PurgeHomeFailure) -> PurgeMark {
        guard let sync else { return markHere(group, moment) }
        guard group == .older else { return try await sync.raise(group) }
        let mark = markHere(group, moment)
        try await sync.join(mark)
        return mark
    }

    private func markHere(_ group: PurgeGroup, _ moment: Int64) -> PurgeMark {
        group == .older ? PurgeMark(.older, UInt64(clamping: moment)) : purges.raise(group, wall: clock.wall())
    }

    /// Purges a group in this sidecar; how many answers its memory held.
    @discardableResult
    package func purgeHere(_ group: PurgeGroup) -> Int { apply([purges.raise(group, wall: clock.wall())]) }

    /// How many answers of a group this sidecar's memory holds.
    package func count(of group: PurgeGroup, before moment: Int64 = 0) -> Int {
        let trial = PurgeLedger()
        _ =
            group == .older
            ? trial.adopt([PurgeMark(.older, UInt64(clamping: moment))]) : [trial.raise(group, wall: .max >> 12)]
        var count = 0
        memory.removeAll { key, entry in
            if trial.covers(entry, under: key) { count += 1 }
            return false
        }
        return count
    }

    /// Another sidecar announced a purge.
    package func heard(_ mark: PurgeMark) {
        let risen = purges.adopt([mark])
        guard !risen.isEmpty else { return }
        // Looking through memory takes its time, which the caller's thread may not have.
        if case .key = mark.group {
            apply(risen)
        } else {
            Task.detached(executorPreference: executor) { self.apply(risen) }
        }
    }

    /// Makes marks that rose felt: drops what they cover, and lets nobody join a call from before them. How many answers
    /// memory held of the groups.
    @discardableResult
    func apply(_ marks: [PurgeMark]) -> Int {
        var keys: [CacheKey] = []
        for mark in marks {
            guard case .key(let key) = mark.group else {
                flights.purgeAll()
                return memory.removeAll { purges.covers($1, under: $0) }
            }
            keys.append(key)
        }
        var count = 0
        for key in keys {
            flights.purge(key)
            fill?.withdraw(key)
            guard let held = memory.peek(key, now: clock.wall()), purges.covers(held, under: key) else { continue }
            if memory.removeNow(key) { count += 1 }
        }
        return count
    }

    /// Keeps this sidecar's purges in step with those of others.
    package func makeSync(_ lower: Lower) -> PurgeSync? {
        lower.home.map { home in
            PurgeSync(
                home: home, ledger: purges, options: lower.sync, clock: clock, scheduler: lower.scheduler,
                log: lower.log, executor: lower.executor, apply: { [weak self] in _ = self?.apply($0) })
        }
    }
}
