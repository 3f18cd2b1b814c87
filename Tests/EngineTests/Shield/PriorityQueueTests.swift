import Core
import TestKit
import Testing

@testable import Engine

private let second = Duration64.nanosecondsPerSecond

@Suite struct PriorityQueueTests {
    /// Whoever is next, by the rule that the shield follows; nil when nobody waits.
    private func serve(_ queue: inout PriorityQueue, now: Int64) -> Int? {
        let turn = queue.turn(now: now)
        let classes = (turn.map { [$0] } ?? []) + Priority.allCases.filter { $0 != turn }
        for priority in classes {
            guard let member = queue.first(of: priority) else { continue }
            queue.remove(member)
            queue.started(priority)
            return member
        }
        return nil
    }

    @Test func firstComeFirstServedInAClass() {
        var queue = PriorityQueue(order: .arrival, overloadPatience: 1)
        for member in 0..<3 { queue.insert(member, .standard, deadline: 100 * second, now: 0) }
        queue.insert(3, .interactive, deadline: 100 * second, now: 0)
        queue.insert(4, .standard, deadline: 100 * second, now: 0, isNext: true)
        #expect((0..<6).map { _ in serve(&queue, now: 5 * second) } == [3, 4, 0, 1, 2, nil])
    }

    @Test func theLatestFirstInOverload() {
        var queue = PriorityQueue(order: .latestInOverload, overloadPatience: 1)
        for member in 0..<4 { queue.insert(member, .standard, deadline: 8 * second, now: 0) }
        queue.judge(now: 2 * second - 1)
        #expect(queue.last(of: .standard) == 3 && serve(&queue, now: 2 * second - 1) == 0)
        queue.judge(now: 2 * second)
        #expect(queue.last(of: .standard) == 1 && serve(&queue, now: 2 * second) == 3)
        queue.insert(5, .standard, deadline: 100 * second, now: 2 * second)
        queue.insert(6, .standard, deadline: 100 * second, now: 2 * second, isNext: true)
        queue.judge(now: 2 * second)
        #expect((0..<5).map { _ in serve(&queue, now: 2 * second) } == [6, 5, 2, 1, nil])
        queue.insert(7, .standard, deadline: 100 * second, now: 2 * second)
        queue.insert(8, .standard, deadline: 100 * second, now: 2 * second)
        queue.judge(now: 2 * second)
        #expect(serve(&queue, now: 2 * second) == 7, "it ran empty: the overload is over")
    }

    @Test func deadlines() {
        var queue = PriorityQueue(order: .arrival, overloadPatience: 1)
        for (member, deadline) in [30, 10, 20].enumerated() {
            queue.insert(member, .batch, deadline: Int64(deadline), now: 0)
        }
        #expect(queue.earliestDeadline == 10 && queue.expired(now: 9) == nil)
        #expect(queue.expired(now: 25) == 1)
        queue.remove(1)
        #expect(queue.expired(now: 25) == 2)
        queue.remove(2)
        #expect(queue.expired(now: 25) == nil && queue.earliestDeadline == 30)
        queue.remove(0)
        #expect(queue.count == 0 && queue.earliestDeadline == Int64.max)
    }

    @Test func batchesKeepTheirOrder() {
        var queue = PriorityQueue(order: .latestInOverload, overloadPatience: 0.5)
        for member in 0..<3 { queue.insert(member, .batch, deadline: 8 * second, now: 0) }
        queue.judge(now: 7 * second)
        #expect(queue.expired(now: 7 * second) == nil)
        #expect((0..<3).map { _ in serve(&queue, now: 7 * second) } == [0, 1, 2])
    }

