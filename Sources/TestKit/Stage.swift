import Core
import Synchronization

/// Runs the tasks of a test one piece at a time on the test's own thread, so that a test decides when they go on and a
/// task that never ends is found out rather than waited for.
package final class Stage: TaskExecutor {
    private struct State {
        var jobs: [UnownedJob] = []
        var random: SeededRandom?
    }

    private let state: Mutex<State>

    /// With a seed, pieces that are ready run in an order drawn from it; without one, first come first served.
    package init(seed: UInt64? = nil) { state = Mutex(State(random: seed.map { SeededRandom(seed: $0) })) }

    /// Starts a task; it runs during `run()`.
    @discardableResult
    package func spawn(_ work: @escaping @Sendable () async -> Void) -> Task<Void, Never> {
        Task(executorPreference: self) { await work() }
    }

    /// Pieces that can go on.
    package var count: Int { state.withLock { $0.jobs.count } }

    /// Runs everything that can go on, until nothing can.
    package func run() {
        while let job = take() { job.runSynchronously(on: asUnownedTaskExecutor()) }
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        state.withLock { $0.jobs.append(job) }
    }

    private func take() -> UnownedJob? {
        state.withLock { state in
            guard !state.jobs.isEmpty else { return nil }
            guard var random = state.random else { return state.jobs.removeFirst() }
            defer { state.random = random }
            return state.jobs.remove(at: Int.random(in: 0..<state.jobs.count, using: &random))
        }
    }
}
