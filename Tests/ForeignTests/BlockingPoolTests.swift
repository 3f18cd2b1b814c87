import Core
import Foundation
import TestKit
import Testing

@testable import Foreign

struct BlockingPoolTests {
    /// A pool of one thread that hangs until `release`.
    private final class Hung: Sendable {
        let clock = ManualClock()
        let scheduler: ManualScheduler
        let pool: BlockingPool
        private let gate = DispatchSemaphore(value: 0)

        init(waiting: Int) async throws {
            scheduler = ManualScheduler(clock: clock)
            pool = try BlockingPool(
                name: "test", threads: 1, waiting: waiting, scheduler: scheduler, clock: clock)
            let started = AsyncStream<Void>.makeStream()
            pool.post { [gate] in
                started.continuation.finish()
                gate.wait()
            }
            for await _ in started.stream {}
        }

        func release() { gate.signal() }

        func call(_ result: Int = 1, timeout: Int64 = 1_000) async -> Result<Int, ObjectFailure> {
            do throws(ObjectFailure) {
                let deadline = clock.monotonic() + timeout
                return .success(try await pool.run(deadline: deadline) { () throws(ObjectFailure) in result })
            } catch {
                return .failure(error)
            }
        }
    }

    private func kind(_ result: Result<Int, ObjectFailure>) -> ObjectFailure.Kind? {
        if case .failure(let failure) = result { failure.kind } else { nil }
    }

    /// Waits until so many calls wait.
    private func settled(_ hung: Hung, _ count: Int) async {
        while hung.pool.waiting < count { await Task.yield() }
    }

    @Test func aCallGoesOnAtItsDeadline() async throws {
        let hung = try await Hung(waiting: 9)
        let call = Task { await hung.call() }
        await settled(hung, 1)
        hung.scheduler.advance(.nanoseconds(1_000))
        #expect(kind(await call.value) == .deadline)
        hung.release()
        #expect(await hung.call(7) == .success(7))
        #expect(hung.scheduler.count == 0)
    }

    @Test func aLateCallIsNotBegun() async throws {
        let hung = try await Hung(waiting: 9)
        let begun = AsyncStream<Int>.makeStream()
        let call = Task { () -> ObjectFailure.Kind? in
            do throws(ObjectFailure) {
                try await hung.pool.run(deadline: hung.clock.monotonic() + 1_000) { () throws(ObjectFailure) in
                    _ = begun.continuation.yield(1)
                }
                return nil
            } catch {
                return error.kind
            }
        }
        await settled(hung, 1)
        hung.scheduler.advance(.nanoseconds(1_000))
        #expect(await call.value == .deadline)
        hung.release()
        // Behind it in the same queue, so it would have been begun by now.
        #expect(await hung.call() == .success(1))
        begun.continuation.finish()
        #expect(await begun.stream.reduce(0, +) == 0)
    }

    @Test func theQueueIsBounded() async throws {
        let hung = try await Hung(waiting: 2)
        let waiting = (0..<2).map { number in Task { await hung.call(number) } }
        await settled(hung, 2)
        #expect(kind(await hung.call()) == .busy)
        hung.release()
        for (number, call) in waiting.enumerated() { #expect(await call.value == .success(number)) }
    }

    @Test func closingFailsWhatWaitsAndWhatComes() async throws {
        let hung = try await Hung(waiting: 9)
        let call = Task { await hung.call() }
        await settled(hung, 1)
        hung.pool.close()
        #expect(kind(await call.value) == .shutdown)
        #expect(kind(await hung.call()) == .shutdown)
        hung.release()
    }
}
