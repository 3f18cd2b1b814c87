import Core
import Engine
import Foreign
import Server
import Synchronization
import Tiers

extension Command {
    static let serve = Command(
        name: "serve",
        summary: "Runs the sidecar: answers repeated requests from the cache and passes the rest to the model server.",
        options: [.config, .set],
        examples: [
            Example(
                line: "refrain serve --set 'upstreams=[{name: deepseek, url: https://api.deepseek.com}]'",
                sentence: "In front of one model server, everything else by default"),
            Example(line: "refrain serve --config refrain.yaml", sentence: "With a settings file"),
            Example(
                line: "REFRAIN_CACHE_TTL=1h refrain serve --config refrain.yaml",
                sentence: "With one setting from the environment over it"),
        ],
        run: { arguments throws(CommandFailure) in
            // Read once: it is not to be touched once there are other threads.
            let environment = SettingsSources.environment()
            let settings = try LoadedSettings.load(arguments, environment: environment).values
            try await Serve(settings) { () throws(CommandFailure) in
                guard arguments.value(of: .config) != InputFile.standardInput else {
                    throw .failed("the settings came from standard input, which cannot be read again; restart instead")
                }
                return try LoadedSettings.load(arguments, environment: environment).values
            }.run()
        })
}

extension CommandFailure {
    static let noUpstream = CommandFailure.failed(
        "no upstream is configured; name the model server in the settings file, or with "
            + "--set 'upstreams=[{url: https://api.example.com}]'")
}

/// Builds the sidecar out of its parts, runs it, and takes it down politely. The only place that makes real objects.
private struct Serve {
    private let context: ServerContext
    private let log: LineLog
    private let accessLogs: AccessLogs
    private let spans: SpanExporter?
    private let workers: [Worker]
    private let lower: LowerTiers
    private let deployment: Deployment
    private let semantic: SemanticParts?
    private let schedule: WarmSchedule?
    private let reloader: Reloader

    /// `load` reads the settings anew.
    init(
        _ settings: Settings, load: @escaping @Sendable () throws(CommandFailure) -> Settings
    ) throws(CommandFailure) {
        guard !settings.upstreams.isEmpty else { throw .noUpstream }
        let clock = SystemClock()
        let loops: [EventLoop]
        let accessLog: AccessLog?
        do {
            log = try LineLog(level: settings.log.level, format: settings.log.format, clock: clock)
            loops = try (0..<settings.workerCount).map { _ in try EventLoop() }
            accessLog =
                settings.log.access.path.isEmpty ? nil : try AccessLog(settings.log.access, clock: clock, log: log)
            spans = try settings.traces.url.map { [log] in
                try SpanExporter(url: $0, version: refrainVersion, clock: clock, log: log)
            }
        } catch {
            throw .failed("\(error)")
        }
        let digest = SystemDigest(secret: Serve.secret(settings))
        lower = try LowerTiers(
            settings, loops: loops, environment: SettingsSources.environment(), digest: digest, clock: clock, log: log)
        let memory = MemoryTier(settings, clock: clock)
        let registry = MetricsRegistry(version: refrainVersion)
        let ports = Engine.Lower(settings, lower, loop: loops[0], log: log)
        semantic =
            settings.semantic.mode == .off
            ? nil
            : try SemanticParts(settings, lower: lower, loop: loops[0], registry: registry, clock: clock, log: log)
        semantic?.meaning.recentPairs.keep(settings.log.bodies)
        let engine = Engine(
            settings: settings, memory: memory, lower: ports, meaning: semantic?.meaning, clock: clock)
        deployment = try Deployment(
            settings, engine: engine, lower: lower, ports: ports, loop: loops[0], clock: clock, log: log)
        let shield = Shield(
            ShieldPlan(settings), clock: clock, scheduler: LoopScheduler(loop: loops[0]), log: log,
            seed: SystemRandom().next())
        let upstreamCounts = UpstreamCounts()
        context = ServerContext(
            settings: settings, engine: engine, shield: shield, upstreamCounts: upstreamCounts,
            purgeSync: deployment.purgeSync, digest: digest, registry: registry,
            log: log, clock: clock, accessLog: accessLog, spans: spans)
        workers = loops.map { [context] in Worker(context: context, loop: $0) }
        Serve.register(memory, engine, workers, log, in: registry)
        schedule =
            settings.warm.source.isEmpty
            ? nil : WarmSchedule(settings, clock: clock, random: SystemRandom(), log: log)
        schedule?.register(in: registry)
        Serve.register(shield, upstreamCounts, in: registry)
        accessLogs = AccessLogs(accessLog)
        registry.read(.accessLogDropped) { [accessLogs] in Double(accessLogs.dropped) }
        reloader = Reloader(
            settings, workers: workers, log: log, clock: clock, accessLogs: accessLogs,
            plans: [
                { shield.replan(ShieldPlan($0)) }, { engine.revalidations.replan($0.limits) },
                { engine.meaning?.recentPairs.keep($0.log.bodies) },
            ], load: load)
        if let spans { registry.read(.spansDropped) { Double(spans.dropped) } }
        lower.register(in: registry)
        deployment.register(in: registry)
        semantic?.register(in: registry)
    }

