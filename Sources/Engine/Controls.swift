import Core

/// What a request asks of the cache, from its `Cache-Control` and `x-refrain-*` headers.
///
/// `Cache-Control` is borrowed: HTTP caches do not apply it to POST.
package struct Controls: Sendable, Equatable {
    /// Do not answer from the cache; the fresh answer is kept.
    package var noCache = false
    /// Neither answer from the cache nor keep the answer.
    package var noStore = false
    /// Answer from the cache or not at all.
    package var onlyIfCached = false
    /// The oldest acceptable answer, in seconds.
    package var maxAge: Int64?
    /// How long after its expiry an answer may be served when the upstream fails, in seconds.
    package var staleIfError: Int64?
    /// How long the answer is to be kept, in milliseconds.
    package var ttl: Int64?
    package var isSemanticOff = false
    /// The least similarity of a question whose answer may stand for this one's, instead of the settings' rule.
    package var semanticThreshold: Fraction?
    /// Nobody waits for the answer but those who fill the cache.
    package var isWarming = false
    /// What the client says, which may be more than it is allowed to; nil: nothing.
    package var priority: Priority?
    /// Whether another model may answer where the one that was asked for cannot; nil: it does not say.
    package var allowsFallback: Bool?

    package init() {}

    /// Reads one `Cache-Control` line. Directives it does not know are ignored, as RFC 9111 asks.
    mutating func readCacheControl(_ line: BytesView) throws(BypassReason) {
        for part in line.split(separator: UInt8(ascii: ",")) {
            let directive = UnsafeRawBufferPointer(rebasing: part).trimmed
            let equals = directive.firstIndex(of: UInt8(ascii: "="))
            let name = UnsafeRawBufferPointer(rebasing: directive[..<(equals ?? directive.count)]).trimmed
            let value = equals.map { UnsafeRawBufferPointer(rebasing: directive[($0 + 1)...]).trimmed }
            if name.equalsIgnoringCase("no-cache") {
                noCache = true
            } else if name.equalsIgnoringCase("no-store") {
                noStore = true
            } else if name.equalsIgnoringCase("only-if-cached") {
                onlyIfCached = true
            } else if name.equalsIgnoringCase("max-age") {
                maxAge = try Controls.seconds(value)
            } else if name.equalsIgnoringCase("stale-if-error") {
                staleIfError = try Controls.seconds(value)
            }
        }
    }

    /// `x-refrain-ttl`: seconds, or a number with a unit (`90s`, `10m`, `24h`, `7d`).
    mutating func readTTL(_ value: BytesView) throws(BypassReason) {
        let text = value.trimmed.text
        if let seconds = Int64(text), seconds >= 0 {
            ttl = Controls.clamped(seconds) * 1000
        } else if let duration = DurationFormat.parse(text) {
            ttl = min(duration, .seconds(Controls.longest)).milliseconds
        } else {
            throw .badControl
        }
    }

    /// `x-refrain-semantic: off`, or `threshold=0.95`.
    mutating func readSemantic(_ value: BytesView) throws(BypassReason) {
        let value = value.trimmed
        if value.equalsIgnoringCase("off") {
            isSemanticOff = true
            return
        }
        let name: StaticString = "threshold="
        guard value.count > name.utf8CodeUnitCount,
            UnsafeRawBufferPointer(rebasing: value[..<name.utf8CodeUnitCount]).equalsIgnoringCase(name),
            let fraction = Fraction(UnsafeRawBufferPointer(rebasing: value[name.utf8CodeUnitCount...]).text),
            fraction.millionths > 0
        else { throw .badControl }
        semanticThreshold = fraction
    }

    /// `x-refrain-priority: 0 | 1 | 2`.
    mutating func readPriority(_ value: BytesView) throws(BypassReason) {
        let digits = value.trimmed
        guard digits.count == 1, digits[0] >= 48, let priority = Priority(rawValue: Int(digits[0]) - 48) else {
            throw .badControl
        }
        self.priority = priority
    }

    /// `x-refrain-purpose: warm`.
    mutating func readPurpose(_ value: BytesView) throws(BypassReason) {
        guard value.trimmed.equalsIgnoringCase("warm") else { throw .badControl }
        isWarming = true
    }

    /// `x-refrain-fallback: allow | off`.
    mutating func readFallback(_ value: BytesView) throws(BypassReason) {
        let word = value.trimmed
        if word.equalsIgnoringCase("allow") {
            allowsFallback = true
        } else if word.equalsIgnoringCase("off") {
            allowsFallback = false
        } else {
            throw .badControl
        }
    }

    private static func seconds(_ value: BytesView?) throws(BypassReason) -> Int64 {
        guard var value, !value.isEmpty else { throw .badControl }
        if value.count >= 2, value[0] == 34, value[value.count - 1] == 34 {
            value = UnsafeRawBufferPointer(rebasing: value[1..<(value.count - 1)])
        }
        guard !value.isEmpty, value.allSatisfy({ (48...57).contains($0) }) else { throw .badControl }
        return value.reduce(0) { clamped($0 * 10 + Int64($1 - 48)) }
    }

    /// RFC 9111 section 1.2.2: a delta that is too large counts as 2^31 seconds.
    private static let longest: Int64 = 1 << 31

    private static func clamped(_ seconds: Int64) -> Int64 { min(seconds, longest) }
}
