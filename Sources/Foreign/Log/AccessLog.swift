import Core

/// One JSON object for each answered request, in a file that rotates.
package final class AccessLog: Sendable {
    private let file: RotatingFile
    private let writer: LineWriter

    /// - Parameter log: is told when the file cannot be written any more.
    package init(_ settings: Settings.Access, clock: any Clock, log: any Log) throws(LoopError) {
        do throws(RotatingFile.Failure) {
            file = try RotatingFile(path: settings.path, maxSize: settings.maxSize, keep: settings.keep, clock: clock) {
                log.write(.error, "access-log-failed", LogField("reason", $0.description))
            }
        } catch {
            throw LoopError("log.access.path: \(error)")
        }
        writer = try LineWriter(named: "access-log") { [file] in file.put($0) }
    }

    /// Lines that are missing.
    package var dropped: Int { writer.dropped }

    package func write(_ record: AccessRecord) {
        let names = (record.model?.utf8.count ?? 0) + (record.namespace?.utf8.count ?? 0)
        writer.write(weight: (record.body?.count ?? 0) + names) {
            AccessLog.line(record)
        }
    }

    /// Opens the file anew, after what waits was written to the old one.
    package func reopen() { writer.execute { [file] in file.reopen() } }

    package func close() { writer.close() }

    /// One line, its end included.
    static func line(_ record: AccessRecord) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("time", Timestamp.text(milliseconds: record.time))
        writer.member("id", Hex.text(record.id))
        if let trace = record.trace {
            writer.member("trace", trace.traceID)
            if trace.parent != 0 { writer.member("parent", Hex.text(trace.parent)) }
        }
        if let dialect = record.dialect { writer.member("dialect", dialect.word) }
        if let model = record.model { writer.member("model", model) }
        if let fallback = record.fallback { writer.member("fallback", fallback) }
        if let isStream = record.isStream { writer.member("stream", isStream) }
        writer.member("outcome", record.outcome.word)
        if let tier = record.outcome.tier { writer.member("tier", tier.rawValue) }
        if case .bypass(let reason) = record.outcome { writer.member("reason", reason.word) }
        writer.member("status", record.status)
        if let key = record.key { writer.member("key", key.hex) }
        if let tenant = record.tenant { writer.member("tenant", PurgeGroup.hex(of: tenant)) }
        if let namespace = record.namespace { writer.member("namespace", namespace) }
        writer.member("durationMs", milliseconds(record.duration))
        if let upstream = record.upstream { writer.member("upstream", upstream) }
        if let upstream = record.upstreamDuration { writer.member("upstreamMs", milliseconds(upstream)) }
        if record.promptTokens >= 0 { writer.member("promptTokens", record.promptTokens) }
        if record.completionTokens >= 0 { writer.member("completionTokens", record.completionTokens) }
        if record.savedPicodollars > 0 { writer.member("savedUSD", Double(record.savedPicodollars) / 1e12) }
        if let match = record.match {
            writer.member("matchedKey", match.key.hex)
            writer.member("similarity", rounded(match.similarity))
            if let confidence = match.confidence { writer.member("confidence", rounded(confidence)) }
        }
        if record.isWarming { writer.member("purpose", "warm") }
        if let body = record.body {
            writer.name("request")
            body.withUnsafeBytes { writer.value(json: $0) }
        }
        writer.endObject()
        return writer.bytes + [10]
    }

    /// To four digits.
    private static func rounded(_ share: Double) -> Double { (share * 10_000).rounded() / 10_000 }

    /// To the microsecond.
    private static func milliseconds(_ nanoseconds: Int64) -> Double { Double(nanoseconds / 1000) / 1000 }
}
