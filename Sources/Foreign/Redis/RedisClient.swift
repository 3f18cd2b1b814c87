import Core
import Synchronization

/// One worker's way to a Redis or to all servers of a Redis Cluster: a pipelined connection to each.
///
/// In a cluster a command goes to the server that holds its key's slot. The map of slots is asked for when a first
/// server answers, when one redirects, is lost or says that the cluster is down, and now and then; while there is none,
/// the first server that can be reached gets everything, and redirects.
///
/// Sendable because everything but `isClosed`, which is a lock's, is either immutable or touched on the loop's thread
/// alone, which `open`, `close` and `begin` check.
package final class RedisClient: @unchecked Sendable {
    package let loop: EventLoop
    private let options: RedisOptions
    private let clock: any Clock
    private let random: any RandomSource
    private let log: any Log
    private let tls: RedisTLS?
    /// Held while a call is handed to the loop, so that none comes behind `close` and is never ended.
    private let isClosed = Mutex(false)

    /// nil before `open` and after `close`.
    private var environment: RedisEnvironment?
    private var connections: [RedisEndpoint: RedisConnection] = [:]
    /// nil while the server is, or is taken for, a single one.
    private var slots: SlotMap?
    private var refresh: LoopEvent?
    private var refreshedAt = Int64.min
    private var refreshDue: Int64?
    private var isRefreshing = false
    /// Whether there are slots to ask for.
    private var mayBeCluster: Bool
    private var isRefusalReported = false

    /// Servers that a client keeps connections to; more than any cluster has masters.
    private static let mostConnections = 2048

    package init(
        loop: EventLoop, options: RedisOptions, clock: any Clock, random: any RandomSource, log: any Log
    ) throws(RedisSetupFailure) {
        try options.validate()
        self.loop = loop
        self.options = options
        self.clock = clock
        self.random = random
        self.log = log
        tls = options.url.isTLS ? try RedisTLS(options.tls) : nil
        mayBeCluster = options.mode != .single
    }

    /// Begins to connect. On the loop's thread.
    package func open() {
        loop.checkIsolated()
        guard environment == nil, !isClosed.withLock({ $0 }) else { return }
        environment = RedisEnvironment(
            loop: loop, options: options, clock: clock, random: random, log: log, tls: tls)
        refresh = loop.timer { [unowned self] in refreshSlots() }
        for endpoint in options.url.endpoints { connection(to: endpoint)?.open() }
    }

    /// Ends every command and all connections. On the loop's thread, and before it stops.
    package func close() {
        loop.checkIsolated()
        isClosed.withLock { $0 = true }
        refresh = nil
        let all = connections.values
        connections = [:]
        for connection in all { connection.close() }
        environment = nil
    }

    /// The server's answer, an error among them as a failure. From any thread; `deadline` in monotonic nanoseconds.
    ///
    /// Not ended by the task's cancellation: it is over by the deadline anyway.
    package func perform(_ command: RedisCommand, deadline: Int64) async throws(KeyValueFailure) -> RedisReply {
        let result: Result<RedisReply, KeyValueFailure> = await withCheckedContinuation { waiter in
            if loop.isCurrent {
                begin(RedisCall(command, deadline: deadline) { waiter.resume(returning: $0) })
                return
            }
            let isTaken = isClosed.withLock { isClosed in
                if !isClosed {
                    loop.execute { [self] in
                        begin(RedisCall(command, deadline: deadline) { waiter.resume(returning: $0) })
                    }
                }
                return !isClosed
            }
            if !isTaken { waiter.resume(returning: .failure(.notConnected)) }
        }
        return try result.get()
    }

    /// Servers that take commands now. On the loop's thread.
    package var readyServers: [RedisEndpoint] {
        loop.checkIsolated()
        return connections.values.filter(\.isReady).map(\.endpoint)
    }

    /// The masters of the cluster; nil while the server is taken for a single one. On the loop's thread.
    package var masters: [RedisEndpoint]? {
        loop.checkIsolated()
        return slots?.masters
    }

    // MARK: Routing

    func begin(_ call: RedisCall) {
        loop.checkIsolated()
        send(call, to: target(of: call.command), isAsking: false)
    }

    private func target(of command: RedisCommand) -> RedisEndpoint? {
        if let slots, let key = command.key { return slots.master(of: HashSlot.of(key)) }
        let candidates = slots?.masters ?? options.url.endpoints
        return candidates.first { connections[$0]?.isReady == true } ?? candidates.first
    }

    private func send(_ call: RedisCall, to endpoint: RedisEndpoint?, isAsking: Bool) {
        guard let endpoint, let connection = connection(to: endpoint) else {
            requestRefresh()
            return call.end(.failure(.notConnected))
        }
        connection.send(call.command, isAsking: isAsking, deadline: call.deadline) { [weak self] result in
            guard let self else { return call.end(result) }
            switch result {
            case .success(.error(let message)): refused(call, message, by: endpoint)
            case .success: call.end(result)
            case .failure(let failure): call.end(.failure(isPartial(failure) ? .shardLost : failure))
            }
        }
    }

    /// Whether a failure is one server's while others of the cluster are well: no reason to keep away from all of them.
    private func isPartial(_ failure: KeyValueFailure) -> Bool {
        guard slots != nil, [.notConnected, .disconnected, .stalled].contains(failure) else { return false }
        let now = clock.monotonic()
        return connections.values.contains { $0.isHealthy(now: now) }
    }

    private func refused(_ call: RedisCall, _ message: String, by endpoint: RedisEndpoint) {
        guard mayBeCluster, let redirection = Redirection(message, from: endpoint) else {
            // The slots may have changed hands: they are nobody's, or this server is a replica by now.
            if ["CLUSTERDOWN", "READONLY", "MASTERDOWN"].contains(where: message.hasPrefix) { requestRefresh() }
            return call.end(.failure(.server(message)))
        }
        if redirection.kind == .moved {
            slots?.move(redirection.slot, to: redirection.endpoint)
            requestRefresh()
        }
        guard call.redirections < options.redirections else { return call.end(.failure(.redirected)) }
        call.countRedirection()
        send(call, to: redirection.endpoint, isAsking: redirection.kind == .ask)
    }

    private func connection(to endpoint: RedisEndpoint) -> RedisConnection? {
        if let known = connections[endpoint] { return known }
        guard let environment, connections.count < RedisClient.mostConnections else { return nil }
        let connection = RedisConnection(to: endpoint, environment: environment) { [unowned self] in changed($0, $1) }
        connections[endpoint] = connection
        return connection
    }

    private func changed(_ connection: RedisConnection, _ isReady: Bool) {
        // Lost: whether its slots are another's now. Ready: whether it is a cluster at all.
        if !isReady && slots != nil || isReady && slots == nil { requestRefresh() }
    }

    // MARK: The map of slots

    private func requestRefresh() {
        let now = clock.monotonic()
        let floor = refreshedAt == .min ? now : refreshedAt + options.slotRefreshFloor
        scheduleRefresh(at: max(now, floor), now: now)
    }

    private func scheduleRefresh(at due: Int64, now: Int64) {
        guard mayBeCluster, !isRefreshing, due < refreshDue ?? .max else { return }
        refreshDue = due
        refresh?.arm(after: due - now)
    }

    private func refreshSlots() {
        refreshDue = nil
        let now = clock.monotonic()
        refreshedAt = now
        let ready = connections.values.filter(\.isReady)
        guard !ready.isEmpty else {
            // One of them asks for a refresh as soon as it is ready.
            for endpoint in options.url.endpoints { connection(to: endpoint)?.open() }
            return scheduleRefresh(at: now + options.slotRefresh, now: now)
        }
        isRefreshing = true
        // Any server knows; another one each time, in case this one is cut off from the rest.
        let chosen = ready[Int(random.next() % UInt64(ready.count))]
        chosen.send(
            RedisCommand("CLUSTER", "SLOTS"), isAsking: false, deadline: now + options.connectTimeout
        ) { [weak self] result in self?.refreshed(result, by: chosen.endpoint) }
    }

    private func refreshed(_ result: Result<RedisReply, KeyValueFailure>, by endpoint: RedisEndpoint) {
        isRefreshing = false
        let now = clock.monotonic()
        switch result {
        case .success(.error(let message)):
            // A single server says so and stays one; NOPERM and LOADING say nothing.
            if options.mode == .auto, message.hasPrefix("ERR ") { mayBeCluster = false }
            if mayBeCluster { report("it tells no slots: \(message)", endpoint) }
        case .success(let reply):
            guard let slots = SlotMap(reply, from: endpoint) else {
                report("its slots cannot be read", endpoint)
                break
            }
            isRefusalReported = false
            // A server that just left the others knows no slots: what was known is better.
            if slots.coverage > 0 { adopt(slots) }
        case .failure:
            scheduleRefresh(at: now + options.slotRefreshFloor, now: now)
        }
        let isWhole = slots?.masters.allSatisfy { connections[$0]?.isReady ?? true } ?? true
        scheduleRefresh(at: now + (isWhole ? options.slotRefresh : options.slotRefreshFloor * 2), now: now)
    }

    private func adopt(_ slots: SlotMap) {
        self.slots = slots
        let wanted = Set(slots.masters)
        for endpoint in wanted { connection(to: endpoint)?.open() }
        for (endpoint, connection) in connections where !wanted.contains(endpoint) && connection.isQuiet {
            connections[endpoint] = nil
            connection.close()
        }
    }

    private func report(_ reason: String, _ endpoint: RedisEndpoint) {
        guard !isRefusalReported else { return }
        isRefusalReported = true
        log.write(.warning, "redis-slots", LogField("server", endpoint.description), LogField("reason", reason))
    }
}
