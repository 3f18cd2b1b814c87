import Core
import Engine
import Foreign

/// A worker's own connections to the upstreams, behind the shield that all workers share. On the worker's thread.
final class UpstreamFleet {
    private struct Member {
        var settings: Settings.Upstream
        var connections: Int
        var upstream: CurlUpstream
    }

    /// What is made for other settings.
    private struct Next {
        var settings: Settings
        var members: [Member]
    }

    private struct Leaving {
        var upstream: CurlUpstream
        /// Found without a call the last time.
        var isIdle = false
    }

    /// For the engine: the shield's choice of them.
    let upstream: ShieldedUpstream
    private let context: ServerContext
    private let loop: EventLoop
    private let metrics: MetricsBlock
    private var members: [Member] = []
    private var next: Next?
    /// Those whose last calls are still under way.
    private var leaving: [Leaving] = []
    /// nil where another worker probes.
    private let probes: HealthProbes?
    private var probers: [CurlUpstream] = []

    /// - Parameter probes: whether this worker asks upstreams for their health.
    init(_ context: ServerContext, loop: EventLoop, metrics: MetricsBlock, probes: Bool) throws {
        self.context = context
        self.loop = loop
        self.metrics = metrics
        let scheduler = LoopScheduler(loop: loop)
        upstream = ShieldedUpstream(context.shield, [], scheduler: scheduler) { [loop] in loop.execute($0) }
        self.probes = probes ? HealthProbes(context.shield, scheduler: scheduler) : nil
        try prepare(context.settings)
        settle(isWanted: true)
    }

    /// Makes ready what other settings ask for; nothing changes yet.
    func prepare(_ settings: Settings) throws {
        let connections = settings.limits.upstreamConnections
        var made: [Member] = []
        do {
            for wanted in settings.upstreams {
                // Connections are worth keeping.
                if let member = members.first(where: { $0.settings == wanted && $0.connections == connections }) {
                    made.append(member)
                } else {
                    made.append(
                        Member(settings: wanted, connections: connections, upstream: try make(wanted, connections)))
                }
            }
        } catch {
            discard(made)
            throw error
        }
        next = Next(settings: settings, members: made)
    }

    /// From now on calls go by what was made ready; those under way end as they began. `isWanted` false: it is let go of.
    func settle(isWanted: Bool) {
        guard let next = next.take() else { return }
        guard isWanted else { return discard(next.members) }
        let left = members.map(\.upstream).filter { old in !next.members.contains { $0.upstream === old } }
        leaving += left.map { Leaving(upstream: $0) }
        members = next.members
        let credentialHeaders = next.settings.cache.credentialHeaders
        upstream.adopt(
            members.map { member in
                ShieldedUpstream.Target(
                    UpstreamProfile(member.settings, credentialHeaders: credentialHeaders), member.upstream)
            })
        watch(next.settings)
    }

    /// Lets go of what no call needs any more; every second. Not at once: the shield is told of a reload after its workers,
    /// and may put a call to what is gone until then.
    func tidy() {
        leaving.removeAll { gone in
            guard gone.isIdle, gone.upstream.activeCount == 0 else { return false }
            gone.upstream.close()
            return true
        }
        for index in leaving.indices { leaving[index].isIdle = leaving[index].upstream.activeCount == 0 }
    }

    /// Ends every call.
    func close() {
        settle(isWanted: false)
        probes?.watch([])
        for upstream in probers + leaving.map(\.upstream) + members.map(\.upstream) { upstream.close() }
        (probers, leaving) = ([], [])
    }

    private func discard(_ made: [Member]) {
        for member in made where !members.contains(where: { $0.upstream === member.upstream }) {
            member.upstream.close()
        }
    }

    private func make(_ upstream: Settings.Upstream, _ connections: Int) throws -> CurlUpstream {
        var options = UpstreamOptions(upstream)
        options.maxConnections = connections
        let counters = context.upstreamCounts.counters(of: upstream.name)
        return try CurlUpstream(loop: loop, options: options, clock: context.clock) { [metrics] observation in
            counters.count(UpstreamResult(status: observation.status ?? 0, end: observation.end))
            metrics.countUpstream(duration: observation.total)
        }
    }

    // MARK: Health

    private func watch(_ settings: Settings) {
        guard let probes else { return }
        var subjects: [HealthProbes.Subject] = []
        leaving += probers.map { Leaving(upstream: $0) }
        probers = []
        for wanted in settings.upstreams where !wanted.healthPath.isEmpty {
            guard let prober = prober(wanted) else { continue }
            probers.append(prober)
            let profile = UpstreamProfile(wanted, credentialHeaders: settings.cache.credentialHeaders)
            subjects.append(
                HealthProbes.Subject(
                    ShieldedUpstream.Target(profile, prober), path: wanted.healthPath,
                    interval: wanted.healthInterval.nanoseconds))
        }
        probes.watch(subjects)
    }

    /// Its calls are counted nowhere, and `healthPath` is a path of the host whatever the upstream's URL says.
    private func prober(_ upstream: Settings.Upstream) -> CurlUpstream? {
        var options = UpstreamOptions(upstream)
        options.base = UpstreamBase(verbatim: options.base.origin)
        options.maxConnections = 1
        do throws(LoopError) {
            return try CurlUpstream(loop: loop, options: options, clock: context.clock)
        } catch {
            context.log.write(
                .error, "no-probes", LogField("target", upstream.name), LogField("reason", error.description))
            return nil
        }
    }
}

extension UpstreamOptions {
    init(_ upstream: Settings.Upstream) {
        self.init(base: UpstreamBase(upstream.url))
        connectTimeout = upstream.connectTimeout
        firstByteTimeout = upstream.firstByteTimeout
        idleTimeout = upstream.idleTimeout
        totalTimeout = upstream.totalTimeout
        caFile = upstream.caFile.isEmpty ? nil : upstream.caFile
        verifiesTLS = upstream.verifyTLS
        http2 = upstream.http2
        maxHeadBytes = HTTPServerOptions.answerHeadLimit
    }
}
