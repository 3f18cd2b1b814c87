import Core

/// Threads for computing, made once.
package final class PooledThreads: WorkThreads {
    package let count: Int
    private let pool: BlockingPool

    /// - Parameter name: of the threads, as the system shows them.
    package init(
        name: String, count: Int, scheduler: any Scheduler, clock: any Clock
    ) throws(LoopError) {
        self.count = max(1, count)
        pool = try BlockingPool(
            name: name, threads: self.count, waiting: self.count, scheduler: scheduler, clock: clock)
    }

    package func run(_ work: @escaping @Sendable () -> Void) { pool.post(work) }
}
