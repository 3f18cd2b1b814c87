import Core
import Foreign
import Matrix
import Semantic
import Synchronization
import TestKit
import Testing

@Suite struct EncodingQueueTests {
    /// Threads that do nothing until a test lets them.
    private final class HeldThreads: WorkThreads {
        let count: Int
        private let works = Mutex<[@Sendable () -> Void]>([])
        init(_ count: Int) { self.count = count }
        var held: Int { works.withLock { $0.count } }
        func run(_ work: @escaping @Sendable () -> Void) { works.withLock { $0.append(work) } }
        func release() {
            for work in works.withLock({ works in
                defer { works = [] }
                return works
            }) { work() }
        }
    }

    private let clock = ManualClock()

    private func queue(
        _ threads: any WorkThreads, _ scheduler: ManualScheduler, limits: EncodingQueue.Limits = .init()
    ) throws -> EncodingQueue {
        try EncodingQueue(
            try Models.tiny(MemoryModel.tiny(seed: 1)), threads: threads, scheduler: scheduler, limits: limits)
    }

    private func until(_ condition: () -> Bool) async { while !condition() { await Task.yield() } }

    @Test func oneThreadRunsAllThatWait() async throws {
        let threads = HeldThreads(1)
        let queue = try queue(threads, ManualScheduler(clock: clock), limits: .init(waiting: 8, batchTokens: 12))
        let texts = ["one", "two", "one two", "twos", "one"]
        let tasks = texts.map { text in Task { try await queue.encode(text, budget: 1_000) } }
        await until { queue.waiting == texts.count }
        #expect(threads.held == 1)
        threads.release()
        let encoder = try Models.tiny(MemoryModel.tiny(seed: 1))
        let pass = try encoder.makePass(tokens: 10)
        for (text, task) in zip(texts, tasks) {
            let tokens = try #require(encoder.tokenize(text))
            let alone = try encoder.encode([(tokens, false)], pass)[0]
            #expect(cosine(try await task.value.vector, alone.vector) > 0.999_99)
        }
        #expect(queue.waiting == 0)
    }

    @Test func aSpentBudgetEndsTheWait() async throws {
        let threads = HeldThreads(1)
        let scheduler = ManualScheduler(clock: clock)
        let queue = try queue(threads, scheduler)
        let task = Task { try await queue.encode("one", budget: 5_000_000) }
        await until { queue.waiting == 1 }
        scheduler.advance(.milliseconds(5))
        await #expect(throws: EncodingRefusal.late) { try await task.value }
        threads.release()
        #expect(queue.waiting == 0)
        #expect(scheduler.count == 0)
    }

    @Test func aFullQueueRefuses() async throws {
        let scheduler = ManualScheduler(clock: clock)
        let queue = try queue(HeldThreads(1), scheduler, limits: .init(waiting: 2))
        let tasks = (0..<2).map { _ in Task { try await queue.encode("one", budget: 1_000) } }
        await until { queue.waiting == 2 }
        await #expect(throws: EncodingRefusal.busy) { try await queue.encode("two", budget: 1_000) }
        scheduler.advance(.seconds(1))
        for task in tasks { await #expect(throws: EncodingRefusal.late) { try await task.value } }
        // Who gave up holds no place.
        let next = Task { try await queue.encode("one", budget: 1_000) }
        await until { queue.waiting == 1 }
        queue.close()
        await #expect(throws: EncodingRefusal.closed) { try await next.value }
        await #expect(throws: EncodingRefusal.closed) { try await queue.encode("one", budget: 1_000) }
    }

    @Test func whatIsTooLongNeverWaits() async throws {
        let queue = try queue(HeldThreads(1), ManualScheduler(clock: clock))
        await #expect(throws: EncodingRefusal.tooLong) {
            try await queue.encode("one one one one one one one one one", budget: 1_000)
        }
    }

    /// Many at once on real threads and the real library: each gets its own text's vector.
    @Test func manyAtOnce() async throws {
        let scheduler = ManualScheduler(clock: clock)
        let encoder = try Models.tiny(MemoryModel.tiny(seed: 3), try Models.kernels(nil))
        let threads = try PooledThreads(name: "encoder", count: 2, scheduler: scheduler, clock: clock)
        let queue = try EncodingQueue(
            encoder, threads: threads, scheduler: scheduler, limits: .init(waiting: 1_000, batchTokens: 32))
        let texts = ["", "one", "two", "ones two", "t e n", "one two three", "two two two two two"]
        let pass = try encoder.makePass(tokens: 10)
        let expected = try texts.map { text in
            try encoder.encode([(try #require(encoder.tokenize(text)), true)], pass)[0]
        }
        try await withThrowingTaskGroup(of: (Int, EncodedText).self) { group in
            for index in 0..<400 {
                group.addTask {
                    let text = texts[index % texts.count]
                    return (
                        index % texts.count,
                        try await queue.encode(text, budget: 1_000_000_000, wantsTokenVectors: index.isMultiple(of: 3))
                    )
                }
            }
            for try await (index, encoded) in group {
                #expect(cosine(encoded.vector, expected[index].vector) > 0.9999)
                #expect(encoded.tokens == expected[index].tokens)
            }
        }
        #expect(queue.waiting == 0)
    }
}
