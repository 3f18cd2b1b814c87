import Core
import TestKit
import Testing

@testable import Engine

@Suite struct RevalidationQueueTests {
    private typealias Queue = RevalidationQueue<Int>

    private func key(_ number: Int) -> CacheKey { CacheKey(0, 0, 0, UInt64(number)) }

    private func queue(atOnce: Int = 2, waiting: Int = 3, bytes: Int = 100) -> Queue {
        Queue(Queue.Limits(atOnce: atOnce, waiting: waiting, bytes: bytes))
    }

    @Test("so many begin, so many wait, in the order they came") func order() {
        var queue = queue()
        let orders = (0..<6).map { number in queue.order(key(number), bytes: 10, now: 0, number) }
        #expect(orders == [.begin, .begin, .waits, .waits, .waits, .full])
        #expect((queue.runningCount, queue.waitingCount) == (2, 3))
        #expect(queue.ended(key(0), hasFailed: false, now: 0) == [2])
        #expect(queue.ended(key(2), hasFailed: false, now: 0) == [3])
        #expect(queue.order(key(5), bytes: 10, now: 0, 5) == .waits)
        #expect(queue.ended(key(1), hasFailed: false, now: 0) == [4])
        #expect(queue.ended(key(3), hasFailed: false, now: 0) == [5])
        #expect(queue.ended(key(4), hasFailed: false, now: 0) == [])
        #expect((queue.runningCount, queue.waitingCount) == (1, 0))
    }

    @Test("a key is there once, running or waiting") func once() {
        var queue = queue(atOnce: 1)
        #expect(queue.order(key(0), bytes: 0, now: 0, 0) == .begin)
        #expect(queue.order(key(0), bytes: 0, now: 0, 0) == .known)
        #expect(queue.order(key(1), bytes: 0, now: 0, 1) == .waits)
        #expect(queue.order(key(1), bytes: 0, now: 0, 1) == .known)
        #expect(queue.ended(key(0), hasFailed: false, now: 0) == [1])
        #expect(queue.order(key(1), bytes: 0, now: 0, 1) == .known)
        #expect(queue.ended(key(1), hasFailed: false, now: 0) == [])
        #expect(queue.order(key(1), bytes: 0, now: 0, 1) == .begin)
    }

    @Test("what waits is bounded in bytes") func bytes() {
        var queue = queue(atOnce: 1, waiting: 100)
        #expect(queue.order(key(0), bytes: 1_000, now: 0, 0) == .begin, "what begins does not wait")
        #expect(queue.order(key(1), bytes: 60, now: 0, 1) == .waits)
        #expect(queue.order(key(2), bytes: 41, now: 0, 2) == .full)
        #expect(queue.order(key(3), bytes: 40, now: 0, 3) == .waits)
        #expect(queue.ended(key(0), hasFailed: false, now: 0) == [1])
        #expect(queue.order(key(2), bytes: 60, now: 0, 2) == .waits)
    }

    @Test("a key that failed rests for a while") func pause() {
        var queue = queue()
        let pause = Queue.pause
        #expect(queue.order(key(0), bytes: 0, now: 5, 0) == .begin)
        #expect(queue.ended(key(0), hasFailed: true, now: 10) == [])
        #expect(queue.order(key(0), bytes: 0, now: 10 + pause - 1, 0) == .known)
        #expect(queue.order(key(1), bytes: 0, now: 10, 1) == .begin, "others do not")
        #expect(queue.order(key(0), bytes: 0, now: 10 + pause, 0) == .begin)
        #expect(queue.ended(key(0), hasFailed: false, now: 10 + pause) == [])
        #expect(queue.order(key(0), bytes: 0, now: 10 + pause, 0) == .begin, "a success forgets the failure")
    }

    @Test("what is remembered of failures has a bound") func manyFailures() {
        var queue = queue()
        for number in 0...Queue.mostFailures {
            #expect(queue.order(key(number), bytes: 0, now: 0, number) == .begin)
            #expect(queue.ended(key(number), hasFailed: true, now: 0) == [])
        }
        #expect(queue.order(key(Queue.mostFailures), bytes: 0, now: 0, 0) == .known)
        #expect(queue.order(key(0), bytes: 0, now: 0, 0) == .begin, "forgotten with the others")
    }

    @Test("limits that change hold from then on") func replan() {
        var queue = queue(atOnce: 1, waiting: 10)
        for number in 0..<5 { _ = queue.order(key(number), bytes: 0, now: 0, number) }
        queue.limits.atOnce = 3
        #expect(queue.ended(key(0), hasFailed: false, now: 0) == [1, 2, 3])
        queue.limits.atOnce = 1
        #expect(queue.ended(key(1), hasFailed: false, now: 0) == [])
        #expect(queue.ended(key(2), hasFailed: false, now: 0) == [])
        #expect(queue.ended(key(3), hasFailed: false, now: 0) == [4])
    }

    @Test("after the close nothing begins") func close() {
        var queue = queue(atOnce: 1)
        for number in 0..<3 { _ = queue.order(key(number), bytes: 1, now: 0, number) }
        #expect(queue.close() == 2)
        #expect(queue.ended(key(0), hasFailed: false, now: 0) == [])
        #expect(queue.order(key(7), bytes: 0, now: 0, 7) == .known)
    }

    /// Against a plain list: never more than allowed, each key once, first come first begun.
    @Test("drawn from a seed", arguments: 0..<50) func property(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let limits = Queue.Limits(
            atOnce: .random(in: 1...5, using: &random), waiting: .random(in: 0...200, using: &random), bytes: 1_000)
        var queue = Queue(limits)
        var running: [Int] = []
        var waiting: [Int] = []
        for _ in 0..<2_000 {
            if Bool.random(using: &random) {
                let number = Int.random(in: 0..<300, using: &random)
                let expected: Queue.Order =
                    if running.contains(number) || waiting.contains(number) {
                        .known
                    } else if running.count < limits.atOnce {
                        .begin
                    } else if waiting.count < min(limits.waiting, 1_000 / 7) { .waits } else { .full }
                #expect(queue.order(key(number), bytes: 7, now: 0, number) == expected, "seed \(seed)")
                if expected == .begin { running.append(number) }
                if expected == .waits { waiting.append(number) }
            } else if let number = running.randomElement(using: &random) {
                running.removeAll { $0 == number }
                let begun = waiting.prefix(1)
                #expect(queue.ended(key(number), hasFailed: false, now: 0) == Array(begun), "seed \(seed)")
                waiting.removeFirst(begun.count)
                running += begun
            }
            #expect(queue.runningCount == running.count && queue.waitingCount == waiting.count, "seed \(seed)")
        }
    }
}