    func run() async throws(CommandFailure) {
        Signals.ignoreBrokenPipes()
        let isReady = Flag()
        var threads: [SystemThread] = []
        do {
            for (index, worker) in workers.enumerated() {
                threads.append(try worker.loop.startThread(named: "worker-\(index)"))
            }
            lower.open()
            deployment.open()
            semantic?.open(context.engine)
            let (stops, asked) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingOldest(1))
            // Before anybody learns that it serves: one may be sent at once.
            let watches = await watchSignals(on: workers[0].loop, isReady) { asked.yield() }
            let port = try await open(isReady)
            try schedule?.open(
                UpstreamURL(ownServerAt: NetworkAddress(host: context.settings.listen.host, port: port)))
            for await _ in stops { break }
            isReady.value.store(false, ordering: .releasing)
            schedule?.stop()
            await drain()
            await schedule?.close()
            await stop(threads)
            accessLogs.replace(with: nil)
            spans?.close()
            log.write(.info, "stopped")
            log.close()
            // Until here a second signal must find somebody who listens to it.
            withExtendedLifetime(watches) {}
        } catch {
            await stop(threads)
            log.close()
            let isAddress = error is HTTPServerError
            let hint = isAddress ? "; choose another address with the settings listen and admin.listen" : ""
            throw .failed("\(error)\(hint)")
        }
    }

    /// Takes requests; the data port.
    private func open(_ isReady: Flag) async throws -> UInt16 {
        let settings = context.settings
        var port = settings.listen.port
        for (index, worker) in workers.enumerated() { port = try await worker.open(port: port, isFirst: index == 0) }
        let inspection = AdminInspection(
            context: context, workers: workers, readiness: { isReady.value.load(ordering: .acquiring) },
            reload: { [reloader] in await reloader.reload() })
        let adminPort = try await workers[0].openAdmin(inspection)
        for (index, worker) in workers.enumerated() { await worker.startTicking(sweeps: index == 0) }
        var fields = [
            LogField("version", refrainVersion),
            LogField("listen", NetworkAddress(host: settings.listen.host, port: port).description),
            LogField("admin", NetworkAddress(host: settings.admin.listen.host, port: adminPort).description),
            LogField("upstream", settings.upstreams.map { $0.url.description }.joined(separator: " ")),
            LogField("workers", workers.count),
        ]
        if let url = settings.redis.url { fields.append(LogField("redis", url.description)) }
        if let url = settings.objects.url { fields.append(LogField("objects", url.description)) }
        if !settings.log.access.path.isEmpty { fields.append(LogField("accessLog", settings.log.access.path)) }
        isReady.value.store(true, ordering: .releasing)
        log.write(.info, "serving", fields)
        if settings.log.bodies { warnOfBodies(settings.log.access.path) }
        if schedule != nil, let warning = WarmSchedule.warning(settings) {
            log.write(.warning, "warm-useless", LogField("message", warning))
        }
        return port
    }

    private func warnOfBodies(_ path: String) {
        var messages: [String] = []
        if !path.isEmpty {
            messages.append(
                "THE ACCESS LOG HOLDS WHAT PEOPLE ASK: log.bodies is on, so whoever can read \(path) and its predecessors "
                    + "reads the text of every cacheable request")
        }
        if semantic != nil {
            messages.append(
                "THE ADMIN PORT SHOWS WHAT PEOPLE ASK: log.bodies is on, so whoever may ask it reads the latest questions "
                    + "that had a near one")
        }
        if messages.isEmpty { messages = ["log.bodies has no effect without log.access.path or semantic.mode"] }
        for message in messages {
            log.write(.warning, "bodies-logged", LogField("message", message))
        }
    }

    /// Tells of SIGTERM or SIGINT, for as long as the result is held. The second one ends the process.
    private func watchSignals(
        on loop: EventLoop, _ isReady: Flag, _ asked: @escaping @Sendable () -> Void
    ) async -> Watches {
        let watches = Watches()
        await withCheckedContinuation { (begun: CheckedContinuation<Void, Never>) in
            loop.execute {
                watches.begin(on: loop, reload: { reload(isReady) }, asked)
                begun.resume()
            }
        }
        return watches
    }

    /// The files of logs may have been moved away, or the settings be others.
    private func reload(_ isReady: Flag) {
        accessLogs.current?.reopen()
        // Before it serves, the settings have just been read.
        guard isReady.value.load(ordering: .acquiring) else { return }
        Task { await reloader.reload() }
    }

    /// Stops accepting, and gives what is in flight the time that the settings allow.
    private func drain() async {
        context.engine.revalidations.close()
        let limit = await reloader.settings.limits.drainTimeout
        let deadline = context.clock.monotonic() + limit.nanoseconds
        log.write(.info, "draining", LogField("limit", DurationFormat.print(limit)))
        await withTaskGroup(of: Bool.self) { group in
            group.addTask {
                await withTaskGroup(of: Void.self) { drains in
                    for worker in workers { drains.addTask { await worker.drain() } }
                }
                return true
            }
            group.addTask {
                try? await Task.sleep(for: limit)
                return false
            }
            if await group.next() == false { log.write(.warning, "drain time is over: cutting what is left") }
            for worker in workers { await worker.close() }
            group.cancelAll()
        }
        semantic?.close()
        await deployment.leave(limit: max(deadline - context.clock.monotonic(), Serve.leastFlush))
    }

    /// Requests that took all of the drain time must not cost the answers that came before, in nanoseconds.
    private static let leastFlush = 500 * Duration64.nanosecondsPerMillisecond

    private func stop(_ threads: [SystemThread]) async {
        for worker in workers.prefix(threads.count) { await worker.close() }
        await deployment.close()
        await lower.close()
        for worker in workers.prefix(threads.count) { worker.loop.stop() }
        for thread in threads { thread.join() }
    }

    private static func secret(_ settings: Settings) -> [UInt8] {
        // Without lower tiers no key outlives the process, so chance will do; with them, there is a warning.
        settings.cache.secret.isEmpty ? SystemRandom.bytes(32) : Array(settings.cache.secret.revealed.utf8)
    }

    private static func register(
        _ memory: MemoryTier, _ engine: Engine, _ workers: [Worker], _ log: LineLog, in registry: MetricsRegistry
    ) {
        ProcessUsage.register(in: registry, startedAt: SystemClock().wall())
        registry.read(.entries, TierName.memory) { Double(memory.statistics.entries) }
        registry.read(.tierBytes, TierName.memory) { Double(memory.statistics.bytes) }
        registry.read(.tierCapacity, TierName.memory) { Double(memory.capacity) }
        for reason in EvictionReason.allCases {
            registry.read(.evictions, reason) { Double(memory.statistics.evictions(reason)) }
        }
        registry.read(.workers) { Double(workers.count) }
        registry.read(.flights) { Double(engine.flights.count) }
        registry.read(.revalidationsRunning) { Double(engine.revalidations.running) }
        registry.read(.revalidationQueueDepth) { Double(engine.revalidations.waiting) }
        registry.read(.httpConnections) { Double(workers.reduce(0) { $0 + $1.connectionCount }) }
        registry.read(.inflightRequests) { Double(workers.reduce(0) { $0 + $1.inflightCount }) }
        registry.read(.logDropped) { Double(log.dropped) }
    }
}

