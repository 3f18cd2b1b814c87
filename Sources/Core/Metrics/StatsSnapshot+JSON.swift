extension StatsSnapshot {
    /// One JSON object with the names of the fields, UTF-8.
    package func json() -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("version", version)
        writer.member("uptimeSeconds", uptimeSeconds)
        writer.array("requests", requests) { writer, row in
            writer.member("endpoint", row.endpoint)
            writer.member("outcome", row.outcome)
            writer.member("count", row.count)
        }
        writer.member("hitRate", hitRate)
        writer.member("coalesced", coalesced)
        writer.array("latency", latency) { $0.members(of: $1) }
        writer.array("tiers", tiers) { $0.members(of: $1) }
        for (name, counts) in [
            ("evictions", evictions), ("responses", responses), ("bypass", bypass), ("notStored", notStored),
            ("upstream", upstream), ("queue", queue), ("shed", shed), ("furtherCalls", furtherCalls),
        ] {
            writer.array(name, counts) { $0.members(of: $1) }
        }
        writer.array("upstreams", upstreams) { $0.write($1) }
        if let upstreamLatency {
            writer.name("upstreamLatency")
            writer.beginObject()
            writer.members(of: upstreamLatency)
            writer.endObject()
        }
        if let semantic { writer.write(semantic) }
        writer.write(savedTokens)
        writer.member("savedCostUSD", savedCostUSD)
        writer.member("savedSeconds", savedSeconds)
        for (name, rows) in [("models", models), ("tenants", tenants), ("namespaces", namespaces)] {
            writer.array(name, rows) { writer, row in
                writer.member("name", row.name)
                if row.isRest == true { writer.member("isRest", true) }
                writer.member("requests", row.requests)
                writer.member("hits", row.hits)
                writer.member("coalesced", row.coalesced)
                writer.member("misses", row.misses)
                writer.write(row.savedTokens)
                writer.member("savedCostUSD", row.savedCostUSD)
            }
        }
        if let warming { writer.write(warming) }
        writer.member("inflightRequests", inflightRequests)
        writer.member("connections", connections)
        writer.member("flights", flights)
        writer.endObject()
        return writer.bytes
    }
}

extension JSONWriter {
    fileprivate mutating func array<Row>(_ name: String, _ rows: [Row], _ members: (inout JSONWriter, Row) -> Void) {
        self.name(name)
        beginArray()
        for row in rows {
            beginObject()
            members(&self, row)
            endObject()
        }
        endArray()
    }

    fileprivate mutating func members(of tier: StatsSnapshot.TierStats) {
        member("tier", tier.tier)
        member("lookups", tier.lookups)
        member("hits", tier.hits)
        member("stale", tier.stale)
        member("misses", tier.misses)
        member("hitShare", tier.hitShare)
        if let entries = tier.entries { member("entries", entries) }
        if let bytes = tier.bytes { member("bytes", bytes) }
        if let capacity = tier.capacity { member("capacity", capacity) }
        if let lower = tier.lower { write(lower) }
    }

    fileprivate mutating func write(_ tokens: StatsSnapshot.SavedTokens) {
        name("savedTokens")
        beginObject()
        member("prompt", tokens.prompt)
        member("completion", tokens.completion)
        endObject()
    }

    fileprivate mutating func write(_ lower: StatsSnapshot.LowerTierStats) {
        name("lower")
        beginObject()
        member("p50", lower.p50)
        member("p99", lower.p99)
        member("stored", lower.stored)
        member("refused", lower.refused)
        member("failed", lower.failed)
        member("failures", lower.failures)
        member("breaker", lower.breaker)
        member("queued", lower.queued)
        member("queuedBytes", lower.queuedBytes)
        member("dropped", lower.dropped)
        endObject()
    }

    fileprivate mutating func write(_ semantic: StatsSnapshot.SemanticStats) {
        name("semantic")
        beginObject()
        for (name, counts) in [("lookups", semantic.lookups), ("rejections", semantic.rejections)] {
            array(name, counts) { $0.members(of: $1) }
        }
        array("observed", semantic.observed) { writer, row in
            writer.member("witness", row.witness)
            writer.member("right", row.right)
            writer.member("wrong", row.wrong)
            writer.member("error", row.error)
            writer.member("errorLow", row.errorLow)
            writer.member("errorHigh", row.errorHigh)
        }
        if let errors = semantic.errors {
            self.name("errors")
            beginObject()
            for (name, estimate) in [("perHit", errors.perHit), ("perRequest", errors.perRequest)] {
                self.name(name)
                beginObject()
                member("error", estimate.error)
                member("errorLow", estimate.errorLow)
                member("errorHigh", estimate.errorHigh)
                endObject()
            }
            endObject()
        }
        for (name, latency) in [("search", semantic.search), ("encoding", semantic.encoding)] {
            guard let latency else { continue }
            self.name(name)
            beginObject()
            members(of: latency)
            endObject()
        }
        member("questions", semantic.questions)
        member("aliases", semantic.aliases)
        member("bytes", semantic.bytes)
        member("capacity", semantic.capacity)
        endObject()
    }

    fileprivate mutating func write(_ warming: StatsSnapshot.Warming) {
        name("warming")
        beginObject()
        member("runs", warming.runs)
        member("lastRun", warming.lastRun)
        member("hits", warming.hits)
        member("asked", warming.asked)
        member("refreshed", warming.refreshed)
        member("failed", warming.failed)
        endObject()
    }

    fileprivate mutating func members(of row: StatsSnapshot.Count) {
        member("name", row.name)
        member("count", row.count)
    }

    fileprivate mutating func members(of row: StatsSnapshot.Latency) {
        member("outcome", row.outcome)
        member("count", row.count)
        member("mean", row.mean)
        member("p50", row.p50)
        member("p90", row.p90)
        member("p99", row.p99)
    }
}
