import Core
import Foreign
import Server
import Synchronization

/// Has a running sidecar take over settings that were read anew, without dropping a request: all of what can be changed,
/// or nothing.
actor Reloader {
    private let load: @Sendable () throws(CommandFailure) -> Settings
    private let workers: [Worker]
    private let log: LineLog
    private let clock: any Clock
    private let accessLogs: AccessLogs
    /// What all workers share goes by new settings through these.
    private let plans: [@Sendable (Settings) -> Void]
    /// Those that the sidecar runs with.
    private(set) var settings: Settings
    private var last: Task<ReloadOutcome, Never>?

    /// - Parameters:
    ///   - load: reads the settings from where those of the start came from.
    ///   - plans: what all workers share is told of new settings by these.
    init(
        _ settings: Settings, workers: [Worker], log: LineLog, clock: any Clock, accessLogs: AccessLogs,
        plans: [@Sendable (Settings) -> Void], load: @escaping @Sendable () throws(CommandFailure) -> Settings
    ) {
        self.settings = settings
        self.workers = workers
        self.log = log
        self.clock = clock
        self.accessLogs = accessLogs
        self.plans = plans
        self.load = load
    }

    /// One after the other, each with what is in the file by then.
    func reload() async -> ReloadOutcome {
        let task = Task { [last] in
            _ = await last?.value
            return await takeOver()
        }
        last = task
        return await task.value
    }

    private func takeOver() async -> ReloadOutcome {
        let plan: SettingsReload
        let accessLog: AccessLog?
        do {
            let wanted = try load()
            guard !wanted.upstreams.isEmpty else { throw CommandFailure.noUpstream }
            plan = SettingsReload(from: settings, to: wanted)
            accessLog = try nextAccessLog(plan.values.log.access)
        } catch {
            return refuse((error as? CommandFailure)?.message ?? "\(error)")
        }
        do {
            for worker in workers { try await worker.prepare(plan.values) }
        } catch {
            for worker in workers { await worker.settle(nil, accessLog: nil) }
            if accessLog !== accessLogs.current { accessLog?.close() }
            return refuse("\(error)")
        }
        for worker in workers { await worker.settle(plan.values, accessLog: accessLog) }
        for tell in plans { tell(plan.values) }
        log.replan(level: plan.values.log.level, format: plan.values.log.format)
        accessLogs.replace(with: accessLog)
        settings = plan.values
        report(plan)
        return .done(changed: plan.changed, needsRestart: plan.needsRestart)
    }

    /// The access log that is open, unless other settings ask for another.
    private func nextAccessLog(_ wanted: Settings.Access) throws(LoopError) -> AccessLog? {
        if wanted == settings.log.access { return accessLogs.current }
        return wanted.path.isEmpty ? nil : try AccessLog(wanted, clock: clock, log: log)
    }

    private func refuse(_ reason: String) -> ReloadOutcome {
        log.write(.error, "reload-refused", LogField("reason", reason))
        return .refused(reason)
    }

    private func report(_ plan: SettingsReload) {
        log.write(.info, "reloaded", LogField("changed", plan.changed.joined(separator: " ")))
        guard !plan.needsRestart.isEmpty else { return }
        log.write(.warning, "reload-needs-restart", LogField("settings", plan.needsRestart.joined(separator: " ")))
    }
}

/// The access log of now, and what those before it lost.
final class AccessLogs: Sendable {
    private struct State {
        var current: AccessLog?
        var droppedBefore = 0
    }

    private let state: Mutex<State>

    init(_ current: AccessLog?) { state = Mutex(State(current: current)) }

    /// nil: none is kept.
    var current: AccessLog? { state.withLock { $0.current } }

    /// Lines that are missing, in all of them.
    var dropped: Int { state.withLock { $0.droppedBefore + ($0.current?.dropped ?? 0) } }

    /// Closes the one before, once what waits is written.
    func replace(with next: AccessLog?) {
        let former = state.withLock { state in
            defer { state.current = next }
            return state.current === next ? nil : state.current
        }
        guard let former else { return }
        former.close()
        state.withLock { $0.droppedBefore += former.dropped }
    }
}
