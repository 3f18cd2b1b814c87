import Core

/// Who waits for an upstream: three classes, the more urgent one first, with turns for those that wait for long.
///
/// Members are small numbers that the caller hands out and uses again (indices into its table), so a member is put in,
/// found and taken out without a search and nothing is allocated once the table has its size.
///
/// *Ageing, weighted*: while a class waits, each start of a more urgent one earns it a share of a turn, and once
/// somebody has been waiting in it for its time it may use a whole turn. So a class that waits gets at least its share
/// of the starts, and costs the urgent no more than that, however long its queue is. (An order by age alone lets a
/// backlog of old batches pass an urgent request in one go.)
struct PriorityQueue: Sendable {
    /// Share of the starts of more urgent classes that a class which waits is sure of.
    static let shares = [1, 1.0 / 8, 1.0 / 16]
    /// How long it must not have been empty for that, in nanoseconds.
    static let ages = [0, 2 * Duration64.nanosecondsPerSecond, 10 * Duration64.nanosecondsPerSecond]
    /// A class that has not been empty for so long is in overload.
    static let standing = Duration64.nanosecondsPerSecond

    private struct Member: Sendable {
        var older = PriorityQueue.none
        var newer = PriorityQueue.none
        var priority = Priority.standard
        var since: Int64 = 0
        var deadline: Int64 = 0
    }

    private struct Line: Sendable {
        var oldest = PriorityQueue.none
        var newest = PriorityQueue.none
        var count = 0
        var filledAt: Int64 = 0
        /// Of a turn, 1 at most.
        var credit = 0.0
    }

    private static let none = -1

    private let order: ShieldPlan.Order
    private var members: [Member] = []
    private var lines = [Line](repeating: Line(), count: Priority.allCases.count)
    private(set) var count = 0
    /// Nobody's deadline is earlier.
    private(set) var earliestDeadline = Int64.max

    init(order: ShieldPlan.Order) { self.order = order }

    func count(of priority: Priority) -> Int { lines[priority.rawValue].count }
    func deadline(of member: Int) -> Int64 { members[member].deadline }
    func since(of member: Int) -> Int64 { members[member].since }

    /// `isNext`: before all others of its class.
    mutating func insert(_ member: Int, _ priority: Priority, deadline: Int64, now: Int64, isNext: Bool = false) {
        while members.count <= member { members.append(Member()) }
        let line = priority.rawValue
        if lines[line].count == 0 {
            lines[line].filledAt = now
            lines[line].credit = 0
        }
        members[member] = Member(priority: priority, since: now, deadline: deadline)
        if isNext != isLatestFirst(priority, now: now) {
            link(member, older: PriorityQueue.none, newer: lines[line].oldest)
        } else {
            link(member, older: lines[line].newest, newer: PriorityQueue.none)
        }
        lines[line].count += 1
        count += 1
        earliestDeadline = min(earliestDeadline, deadline)
    }

    mutating func remove(_ member: Int) {
        let (older, newer) = (members[member].older, members[member].newer)
        let line = members[member].priority.rawValue
        if older == PriorityQueue.none { lines[line].oldest = newer } else { members[older].newer = newer }
        if newer == PriorityQueue.none { lines[line].newest = older } else { members[newer].older = older }
        lines[line].count -= 1
        count -= 1
        if count == 0 { earliestDeadline = Int64.max }
    }

    /// Who is next in its class.
    func first(of priority: Priority, now: Int64) -> Int? {
        let line = lines[priority.rawValue]
        return known(isLatestFirst(priority, now: now) ? line.newest : line.oldest)
    }

    /// Who comes after `member`, which waits too.
    func next(after member: Int, now: Int64) -> Int? {
        let isLatestFirst = isLatestFirst(members[member].priority, now: now)
        return known(isLatestFirst ? members[member].older : members[member].newer)
    }

    /// Who has to give way where more wait than may.
    func last(of priority: Priority, now: Int64) -> Int? {
        let line = lines[priority.rawValue]
        return known(isLatestFirst(priority, now: now) ? line.oldest : line.newest)
    }

    /// The less urgent class whose turn it is, if it is one's.
    func turn(now: Int64) -> Priority? {
        for (index, line) in lines.enumerated() where line.credit >= 1 && line.count > 0 {
            if now - line.filledAt >= PriorityQueue.ages[index] { return Priority(rawValue: index) }
        }
        return nil
    }

    /// One of `priority` was started.
    mutating func started(_ priority: Priority) {
        if lines[priority.rawValue].credit >= 1 { lines[priority.rawValue].credit -= 1 }
        for line in (priority.rawValue + 1)..<lines.count where lines[line].count > 0 {
            lines[line].credit = min(1, lines[line].credit + PriorityQueue.shares[line])
        }
    }

    /// Somebody who has waited for as long as it may; ask until there is nobody.
    mutating func expired(now: Int64) -> Int? {
        guard now >= earliestDeadline else { return nil }
        var earliest = Int64.max
        for line in lines {
            var member = line.oldest
            while member != PriorityQueue.none {
                if members[member].deadline <= now { return member }
                earliest = min(earliest, members[member].deadline)
                member = members[member].newer
            }
        }
        earliestDeadline = earliest
        return nil
    }

    private func known(_ member: Int) -> Int? { member == PriorityQueue.none ? nil : member }

    private func isLatestFirst(_ priority: Priority, now: Int64) -> Bool {
        let line = lines[priority.rawValue]
        return order == .latestInOverload && line.count > 0 && now - line.filledAt >= PriorityQueue.standing
    }

    private mutating func link(_ member: Int, older: Int, newer: Int) {
        let line = members[member].priority.rawValue
        members[member].older = older
        members[member].newer = newer
        if older == PriorityQueue.none { lines[line].oldest = member } else { members[older].newer = member }
        if newer == PriorityQueue.none { lines[line].newest = member } else { members[newer].older = member }
    }
}
