import Core
import Dialects
import Engine
import Foreign

/// What has to be known of a request when it is answered, to note it.
struct RequestFactsheet {
    var dialect: Dialect?
    /// nil for requests that may not be cached.
    var admitted: Admitted?
    var model = ""
    var namespace = ""
    /// The model that answers instead of `model`, empty where it is that one; `admitted` is then what was asked of it.
    var fallback = ""
    let started: Int64
    /// Of the span that this request is.
    var id: UInt64 = 0
    var trace: TraceContext?
    /// Only where bodies are logged.
    var body: Bytes?
    /// Whose answer it got, where that is not its own.
    var match: SemanticMatch?
    /// nil where nobody asks how long the upstream took.
    var stopwatch: UpstreamStopwatch?

    init(_ dialect: Dialect?, _ admitted: Admitted?, started: Int64) {
        self.dialect = dialect
        self.admitted = admitted
        self.started = started
    }
}

/// Notes every answered request of one worker: in the metrics, by name and key, in the log, in the access log and as a
/// span. Belongs to the worker's thread.
final class RequestRecorder {
    private let context: ServerContext
    private let metrics: MetricsBlock
    private let requestLog: RequestLogger
    /// nil: none is kept.
    private var accessLog: AccessLog?
    private var logsBodies: Bool
    private var ids: SpanIDs
    /// By name and by key.
    private(set) var usage: UsageTally

    init(context: ServerContext, metrics: MetricsBlock) {
        self.context = context
        self.metrics = metrics
        requestLog = RequestLogger(log: context.log, which: context.settings.log.requests, clock: context.clock)
        accessLog = context.accessLog
        logsBodies = context.settings.log.bodies
        ids = SpanIDs(
            seed: SystemRandom().next(), perMille: context.spans == nil ? 0 : context.settings.traces.perMille)
        usage = UsageTally(prices: ModelPrices(own: context.settings.prices))
    }

    /// From now on requests are noted by these settings.
    func reload(_ settings: Settings.Log, accessLog: AccessLog?) {
        requestLog.which = settings.requests
        logsBodies = settings.bodies
        self.accessLog = accessLog
    }

    private var isDetailed: Bool { accessLog != nil || context.spans != nil }

    // MARK: Before the answer

    /// Of a request that has to wait for its answer.
    func factsheet(
        _ exchange: HTTPExchange, _ dialect: Dialect?, _ admitted: Admitted?, model: String = "",
        namespace: String = "",
        _ started: Int64
    ) -> RequestFactsheet {
        var sheet = RequestFactsheet(dialect, admitted, started: started)
        sheet.model = model
        sheet.namespace = namespace
        sheet.id = ids.next()
        sheet.trace = ids.trace(of: exchange)
        if logsBodies, accessLog != nil, admitted != nil { sheet.body = Bytes(copying: exchange.body) }
        return sheet
    }

    /// The ports for a request, timed where somebody wants to know.
    func ports(_ ports: Engine.Ports, for sheet: inout RequestFactsheet) -> Engine.Ports {
        guard isDetailed else { return ports }
        let stopwatch = UpstreamStopwatch(ports.upstream, clock: context.clock)
        sheet.stopwatch = stopwatch
        var ports = ports
        ports.upstream = stopwatch
        return ports
    }

    // MARK: After it

    /// A hit in memory, whose request is still at hand.
    func note(
        _ found: Engine.Found, _ admitted: Admitted, _ head: RequestHead, _ exchange: HTTPExchange, started: Int64
    ) {
        let outcome = Outcome.hit(found.tier)
        let body = exchange.body
        let status = Int(found.entry.facts.status)
        let duration = count(admitted.dialect, outcome, admitted, status, started)
        let cost = countUsage(
            outcome, admitted, model: UnsafeRawBufferPointer(rebasing: body[admitted.facts.modelRange]),
            namespace: head.namespaceBytes, found.entry)
        guard isDetailed else { return }
        let model = admitted.facts.model(in: body)
        let sheet = factsheet(
            exchange, admitted.dialect, admitted, model: model, namespace: head.namespaceText, started)
        record(sheet, outcome, status: status, duration, found.entry, picodollars: cost)
    }

