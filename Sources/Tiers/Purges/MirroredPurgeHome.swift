import Core
import Synchronization

/// A home whose marks are also written to another one that lasts longer: Redis tells the sidecars at once but often keeps
/// nothing on disk, and the answers in a bucket outlive it.
///
/// The first home is the one that counts. The second is read once, at the first look, and then only written to: from then
/// on this sidecar knows what it holds, and is there to bring the first home what that loses. A second home that fails
/// fails nothing; what it was not told it is told with one of the next looks.
package final class MirroredPurgeHome: PurgeHome {
    private struct State {
        var isRead = false
        /// Rises when the second home could not be read, so that it is asked again.
        var attempt: UInt64 = 0
        /// What the second home was not told yet.
        var owed: [PurgeGroup: UInt64] = [:]
        var isPaying = false
    }

    private let first: any PurgeHome
    private let second: any PurgeHome
    private let outages: OutageLog
    private let state = Mutex(State())

    /// Groups beyond so many are owed as one mark on everything.
    private static let mostOwed = 50_000

    package init(_ first: any PurgeHome, mirroredIn second: any PurgeHome, log: any Log) {
        self.first = first
        self.second = second
        outages = OutageLog(log, failing: "purges-unsaved", working: "purges-saved")
    }

    // MARK: PurgeHome

    package func marks(deadline: Int64) async throws(PurgeHomeFailure) -> [PurgeMark] {
        let kept = try await first.marks(deadline: deadline)
        guard !state.withLock({ $0.isRead }) else { return kept }
        let saved: [PurgeMark]
        do throws(PurgeHomeFailure) {
            saved = try await second.marks(deadline: deadline)
        } catch {
            state.withLock { $0.attempt += 1 }
            outages.note(error.description)
            return kept
        }
        let lost = saved.missing(from: kept)
        owe(kept.missing(from: saved))
        do throws(PurgeHomeFailure) {
            if !lost.isEmpty { try await first.join(lost, deadline: deadline) }
            state.withLock { $0.isRead = true }
        } catch {
            // The others are to know them too, so it is tried again; this sidecar does by now.
            state.withLock { $0.attempt += 1 }
        }
        let risen = Set(lost.map(\.group))
        return kept.filter { !risen.contains($0.group) } + lost
    }

    package func revision(deadline: Int64) async throws(PurgeHomeFailure) -> UInt64 {
        let revision = try await first.revision(deadline: deadline)
        pay(deadline: deadline)
        return revision ^ state.withLock { $0.attempt } << 54
    }

    package func raise(
        _ group: PurgeGroup, above floor: UInt64, deadline: Int64
    ) async throws(PurgeHomeFailure) -> PurgeMark {
        let mark = try await first.raise(group, above: floor, deadline: deadline)
        owe([mark])
        return mark
    }

    package func join(_ marks: [PurgeMark], deadline: Int64) async throws(PurgeHomeFailure) {
        // What the first home cannot be told is to outlive this sidecar all the same.
        owe(marks)
        try await first.join(marks, deadline: deadline)
    }

    package func lasting(deadline: Int64) async {
        let marks = state.withLock { state in state.owed.map { PurgeMark($0.key, $0.value) } }
        if !marks.isEmpty { await pay(marks, deadline: deadline) }
    }

    // MARK: Steps

    private func owe(_ marks: [PurgeMark]) {
        state.withLock { state in
            for mark in marks { state.owed[mark.group] = max(mark.number, state.owed[mark.group] ?? 0) }
            if state.owed.count > MirroredPurgeHome.mostOwed { MirroredPurgeHome.fold(&state.owed) }
        }
    }

    /// Tells the second home what it is owed, unless that is being done. Nobody waits for it.
    private func pay(deadline: Int64) {
        let marks = state.withLock { state -> [PurgeMark] in
            guard !state.isPaying, !state.owed.isEmpty else { return [] }
            state.isPaying = true
            return state.owed.map { PurgeMark($0.key, $0.value) }
        }
        guard !marks.isEmpty else { return }
        Task.detached { [self] in
            await pay(marks, deadline: deadline)
            state.withLock { $0.isPaying = false }
        }
    }

    private func pay(_ marks: [PurgeMark], deadline: Int64) async {
        do throws(PurgeHomeFailure) {
            try await second.join(marks, deadline: deadline)
            state.withLock { state in
                for mark in marks where state.owed[mark.group] == mark.number { state.owed[mark.group] = nil }
            }
            outages.note(nil)
        } catch {
            outages.note(error.description)
        }
    }

    private static func fold(_ owed: inout [PurgeGroup: UInt64]) {
        let highest = owed.reduce(0) { $1.key == .older ? $0 : max($0, $1.value) }
        owed = owed.filter { $0.key == .older }
        owed[.everything] = highest
    }
}
