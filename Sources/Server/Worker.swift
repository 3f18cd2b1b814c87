import Core
import Engine
import Foreign
import Synchronization

/// What all workers share.
package struct ServerContext: Sendable {
    package var settings: Settings
    package var engine: Engine
    package var shield: Shield
    package var upstreamCounts: UpstreamCounts
    /// nil: purges are this sidecar's own.
    package var purgeSync: PurgeSync?
    package var digest: any Digesting
    package var registry: MetricsRegistry
    package var log: any Log
    package var clock: any Clock
    /// nil: none is kept.
    package var accessLog: AccessLog?
    /// nil: none are sent.
    package var spans: SpanExporter?
    /// For the bodies of requests under way.
    let bodyBudget: ByteBudget

    package init(
        settings: Settings, engine: Engine, shield: Shield, upstreamCounts: UpstreamCounts, purgeSync: PurgeSync? = nil,
        digest: any Digesting,
        registry: MetricsRegistry, log: any Log, clock: any Clock, accessLog: AccessLog? = nil,
        spans: SpanExporter? = nil
    ) {
        self.settings = settings
        bodyBudget = ByteBudget(limit: settings.limits.requestMemory)
        self.engine = engine
        self.shield = shield
        self.upstreamCounts = upstreamCounts
        self.purgeSync = purgeSync
        self.digest = digest
        self.registry = registry
        self.log = log
        self.clock = clock
        self.accessLog = accessLog
        self.spans = spans
    }
}

