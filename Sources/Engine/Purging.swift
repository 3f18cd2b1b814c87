import Core
import Synchronization
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
    /// Purges a group everywhere. Where the other sidecars cannot be told now, they are as soon as they can. It looks
    /// through memory, which takes its time: not on a thread that serves requests.
    ///
    /// - Parameters:
    ///   - sync: nil: there are no others.
    ///   - moment: of `PurgeGroup.older`: answers from before it are meant; in milliseconds since 1970.
    package func purge(_ group: PurgeGroup, before moment: Int64 = 0, sync: PurgeSync?) async -> PurgeReport {
        var report: PurgeReport
        searches.began(group)
        do throws(PurgeHomeFailure) {
            report = PurgeReport(count: 0, mark: try await raise(group, moment, sync), isShared: sync != nil)
        } catch {
            report = PurgeReport(count: 0, mark: markHere(group, moment), failure: error)
        }
        // In this order its own announcement is no news, before as after, and what others tell of the group meanwhile is
        // either felt by this search or has one of its own.
        _ = purges.adopt([report.mark])
        searches.ended(group)
        report.count = apply([report.mark])
        // Once it answers, the home gets what it could not be told of.
        if report.failure != nil { sync?.refresh() }
        if case .key(let key) = group {
            for tier in below { await tier.remove(key) }
        }
        // Only after everybody was told and nobody is served it any more.
        await sync?.lasting()
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

    /// How many answers of a group this sidecar's memory holds. It takes its time: not on a thread that serves requests.
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
        // Its own announcement may come back before the call that made it: then that makes it felt, and counts.
        guard !risen.isEmpty, !searches.isUnderWay(mark.group) else { return }
        if case .key = mark.group {
            apply(risen)
            return
        }
        flights.purgeAll()
        guard searches.begin() else { return }
        Task.detached(executorPreference: executor) { [self] in
            repeat { dropPurged() } while searches.goesOn()
        }
    }

    /// Looks through all of memory; how many answers it held that were purged.
    @discardableResult
    private func dropPurged() -> Int {
        meaning?.purged { purges.covers($1, under: $0) }
        return memory.removeAll { purges.covers($1, under: $0) }
    }

    /// Makes marks that rose felt: drops what they cover, and lets nobody join a call from before them. How many answers
    /// memory held of the groups.
    @discardableResult
    func apply(_ marks: [PurgeMark]) -> Int {
        var keys: [CacheKey] = []
        for mark in marks {
            guard case .key(let key) = mark.group else {
                flights.purgeAll()
                return dropPurged()
            }
            keys.append(key)
        }
        var count = 0
        for key in keys {
            flights.purge(key)
            fill?.withdraw(key)
            meaning?.purged(key)
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

/// One search through memory at a time, however many purges are heard of: one that begins after them finds what all of
/// them cover.
final class PurgeSearches: Sendable {
    private struct State {
        var runs = RunAgain()
        /// Purges that this sidecar is telling the others of.
        var own: [PurgeGroup: Int] = [:]
    }

    private let state = Mutex(State())

    func began(_ group: PurgeGroup) { state.withLock { $0.own[group, default: 0] += 1 } }

    func ended(_ group: PurgeGroup) {
        state.withLock { state in
            let rest = (state.own[group] ?? 1) - 1
            state.own[group] = rest > 0 ? rest : nil
        }
    }

    func isUnderWay(_ group: PurgeGroup) -> Bool { state.withLock { $0.own[group] != nil } }

    /// Whether the caller is to search, because nobody does; who does will search once more.
    func begin() -> Bool { state.withLock { $0.runs.begin() } }

    /// Whether who searched is to do so once more; else nobody searches any more.
    func goesOn() -> Bool { state.withLock { $0.runs.goesOn() } }
}