    @Test func inOverloadTheOldestAreToldEarly() {
        var queue = PriorityQueue(order: .latestInOverload, overloadPatience: 0.5)
        queue.insert(0, .standard, deadline: 8 * second, now: 0)
        queue.insert(1, .standard, deadline: 2 * second, now: second)
        queue.judge(now: 2 * second - 1)
        #expect(queue.earliestDeadline == 2 * second && queue.expired(now: 2 * second - 1) == nil)
        queue.judge(now: 2 * second)
        #expect(queue.expired(now: 2 * second) == 1)
        queue.remove(1)
        #expect(queue.expired(now: 2 * second) == nil && queue.earliestDeadline == 4 * second)
        queue.insert(2, .standard, deadline: 5 * second, now: 2 * second)
        #expect(queue.earliestDeadline == 3 * second + second / 2)
        #expect(queue.expired(now: 4 * second) == 0)
    }

    /// Under a flood of the urgent each class that waits gets its share, and no more.
    @Test(arguments: ShieldPlan.Order.allCases) func nobodyStarves(_ order: ShieldPlan.Order) {
        var queue = PriorityQueue(order: order, overloadPatience: 1)
        var classes: [Int: Priority] = [:]
        var served = [0, 0, 0]
        var next = 0
        func insert(_ priority: Priority, _ now: Int64) {
            classes[next] = priority
            queue.insert(next, priority, deadline: Int64.max, now: now)
            next += 1
        }
        for _ in 0..<200 {
            for priority in Priority.allCases { insert(priority, 0) }
        }
        for step in 0..<3200 {
            let now = 20 * second + Int64(step) * second / 100
            insert(.interactive, now)
            guard let member = serve(&queue, now: now), let priority = classes[member] else { continue }
            served[priority.rawValue] += 1
            if priority != .interactive { insert(priority, now) }
        }
        let shares = served.map { Double($0) / 3200 }
        #expect(shares[0] > 0.8 && shares[1] > 0.10 && shares[1] < 0.14 && shares[2] > 0.05 && shares[2] < 0.08)
    }

    @Test func theYoungHaveNoTurnYet() {
        var queue = PriorityQueue(order: .arrival, overloadPatience: 1)
        queue.insert(0, .batch, deadline: Int64.max, now: 0)
        for _ in 0..<1000 { queue.started(.interactive) }
        #expect(queue.turn(now: 10 * second - 1) == nil)
        #expect(queue.turn(now: 10 * second) == .batch)
        queue.remove(0)
        #expect(queue.turn(now: 10 * second) == nil)
        queue.insert(1, .batch, deadline: Int64.max, now: 10 * second)
        #expect(queue.turn(now: 30 * second) == nil, "turns are earned by waiting")
    }

    /// Against lists that are searched.
    @Test(arguments: 0..<20 as Range<UInt64>) func isWhatAListWouldBe(_ seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var queue = PriorityQueue(order: .arrival, overloadPatience: 1)
        var lists: [[Int]] = [[], [], []]
        for step in 0..<2000 {
            let priority = Priority.allCases[Int.random(in: 0..<3, using: &random)]
            let free = (0..<40).filter { member in !lists.contains { $0.contains(member) } }
            switch Int.random(in: 0..<4, using: &random) {
            case 0, 1:
                guard let member = free.randomElement(using: &random) else { continue }
                let isNext = Int.random(in: 0..<5, using: &random) == 0
                queue.insert(member, priority, deadline: Int64.max, now: Int64(step), isNext: isNext)
                lists[priority.rawValue].insert(member, at: isNext ? 0 : lists[priority.rawValue].count)
            case 2:
                guard let member = lists[priority.rawValue].randomElement(using: &random) else { continue }
                queue.remove(member)
                lists[priority.rawValue].removeAll { $0 == member }
            default:
                for priority in Priority.allCases {
                    var found: [Int] = []
                    var next = queue.first(of: priority)
                    while let member = next {
                        found.append(member)
                        next = queue.next(after: member)
                    }
                    #expect(found == lists[priority.rawValue], "seed \(seed), step \(step)")
                    #expect(queue.count(of: priority) == found.count)
                    #expect(queue.last(of: priority) == found.last)
                }
            }
            #expect(queue.count == lists.reduce(0) { $0 + $1.count }, "seed \(seed), step \(step)")
        }
    }
}