/// One core's share of the work: a loop, the connections the kernel gave it, and its own calls to the upstream.
/// Everything it owns is touched on its loop's thread.
package actor Worker {
    package nonisolated let loop: EventLoop
    nonisolated let context: ServerContext
    private let metrics: MetricsBlock
    private var fleet: UpstreamFleet?
    private var server: HTTPServer?
    private var plane: DataPlane?
    private var adminServer: HTTPServer?
    private var adminPlane: AdminPlane?
    private var ticker: LoopEvent?
    private nonisolated let gauges = Gauges()

    /// What a scrape may read from any thread, brought up to date with every tick.
    private final class Gauges: Sendable {
        let connections = Atomic(0)
        let inflight = Atomic(0)
    }

    package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    package init(context: ServerContext, loop: EventLoop) {
        self.context = context
        self.loop = loop
        metrics = context.registry.makeBlock()
    }

    /// Starts to serve on `port`, which the first worker claims for all of them; the port it got.
    package func open(port: UInt16, isFirst: Bool) throws -> UInt16 {
        let fleet = try UpstreamFleet(context, loop: loop, metrics: metrics, probes: isFirst)
        let ports = Engine.Ports(
            upstream: fleet.upstream, scheduler: LoopScheduler(loop: loop), metrics: metrics, executor: loop)
        let plane = DataPlane(worker: self, context: context, ports: ports)
        var options = HTTPServerOptions(context.settings)
        options.bodyBudget = context.bodyBudget
        options.address = context.settings.listen.host
        options.port = port
        options.reusePort = true
        options.claimsPort = isFirst
        let server = try HTTPServer(loop: loop, options: options, handler: plane)
        self.fleet = fleet
        self.plane = plane
        self.server = server
        return server.boundPort
    }

    /// Serves the admin port beside the data port; the port it got.
    package func openAdmin(_ inspection: AdminInspection) throws -> UInt16 {
        let admin = context.settings.admin
        if admin.token.isEmpty, !AdminPlane.isLoopback(admin.listen.host) {
            context.log.write(
                .warning, "admin-open",
                LogField("message", "whoever reaches \(admin.listen) may read and purge; set admin.token"))
        }
        let plane = AdminPlane(worker: self, context: context, inspection: inspection)
        var options = HTTPServerOptions(context.settings)
        options.bodyBudget = context.bodyBudget
        options.address = context.settings.admin.listen.host
        options.port = context.settings.admin.listen.port
        let server = try HTTPServer(loop: loop, options: options, handler: plane)
        adminPlane = plane
        adminServer = server
        return server.boundPort
    }

    /// Client connections and requests being answered, as of the last tick; from any thread.
    package nonisolated var connectionCount: Int { gauges.connections.load(ordering: .relaxed) }
    package nonisolated var inflightCount: Int { gauges.inflight.load(ordering: .relaxed) }

    /// What this worker counted by name and by key.
    package var usage: UsageTally? { plane?.usage }

    /// The requests it is answering.
    var liveRequests: [LiveRequest] { plane?.liveRequests ?? [] }

    /// The housekeeping of every second. One worker of all `sweeps` expired entries out of memory.
    package func startTicking(sweeps: Bool) {
        let timer = loop.timer { [weak self] in self?.assumeIsolated { $0.tick(sweeps: sweeps) } }
        timer.arm(after: Worker.tickInterval)
        ticker = timer
    }

    private func tick(sweeps: Bool) {
        gauges.connections.store(server?.connectionCount ?? 0, ordering: .relaxed)
        gauges.inflight.store(plane?.pendingCount ?? 0, ordering: .relaxed)
        plane?.forgetPrepared()
        fleet?.tidy()
        adminPlane?.tick()
        if sweeps { context.engine.sweep(budget: Worker.sweepBudget) }
        ticker?.arm(after: Worker.tickInterval)
    }

    private static let tickInterval: Int64 = 1_000_000_000
    private static let sweepBudget = 8_000

    /// Finishes what is in flight.
    package func drain() async {
        await withCheckedContinuation { (done: CheckedContinuation<Void, Never>) in
            guard let server else { return done.resume() }
            server.close { done.resume() }
        }
    }

    /// Cuts what is still open.
    package func close() {
        ticker = nil
        fleet?.close()
        server?.stop()
        adminServer?.stop()
    }

    // MARK: Reloading

    /// Makes ready what other settings ask for; `settle` follows.
    package func prepare(_ settings: Settings) throws { try fleet?.prepare(settings) }

    /// Requests that come from now on go by these settings; nil: all stays as it was. In one turn of the loop, so that no
    /// request sees some of both.
    package func settle(_ settings: Settings?, accessLog: AccessLog?) {
        fleet?.settle(isWanted: settings != nil)
        if let settings { plane?.reload(settings, accessLog: accessLog) }
    }

    // MARK: The asynchronous part of a request

    /// Takes a request that memory could not answer; `id` finds its exchange again.
    func launch(_ call: Engine.Call, id: UInt64, ports: Engine.Ports) -> Task<Void, Never> {
        loop.startNextTaskInPlace()
        return Task(executorPreference: loop) { await self.bring(call, id: id, ports: ports) }
    }

    func launch(
        _ request: UpstreamRequest, _ reason: BypassReason, id: UInt64, ports: Engine.Ports
    ) -> Task<Void, Never> {
        loop.startNextTaskInPlace()
        return Task(executorPreference: loop) { await self.bring(request, reason, id: id, ports: ports) }
    }

    /// Work of the admin port that takes its time; `id` finds its exchange again.
    func launch(adminWork: @escaping @Sendable () async -> AdminPlane.Answer, id: UInt64) {
        Task(executorPreference: loop) { await self.bring(adminWork, id: id) }
    }

    private func bring(_ adminWork: @Sendable () async -> AdminPlane.Answer, id: UInt64) async {
        let answer = await adminWork()
        adminPlane?.deliver(answer, to: id)
    }

    private func bring(_ call: Engine.Call, id: UInt64, ports: Engine.Ports) async {
        var reply = await context.engine.answer(call, via: ports)
        if let other = plane?.fallback(for: reply, to: id) {
            let second = await context.engine.answer(other.call, via: ports)
            // Where neither can answer, the client is told of the one that it asked for.
            if plane?.adopt(other, second, for: id) == true { reply = second }
        }
        plane?.deliver(reply, to: id)
        // Others who wait for the same answer are served together, in one go after them all.
        if reply.upstreamStatus != nil { server?.flush() }
    }

    private func bring(
        _ request: UpstreamRequest, _ reason: BypassReason, id: UInt64, ports: Engine.Ports
    ) async {
        let reply = await context.engine.relay(request, reason: reason, via: ports)
        plane?.deliver(reply, to: id)
        server?.flush()
    }

    func wake(_ id: UInt64) { plane?.wake(id) }
}

extension HTTPServerOptions {
    init(_ settings: Settings) {
        self.init()
        let limits = settings.limits
        connectionLimit = limits.connections
        headLimit = limits.requestHead.bytes
        idleTimeout = limits.idleTimeout.nanoseconds
        headTimeout = limits.headTimeout.nanoseconds
        bodyTimeout = limits.bodyTimeout.nanoseconds
    }
}
