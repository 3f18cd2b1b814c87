import Core
import Synchronization

/// What was purged, as far as this sidecar knows, and which answers are therefore not to be served.
///
/// A question is stamped with `latest`, the highest number of all marks, when it goes out; a purge that comes later has
/// a higher one. So it does not matter when an answer arrives, where it was kept or who kept it: it carries its stamp,
/// and whoever finds it compares. A sidecar that has not heard of a purge yet stamps too low, which loses answers and
/// never serves one.
package final class PurgeLedger: Sendable {
    /// Beyond it the oldest marks are replaced by one on everything that is as old as they are.
    package static let mostMarks = 50_000

    private struct Marks {
        var numbers: [PurgeGroup: UInt64] = [:]
        /// Above any number of a group, marks that were forgotten included.
        var latest: UInt64 = 0
        /// How often a mark rose.
        var rises: UInt64 = 0
        /// Whether the marks of the other sidecars are among them.
        var isSettled: Bool
    }

    private let marks: Mutex<Marks>
    /// Copies, so that entries which are newer than every purge cost no lock.
    private let latestNumber = Atomic<UInt64>(0)
    private let oldestMoment = Atomic<UInt64>(0)

    /// - Parameter isShared: whether the marks of other sidecars are still to come.
    package init(isShared: Bool = false) { marks = Mutex(Marks(isSettled: !isShared)) }

    /// The stamp of a question that goes out now.
    package var latest: UInt64 { latestNumber.load(ordering: .acquiring) }

    /// Whether the marks that all sidecars share were read: before that, nothing that others kept can be trusted.
    package var isSettled: Bool { marks.withLock { $0.isSettled } }

    package func settle() { marks.withLock { $0.isSettled = true } }

    /// The same at two moments if no mark rose here between them.
    var rises: UInt64 { marks.withLock { $0.rises } }

    package var all: [PurgeMark] { marks.withLock { $0.numbers.map { PurgeMark($0.key, $0.value) } } }

    /// Whether an entry was purged.
    package func covers(_ entry: Entry, under key: CacheKey) -> Bool {
        let facts = entry.facts
        return covers(facts.createdAt, facts.generation) { PurgeLedger.groups(of: SemanticFacts(entry), key) }
    }

    /// The same of an entry that is known by its facts alone.
    package func covers(_ facts: SemanticFacts, under key: CacheKey) -> Bool {
        covers(facts.createdAt, facts.generation) { PurgeLedger.groups(of: facts, key) }
    }

    private func covers(_ createdAt: Int64, _ generation: UInt64, _ groups: () -> [PurgeGroup]) -> Bool {
        if generation >= latest, createdAt >= Int64(clamping: oldestMoment.load(ordering: .acquiring)) { return false }
        let groups = groups()
        return marks.withLock { marks in
            if let moment = marks.numbers[.older], createdAt < Int64(clamping: moment) { return true }
            return groups.contains { marks.numbers[$0] ?? 0 > generation }
        }
    }

    private static func groups(of facts: SemanticFacts, _ key: CacheKey) -> [PurgeGroup] {
        [.everything, .key(key), .tenant(facts.tenant), .model(facts.model), .namespace(facts.namespace)]
            + facts.tags.map { .tag($0) }
    }

    /// Raises the mark of a group above all that are known, for a purge that nobody else hears of yet. `wall` is in
    /// milliseconds since 1970: it keeps the numbers rising if all marks are ever lost.
    package func raise(_ group: PurgeGroup, wall: Int64) -> PurgeMark {
        marks.withLock { marks in
            let mark = PurgeMark(group, max(marks.latest, UInt64(clamping: wall)) + 1)
            _ = adopt(mark, into: &marks)
            return mark
        }
    }

    /// Takes marks over; those that rose by it.
    package func adopt(_ news: [PurgeMark]) -> [PurgeMark] {
        marks.withLock { marks in news.filter { adopt($0, into: &marks) } }
    }

    private func adopt(_ mark: PurgeMark, into marks: inout Marks) -> Bool {
        // What everything is purged up to need not be known group by group, and would grow without use.
        let floor = mark.group == .older ? 0 : marks.numbers[.everything] ?? 0
        guard mark.number > max(floor, marks.numbers[mark.group] ?? 0), mark.number < PurgeLedger.highest
        else { return false }
        marks.numbers[mark.group] = mark.number
        marks.rises += 1
        if mark.group != .older { marks.latest = max(marks.latest, mark.number) }
        if mark.group == .everything {
            marks.numbers = PurgeLedger.without(upTo: mark.number, marks.numbers)
        }
        if marks.numbers.count > PurgeLedger.mostMarks { PurgeLedger.condense(&marks.numbers) }
        latestNumber.store(marks.latest, ordering: .releasing)
        oldestMoment.store(marks.numbers[.older] ?? 0, ordering: .releasing)
        return true
    }

    /// Far from overflow, and exact in a floating-point number, which is what some stores count in.
    private static let highest: UInt64 = 1 << 53

    /// Forgets the oldest quarter of the groups and purges everything from before the newest of those: more than was
    /// asked for, never less.
    private static func condense(_ numbers: inout [PurgeGroup: UInt64]) {
        let rising = numbers.filter { $0.key != .older && $0.key != .everything }.values.sorted()
        guard let newest = rising.prefix(rising.count / 4).last else { return }
        numbers[.everything] = max(numbers[.everything] ?? 0, newest)
        numbers = without(upTo: newest, numbers)
    }

    /// Without the groups that a purge of everything up to a number outdoes.
    private static func without(upTo number: UInt64, _ numbers: [PurgeGroup: UInt64]) -> [PurgeGroup: UInt64] {
        numbers.filter { $0.value > number || $0.key == .older || $0.key == .everything }
    }
}
