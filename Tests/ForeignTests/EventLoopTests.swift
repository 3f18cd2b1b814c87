import Foreign
import Synchronization
import Testing

private actor Resident {
    nonisolated let loop: EventLoop
    private var visits = 0
    init(_ loop: EventLoop) { self.loop = loop }
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
    func visit() -> (visits: Int, isOnLoop: Bool) {
        visits += 1
        return (visits, loop.isCurrent)
    }
}

@Suite struct EventLoopTests {
    @Test func runsWorkInOrderFromOtherThreads() async throws {
        let loop = try EventLoop()
        let thread = try loop.startThread(named: "test")
        let seen = await withCheckedContinuation { (done: CheckedContinuation<[Int], Never>) in
            let seen = Mutex<[Int]>([])
            let shared = SharedBox(seen)
            for number in 0..<5000 { loop.execute { shared.value.withLock { $0.append(number) } } }
            loop.execute { done.resume(returning: shared.value.withLock { $0 }) }
        }
        #expect(seen == Array(0..<5000))
        loop.stop()
        thread.join()
    }

    @Test func actorsRunOnTheLoop() async throws {
        let loop = try EventLoop()
        let thread = try loop.startThread(named: "test")
        let resident = Resident(loop)
        for expected in 1...100 {
            let (visits, isOnLoop) = await resident.visit()
            #expect(visits == expected)
            #expect(isOnLoop)
        }
        loop.stop()
        thread.join()
    }

    @Test func timersFireInOrder() async throws {
        let loop = try EventLoop()
        let thread = try loop.startThread(named: "test")
        let order = await withCheckedContinuation { (done: CheckedContinuation<[Int], Never>) in
            loop.execute {
                final class Keep { var timers: [LoopEvent] = []; var order: [Int] = [] }
                let keep = Keep()
                for delay in [30, 10, 20] {
                    let timer = loop.timer {
                        keep.order.append(delay)
                        if keep.order.count == 3 {
                            done.resume(returning: keep.order)
                            keep.timers = []
                        }
                    }
                    timer.arm(after: Int64(delay) * 1_000_000)
                    keep.timers.append(timer)
                }
            }
        }
        #expect(order == [10, 20, 30])
        loop.stop()
        thread.join()
    }
}

private final class SharedBox<Value: ~Copyable & Sendable>: Sendable {
    let value: Value
    init(_ value: consuming Value) { self.value = value }
}
