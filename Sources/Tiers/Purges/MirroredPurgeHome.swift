import Core

/// Marks in two places: one that answers fast and tells the others, and one that outlives it.
///
/// The mirror is written behind every mark and read whenever the marks are; whatever one of the two lacks it gets from
/// the other. A mirror that fails costs nobody a purge: it gets the marks the next time.
package struct MirroredPurgeHome: PurgeHome {
    private let home: any PurgeHome
    private let mirror: any PurgeHome
    private let log: any Log

    package init(home: any PurgeHome, mirror: any PurgeHome, log: any Log) {
        self.home = home
        self.mirror = mirror
        self.log = log
    }

    package func marks(deadline: Int64) async throws(PurgeHomeFailure) -> [PurgeMark] {
        let kept = try await home.marks(deadline: deadline)
        let mirrored: [PurgeMark]
        do throws(PurgeHomeFailure) {
            mirrored = try await mirror.marks(deadline: deadline)
            let lost = MirroredPurgeHome.missing(from: mirrored, of: kept)
            if !lost.isEmpty { try await mirror.join(lost, deadline: deadline) }
        } catch {
            report(error)
            return kept
        }
        let lost = MirroredPurgeHome.missing(from: kept, of: mirrored)
        if !lost.isEmpty { try await home.join(lost, deadline: deadline) }
        return kept + lost
    }

    /// The mirror's need not be asked for: nobody purges there alone.
    package func revision(deadline: Int64) async throws(PurgeHomeFailure) -> UInt64 {
        try await home.revision(deadline: deadline)
    }

    package func raise(
        _ group: PurgeGroup, above floor: UInt64, deadline: Int64
    ) async throws(PurgeHomeFailure) -> PurgeMark {
        let mark = try await home.raise(group, above: floor, deadline: deadline)
        await copy([mark], deadline: deadline)
        return mark
    }

    package func join(_ marks: [PurgeMark], deadline: Int64) async throws(PurgeHomeFailure) {
        try await home.join(marks, deadline: deadline)
        await copy(marks, deadline: deadline)
    }

    private func copy(_ marks: [PurgeMark], deadline: Int64) async {
        do throws(PurgeHomeFailure) {
            try await mirror.join(marks, deadline: deadline)
        } catch {
            report(error)
        }
    }

    private func report(_ failure: PurgeHomeFailure) {
        log.write(.warning, "purges-unmirrored", LogField("reason", failure.description))
    }

    /// Marks that others lack, or have lower.
    private static func missing(from marks: [PurgeMark], of others: [PurgeMark]) -> [PurgeMark] {
        let numbers = Dictionary(marks.map { ($0.group, $0.number) }, uniquingKeysWith: max)
        let floor = numbers[.everything] ?? 0
        return others.filter { $0.number > max(numbers[$0.group] ?? 0, $0.group == .older ? 0 : floor) }
    }
}
