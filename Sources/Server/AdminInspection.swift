import Core
import Engine

/// What the admin port asks of all workers, on their own threads.
package struct AdminInspection: Sendable {
    let context: ServerContext
    let workers: [Worker]
    let readiness: @Sendable () -> Bool
    let reload: @Sendable () async -> ReloadOutcome
    let started: Int64

    /// - Parameters:
    ///   - readiness: whether the sidecar takes requests.
    ///   - reload: reads the settings anew and takes them over.
    package init(
        context: ServerContext, workers: [Worker], readiness: @escaping @Sendable () -> Bool,
        reload: @escaping @Sendable () async -> ReloadOutcome
    ) {
        self.reload = reload
        self.context = context
        self.workers = workers
        self.readiness = readiness
        started = context.clock.monotonic()
    }

    /// What all workers counted by name and key.
    func usage() async -> UsageReport {
        var tallies: [UsageTally] = []
        for worker in workers { if let tally = await worker.usage { tallies.append(tally) } }
        return UsageReport(tallies)
    }

    /// The answer of `/api/stats`.
    func stats() async -> [UInt8] {
        let usage = await usage()
        let uptime = context.clock.monotonic() - started
        return StatsSnapshot(context.registry, uptime: uptime, usage: usage).json()
    }

    /// The requests that are being answered.
    func live() async -> [UInt8] {
        var requests: [LiveRequest] = []
        for worker in workers { requests += await worker.liveRequests }
        return LiveRequest.json(requests, now: context.clock.monotonic())
    }

    /// The busiest keys, and what memory holds under them.
    func keys(top: Int) async -> [UInt8] {
        let usage = await usage()
        let now = context.clock.wall()
        var writer = JSONWriter()
        writer.beginObject()
        writer.name("keys")
        writer.beginArray()
        for row in usage.keys.prefix(top) {
            guard let key = row.key else { continue }
            writer.beginObject()
            writer.member("key", key.hex)
            writer.member("requests", row.requests)
            writer.member("saved", row.saved)
            if let entry = context.engine.heldInMemory(key) {
                writer.member("model", entry.model)
                writer.member("namespace", entry.namespace)
                writer.member("bytes", entry.byteCount)
                writer.member("ttlSeconds", (entry.facts.expiresAt - now) / 1000)
            }
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
        return writer.bytes
    }

    static let defaultTop = 20
    static let mostTop = 1_000
}
