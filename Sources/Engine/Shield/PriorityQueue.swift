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
    /// Of the patience of the oldest member: when it has waited for as long, its class is in overload.
    static let overloadShare = 0.25

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
        var isOverloaded = false
        /// Of a turn, 1 at most.
        var credit = 0.0
    }

    private static let none = -1

    private let order: ShieldPlan.Order
    private let overloadPatience: Double
    private var members: [Member] = []
    private var lines = [Line](repeating: Line(), count: Priority.allCases.count)
    private(set) var count = 0
    /// Nobody's deadline is earlier.
    private(set) var earliestDeadline = Int64.max

    /// - Parameter overloadPatience: the share of its patience that a request may wait in overload.
    init(order: ShieldPlan.Order, overloadPatience: Double) {
        self.order = order
        self.overloadPatience = overloadPatience
    }

    func count(of priority: Priority) -> Int { lines[priority.rawValue].count }
    func deadline(of member: Int) -> Int64 { members[member].deadline }

    /// `isNext`: before all others of its class.
    mutating func insert(_ member: Int, _ priority: Priority, deadline: Int64, now: Int64, isNext: Bool = false) {
        while members.count <= member { members.append(Member()) }
        let line = priority.rawValue
        if lines[line].count == 0 {
            lines[line].filledAt = now
            lines[line].credit = 0
        }
        members[member] = Member(priority: priority, since: now, deadline: deadline)
        if isNext, !lines[line].isOverloaded {
            link(member, older: PriorityQueue.none, newer: lines[line].oldest)
        } else {
            link(member, older: lines[line].newest, newer: PriorityQueue.none)
        }
        lines[line].count += 1
        count += 1
        earliestDeadline = min(earliestDeadline, end(of: member))
    }

    mutating func remove(_ member: Int) {
        let (older, newer) = (members[member].older, members[member].newer)
        let line = members[member].priority.rawValue
        if older == PriorityQueue.none { lines[line].oldest = newer } else { members[older].newer = newer }
        if newer == PriorityQueue.none { lines[line].newest = older } else { members[newer].older = older }
        lines[line].count -= 1
        if lines[line].count == 0 { lines[line].isOverloaded = false }
        count -= 1
        if count == 0 { earliestDeadline = Int64.max }
    }

    /// Who is next in its class.
    func first(of priority: Priority) -> Int? {
        let line = lines[priority.rawValue]
        return known(line.isOverloaded ? line.newest : line.oldest)
    }

    /// Who comes after `member`, which waits too.
    func next(after member: Int) -> Int? {
        let isOverloaded = lines[members[member].priority.rawValue].isOverloaded
        return known(isOverloaded ? members[member].older : members[member].newer)
    }

    /// Who has to give way where more wait than may.
    func last(of priority: Priority) -> Int? {
        let line = lines[priority.rawValue]
        return known(line.isOverloaded ? line.oldest : line.newest)
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

    /// Looks whether a class is in overload: its oldest member has used up a good part of its patience. It stays so
    /// until the class is empty. Batches are never: nobody sits before them who would leave, so each may wait for its
    /// turn.
    mutating func judge(now: Int64) {
        guard order == .latestInOverload, count > 0 else { return }
        for index in 0..<Priority.batch.rawValue where lines[index].count > 0 && !lines[index].isOverloaded {
            let oldest = members[lines[index].oldest]
            let patience = Double(oldest.deadline - oldest.since)
            guard Double(now - oldest.since) >= max(1, patience * PriorityQueue.overloadShare) else { continue }
            lines[index].isOverloaded = true
            // Everybody's end has moved.
            earliestDeadline = now
        }
    }

    /// Somebody who has waited for as long as it may; ask until there is nobody.
    mutating func expired(now: Int64) -> Int? {
        guard now >= earliestDeadline else { return nil }
        var earliest = Int64.max
        for line in lines {
            var member = line.oldest
            while member != PriorityQueue.none {
                let end = end(of: member)
                if end <= now { return member }
                earliest = min(earliest, end)
                member = members[member].newer
            }
        }
        earliestDeadline = earliest
        return nil
    }

    private func known(_ member: Int) -> Int? { member == PriorityQueue.none ? nil : member }

    /// When it is told that it waited in vain: in overload earlier.
    private func end(of member: Int) -> Int64 {
        let (since, deadline) = (members[member].since, members[member].deadline)
        guard lines[members[member].priority.rawValue].isOverloaded else { return deadline }
        return since + Int64(Double(deadline - since) * overloadPatience)
    }

    private mutating func link(_ member: Int, older: Int, newer: Int) {
        let line = members[member].priority.rawValue
        members[member].older = older
        members[member].newer = newer
        if older == PriorityQueue.none { lines[line].oldest = member } else { members[older].newer = member }
        if newer == PriorityQueue.none { lines[line].newest = member } else { members[newer].older = member }
    }
}