extension Serve {
    private static func register(_ shield: Shield, _ counts: UpstreamCounts, in registry: MetricsRegistry) {
        registry.readNamed(.upstreamRequests) { counts.samples }
        func read(_ metric: MetricName, _ value: @escaping @Sendable (ShieldReport.Upstream) -> Double?) {
            registry.readNamed(metric) {
                shield.report.upstreams.compactMap { row in value(row).map { ([row.name], $0) } }
            }
        }
        read(.breakerState) { Double($0.breaker.rawValue) }
        read(.upstreamInflight) { Double($0.inFlight) }
        read(.upstreamLimit) { Double($0.limit) }
        read(.upstreamLatency) { $0.latency95.map { Double($0) / 1e9 } }
        read(.upstreamRate) { $0.requestsPerSecond }
        read(.upstreamHealthy) { $0.isHealthy && !$0.isEjected ? 1 : 0 }
        for priority in Priority.allCases {
            registry.read(.queueDepth, priority) { Double(shield.report.waiting[priority.rawValue]) }
            for (index, reason) in ShedReason.allCases.enumerated() {
                registry.read(.shed, reason, priority) { Double(shield.report.sheds[priority.rawValue][index]) }
            }
        }
        registry.read(.retries) { Double(shield.report.retries) }
        registry.read(.hedges) { Double(shield.report.hedges) }
    }
}

private final class Flag: Sendable {
    let value = Atomic(false)
}

/// The signals that somebody sends. Sendable because it is used on its loop's thread alone.
private final class Watches: @unchecked Sendable {
    private var events: [LoopEvent] = []

    /// Calls `asked` at the first signal that asks for a stop; a second one ends the process at once. `reload` is called
    /// whenever logs and settings are to be opened anew.
    func begin(on loop: EventLoop, reload: @escaping () -> Void, _ asked: @escaping () -> Void) {
        var wasAsked = false
        events = Signals.stopping.map { signal in
            loop.watchSignal(signal) {
                if wasAsked { Console.exit(1) }
                wasAsked = true
                asked()
            }
        }
        events.append(loop.watchSignal(Signals.reloading, handler: reload))
    }
}

extension Settings {
    fileprivate var workerCount: Int { limits.workers > 0 ? limits.workers : ProcessUsage.availableCores }
}

extension MemoryTier {
    fileprivate convenience init(_ settings: Settings, clock: any Clock) {
        // An answer fits if it takes a quarter of a shard at most, so many cores must not make shards too small.
        let roomy = max(1, settings.answerCapacity / (16 << 20))
        let shards = settings.memory.shards > 0 ? settings.memory.shards : min(settings.workerCount * 4, roomy)
        self.init(
            capacity: settings.answerCapacity, eviction: settings.memory.eviction, shards: shards,
            retainStale: settings.cache.staleRetention.milliseconds, clock: clock)
    }
}