    /// A request that had to wait. `entry` is the answer where it was or could be kept.
    func note(_ sheet: RequestFactsheet, _ outcome: Outcome, status: Int, upstream: String, _ entry: Entry?) {
        let duration = count(sheet.dialect, outcome, sheet.admitted, status, sheet.started)
        var cost: UInt64 = 0
        if let admitted = sheet.admitted {
            var (model, namespace) = (sheet.fallback.isEmpty ? sheet.model : sheet.fallback, sheet.namespace)
            cost = model.withUTF8 { model in
                namespace.withUTF8 { namespace in
                    countUsage(
                        outcome, admitted, model: UnsafeRawBufferPointer(model),
                        namespace: UnsafeRawBufferPointer(namespace), outcome == .miss ? nil : entry)
                }
            }
        }
        if isDetailed {
            record(sheet, outcome, status: status, duration, entry, picodollars: cost, upstream: upstream)
        }
    }

    /// How long it took, in nanoseconds.
    private func count(
        _ dialect: Dialect?, _ outcome: Outcome, _ admitted: Admitted?, _ status: Int, _ started: Int64
    ) -> Int64 {
        let duration = context.clock.monotonic() - started
        // Hundreds of prompts that are warmed at once would hide how the others fare.
        if admitted?.controls.isWarming == true {
            metrics.countWarming(outcome.kind)
        } else {
            metrics.countRequest(Endpoint(dialect), outcome.kind, status: status, duration: duration)
        }
        requestLog.note(dialect, outcome, admitted?.key, duration)
        return duration
    }

    /// `served` is the answer that saved a call; what it saved, in picodollars.
    private func countUsage(
        _ outcome: Outcome, _ admitted: Admitted, model: BytesView, namespace: BytesView, _ served: Entry?
    ) -> UInt64 {
        if admitted.controls.isWarming { return 0 }
        let facts = served?.facts
        let cost = usage.count(
            outcome.kind, key: admitted.key, tenant: admitted.tenant, model: model, namespace: namespace,
            saved: facts.map { ($0.promptTokens, $0.completionTokens) })
        if let facts {
            metrics.countSaved(promptTokens: facts.promptTokens, completionTokens: facts.completionTokens)
            if cost > 0 { metrics.countSaved(picodollars: cost) }
        }
        return cost
    }

    private func record(
        _ sheet: RequestFactsheet, _ outcome: Outcome, status: Int, _ duration: Int64, _ entry: Entry?,
        picodollars: UInt64, upstream: String = ""
    ) {
        var record = AccessRecord(
            time: context.clock.wall(), id: sheet.id, trace: sheet.trace, dialect: sheet.dialect, outcome: outcome,
            status: status, duration: duration)
        if let admitted = sheet.admitted {
            record.key = admitted.key
            record.model = sheet.model.shown
            record.fallback = sheet.fallback.isEmpty ? nil : sheet.fallback
            record.tenant = admitted.tenant.word0
            record.namespace = sheet.namespace
            record.isStream = admitted.form == .stream
            record.isWarming = admitted.controls.isWarming
        }
        if !upstream.isEmpty { record.upstream = upstream }
        record.upstreamDuration = sheet.stopwatch?.elapsed
        record.promptTokens = entry?.facts.promptTokens ?? -1
        record.completionTokens = entry?.facts.completionTokens ?? -1
        record.savedPicodollars = picodollars
        record.match = sheet.match
        if let trace = sheet.trace, trace.isSampled { context.spans?.send(record) }
        guard let accessLog else { return }
        record.body = sheet.body
        accessLog.write(record)
    }
}

extension String {
    /// What is shown of a name that a client wrote: it may be as long as a request.
    var shown: String { utf8.count <= 256 ? self : String(unicodeScalars.prefix(256)) + "…" }
}

/// Numbers for spans and traces. They need not be secret, only different.
struct SpanIDs {
    private var state: UInt64
    private let perMille: Int

    /// - Parameter perMille: of a thousand requests that belong to no trace, how many begin one.
    init(seed: UInt64, perMille: Int) {
        state = seed
        self.perMille = perMille
    }

    /// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014), without zero.
    mutating func next() -> UInt64 {
        while true {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            mixed ^= mixed >> 31
            if mixed != 0 { return mixed }
        }
    }

    /// The client's trace, or one that begins here; nil where the request is in none.
    mutating func trace(of exchange: HTTPExchange) -> TraceContext? {
        if let trace = exchange.header(named: "traceparent").flatMap({ TraceContext(traceparent: $0) }) { return trace }
        guard perMille > 0, next() % 1000 < UInt64(perMille) else { return nil }
        return TraceContext(traceHigh: next(), traceLow: next(), parent: 0, flags: 1)
    }
}
