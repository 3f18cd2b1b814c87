import Core
import Dialects
import Engine
import Foreign

/// The data port of one worker: requests in, answers out. Belongs to the worker's thread.
final class DataPlane: HTTPHandler {
    private unowned let worker: Worker
    let context: ServerContext
    let ports: Engine.Ports
    let admission: Admission
    private let recorder: RequestRecorder
    /// Those of now; the context has those of the start.
    private(set) var settings: Settings
    private(set) var priorities: PriorityRules
    private(set) var fallbacks: FallbackRules
    private let prepared = PreparedResponses()
    /// Requests that wait for the engine, by number.
    var pending: [UInt64: Pending] = [:]
    private var nextID: UInt64 = 0

    /// What must be remembered of a request until its answer is there.
    struct Pending {
        let exchange: HTTPExchange
        var sheet: RequestFactsheet
        /// In partitions that are wider than a credential: whom the upstream's verdict is about.
        let credential: CacheKey?
        /// Of the answer, once there is one.
        var status = 0
        /// The name of the one that answered; empty where none was asked, or none answered.
        var upstream = ""
        var task: Task<Void, Never>?

        var admitted: Admitted? { sheet.admitted }
    }

    var pendingCount: Int { pending.count }

    var liveRequests: [LiveRequest] { pending.values.map { LiveRequest($0.sheet) } }

    /// By name and by key.
    var usage: UsageTally { recorder.usage }

    init(worker: Worker, context: ServerContext, ports: Engine.Ports) {
        self.worker = worker
        self.context = context
        self.ports = ports
        settings = context.settings
        priorities = PriorityRules(settings.limits)
        fallbacks = FallbackRules(settings.limits)
        admission = Admission(settings: settings, digest: context.digest)
        recorder = RequestRecorder(context: context, metrics: ports.metrics)
    }

    /// Requests that come from now on go by these settings.
    func reload(_ settings: Settings, accessLog: AccessLog?) {
        self.settings = settings
        priorities = PriorityRules(settings.limits)
        fallbacks = FallbackRules(settings.limits)
        recorder.reload(settings.log, accessLog: accessLog)
    }

    // MARK: HTTPHandler

    func began(_ exchange: HTTPExchange) -> BodyPlan {
        guard exchange.method == .post, Route(target: exchange.target).dialect != nil else { return .stream }
        return .collect(limit: settings.limits.requestBody.bytes)
    }

    func received(_ exchange: HTTPExchange) {
        let started = context.clock.monotonic()
        let route = Route(target: exchange.target)
        var head = RequestHead()
        for line in exchange.headers { admission.note(line.name, line.value, in: &head) }
        guard let dialect = route.dialect, exchange.method == .post else {
            return relay(exchange, route.dialect, head, .endpoint, nil, started)
        }
        do throws(BypassReason) {
            let admitted = try admission.admit(
                head, body: exchange.body, dialect: dialect, query: route.query, now: started,
                trust: context.engine.trust)
            switch context.engine.lookup(admitted, metrics: ports.metrics) {
            case .fresh(let found):
                admission.remember(admitted, body: exchange.body)
                respond(exchange, with: found, .hit(found.tier), for: admitted)
                recorder.note(found, admitted, head, exchange, started: started)
            case .stale(let found): ask(exchange, admitted, head, route.query, stale: found, started)
            case .nothing: ask(exchange, admitted, head, route.query, stale: nil, started)
            }
        } catch {
            if head.controls.onlyIfCached, error != .disabled {
                return refuseUncached(exchange, dialect, error, started)
            }
            let isShared = settings.cache.partition != .apiKey
            relay(exchange, dialect, head, error, isShared ? admission.credentialDigest(of: head) : nil, started)
        }
    }

    func refusal(of exchange: HTTPExchange, _ reason: HTTPRefusal) -> Bytes {
        let dialect = exchange.target.isEmpty ? nil : Route(target: exchange.target).dialect
        return errorBody(dialect: dialect, status: reason.status, code: reason.rawValue, message: reason.message)
    }

    func logged(_ message: String) { context.log.write(.debug, "http", LogField("message", message)) }

    var wantsLog: Bool { context.log.level == .debug }

    // MARK: To the engine

    private func ask(
        _ exchange: HTTPExchange, _ admitted: Admitted, _ head: RequestHead, _ query: BytesView,
        stale: Engine.Found?, _ started: Int64
    ) {
        let facts = admitted.facts
        let body = upstreamBody(
            original: exchange.body, facts: facts, askForUsage: settings.cache.askForUsage)
        var sheet = recorder.factsheet(
            exchange, admitted.dialect, admitted, model: facts.model(in: exchange.body), namespace: head.namespaceText,
            started)
        let demand = demand(
            of: exchange, admitted.controls, admission.payer(of: admitted), model: sheet.model,
            tokens: facts.tokenEstimate(bodyCount: exchange.body.count))
        let call = Engine.Call(
            admitted: admitted,
            upstream: UpstreamRequests.make(exchange, body: body, isCacheable: true, sheet, demand),
            model: sheet.model, namespace: sheet.namespace, tags: head.tagList, stale: stale,
            question: context.engine.meaning.flatMap {
                admission.question(
                    head, body: exchange.body, admitted, query: query, matcher: $0.matcher.identity)
            })
        let ports = recorder.ports(ports, for: &sheet)
        let id = remember(exchange, sheet, admitted.credential)
        start(id) { $0.launch(call, id: id, ports: ports) }
    }

    private func relay(
        _ exchange: HTTPExchange, _ dialect: Dialect?, _ head: RequestHead, _ reason: BypassReason,
        _ credential: CacheKey?, _ started: Int64
    ) {
        ports.metrics.countBypass(reason)
        let body = exchange.upload == nil && exchange.hasBody ? Bytes(copying: exchange.body) : nil
        var sheet = recorder.factsheet(exchange, dialect, nil, started)
        // Nobody evades a limit of tokens by asking not to be cached.
        let tokens = body.map { RequestFacts.tokenEstimate(unreadCount: $0.count) } ?? 0
        let demand = demand(of: exchange, head.controls, admission.payer(of: head), model: nil, tokens: tokens)
        let request = UpstreamRequests.make(exchange, body: body, isCacheable: false, sheet, demand)
        let ports = recorder.ports(ports, for: &sheet)
        let id = remember(exchange, sheet, credential)
        start(id) { $0.launch(request, reason, id: id, ports: ports) }
    }

    /// What a request asks of the upstreams; `model` is nil where it is not known.
    func demand(
        of exchange: HTTPExchange, _ controls: Controls, _ tenant: CacheKey, model: String?, tokens: Int
    ) -> UpstreamDemand {
        let target = exchange.target
        let path = target[..<(target.firstIndex(of: UInt8(ascii: "?")) ?? target.count)]
        let priority = priorities.priority(
            claimed: controls.priority,
            of: PriorityRules.Subject(
                path: UnsafeRawBufferPointer(rebasing: path), model: model, tenant: tenant.word0
            ) { name in exchange.headers.first { $0.name.equalsIgnoringCase(name) }?.value })
        return UpstreamDemand(priority: priority, tenant: tenant, model: model ?? "", tokens: tokens)
    }

    private func remember(_ exchange: HTTPExchange, _ sheet: RequestFactsheet, _ credential: CacheKey?) -> UInt64 {
        nextID += 1
        let id = nextID
        pending[id] = Pending(exchange: exchange, sheet: sheet, credential: credential)
        exchange.whenClientLeaves { [weak self] in self?.forget(id) }
        return id
    }

    /// Launches the asynchronous part of a request whose client is still there.
    private func start(_ id: UInt64, _ launch: (isolated Worker) -> Task<Void, Never>) {
        guard pending[id] != nil else { return }
        let task = worker.assumeIsolated(launch)
        // Only now: the answer may have been delivered within the launch, and the request be forgotten.
        pending[id]?.task = task
    }

    /// The client is gone.
    private func forget(_ id: UInt64) { pending.removeValue(forKey: id)?.task?.cancel() }

    /// A request that may not be answered from the cache, by a client that wants no other answer.
    private func refuseUncached(
        _ exchange: HTTPExchange, _ dialect: Dialect, _ reason: BypassReason, _ started: Int64
    ) {
        ports.metrics.countBypass(reason)
        let id = remember(exchange, recorder.factsheet(exchange, dialect, nil, started), nil)
        pending[id]?.status = 504
        pending[id].map {
            refuse(
                $0, status: 504, code: "only-if-cached",
                "This request cannot be answered from the cache, and only-if-cached was asked for.", .bypass(reason))
        }
        end(id, .bypass(reason), nil)
    }

    func wake(_ id: UInt64) { pending[id]?.exchange.wake() }

    // MARK: From the engine

    func deliver(_ reply: Reply, to id: UInt64) {
        pending[id]?.status = reply.status
        if let head = reply.upstreamHead { pending[id]?.upstream = head.upstream }
        guard let request = pending[id] else { return }
        learn(from: reply, request.credential)
        switch reply {
        case .found(let found, let outcome):
            // Only admitted requests are answered out of the cache.
            guard let admitted = request.admitted else { return }
            if let match = found.match {
                context.engine.meaning?.note(request.sheet.id, admitted.key, match)
                pending[id]?.sheet.match = match
            }
            respond(
                request.exchange, with: found, outcome, for: admitted, number: request.sheet.id,
                fallback: request.sheet.fallback)
            end(id, outcome, found.entry)
        case .complete(let head, let entry, let outcome, let notStored):
            respond(request, head, entry, outcome, notStored)
            end(id, outcome, entry)
        case .whole(let head, let body, let outcome, let reason):
            let response = HTTPResponse(body: body)
            add(head, outcome, request, isStored: false, notStored: reason, to: response)
            request.exchange.respond(head.status, response)
            end(id, outcome, nil)
        case .live(let head, let seat, let outcome):
            stream(head, seat, outcome, request, id)
        case .failed(let failure, let outcome):
            fail(request, failure, outcome)
            end(id, outcome, nil)
        case .notCached:
            refuse(request, status: 504, code: "only-if-cached", "No cached answer, and only-if-cached was asked for.")
            end(id, .miss, nil)
        }
    }

    private func respond(
        _ exchange: HTTPExchange, with found: Engine.Found, _ outcome: Outcome, for admitted: Admitted,
        number: UInt64 = 0, fallback: String = ""
    ) {
        let status = Int(found.entry.facts.status)
        // Promoted answers are the same entries under another tier's name.
        if outcome == .hit(.memory), fallback.isEmpty {
            let response = prepared.response(
                to: found, key: admitted.key, wantsUsage: admitted.facts.wantsUsage
            ) { makeResponse(found, outcome, admitted) }
            if let response { exchange.respond(status, response) }
        } else if let response = makeResponse(found, outcome, admitted) {
            if let match = found.match { ResponseHeaders.add(match, number: number, to: response) }
            ResponseHeaders.add(fallback: fallback, to: response)
            exchange.respond(status, response)
        }
    }

    private func makeResponse(_ found: Engine.Found, _ outcome: Outcome, _ admitted: Admitted) -> HTTPResponse? {
        // `Engine` only finds entries that hold the wanted form.
        guard let (first, second) = found.entry.slices(found.form, wantsUsage: admitted.facts.wantsUsage) else {
            return nil
        }
        let response =
            second.isEmpty
            ? HTTPResponse(owner: found.entry.owner, first)
            : HTTPResponse(owner: found.entry.owner, first, second)
        response.add("Content-Type", found.form.contentTypeWord)
        ResponseHeaders.add(found: found, outcome, key: admitted.key, to: response)
        response.add(lines: found.entry.headerStrings)
        return response
    }

    /// What need not outlive this second.
    func forgetPrepared() { prepared.empty() }

    /// The upstream's answer to the one who asked for it, out of the entry that was made of it.
    private func respond(
        _ request: Pending, _ head: UpstreamHead, _ entry: Entry, _ outcome: Outcome, _ notStored: NotStored?
    ) {
        let wantsUsage = request.admitted?.facts.wantsUsage ?? true
        guard let (first, second) = entry.slices(entry.facts.origin, wantsUsage: wantsUsage) else { return }
        let response =
            second.isEmpty
            ? HTTPResponse(owner: entry.owner, first) : HTTPResponse(owner: entry.owner, first, second)
        add(head, outcome, request, isStored: notStored == nil, notStored: notStored, to: response)
        request.exchange.respond(head.status, response)
    }

    private func stream(_ head: UpstreamHead, _ seat: FlightSeat, _ outcome: Outcome, _ request: Pending, _ id: UInt64)
    {
        let worker = worker
        seat.listen { worker.loop.execute { worker.assumeIsolated { $0.wake(id) } } }
        let source = LiveBody(seat: seat) { [weak self] entry in self?.end(id, outcome, entry) }
        let length = request.admitted == nil ? head.contentLength : nil
        guard head.allowsBody(to: request.exchange.method) else {
            // An answer to HEAD tells the length that one to GET would have. Where it is not known the library says 0:
            // asked to leave it open it would send the end of a body.
            let length = request.exchange.method == .head ? head.contentLength : nil
            let response = length.map { HTTPResponse(announcing: $0) } ?? HTTPResponse()
            add(head, outcome, request, isStored: nil, notStored: nil, to: response)
            request.exchange.respond(head.status, response)
            return end(id, outcome, nil)
        }
        request.exchange.respondStreaming(head.status, length: length, source: source) { response in
            self.add(head, outcome, request, isStored: nil, notStored: nil, to: response)
        }
    }

    private func fail(_ request: Pending, _ failure: UpstreamFailure, _ outcome: Outcome) {
        let code: String
        switch failure.kind {
        case .cancelled: return request.exchange.abort()
        case .timeout: code = "upstream-timeout"
        case .shutdown: code = "shutting-down"
        case .shed: code = failure.shed == .tenantLimit ? "tenant-limit" : "overloaded"
        case .unsendable: code = "cannot-be-forwarded"
        case .connect, .resolve, .tls, .reset, .malformed, .tooLarge: code = "upstream-" + failure.kind.rawValue
        }
        refuse(request, status: failure.status, code: code, failure.message, outcome, retryAfter: failure.retryAfter)
    }

    /// - Parameter retryAfter: in nanoseconds.
    private func refuse(
        _ request: Pending, status: Int, code: String, _ message: String, _ outcome: Outcome = .miss,
        retryAfter: Int64? = nil
    ) {
        let response = HTTPResponse(
            body: errorBody(dialect: request.sheet.dialect, status: status, code: code, message: message))
        response.add("Content-Type", "application/json")
        if let retryAfter { ResponseHeaders.add(retryAfter: retryAfter, to: response) }
        ResponseHeaders.add(
            forwarded: outcome, status: nil, isStored: false, notStored: nil, controls: request.admitted?.controls,
            key: request.admitted?.key, to: response)
        request.exchange.respond(status, response)
    }

    private func add(
        _ head: UpstreamHead, _ outcome: Outcome, _ request: Pending, isStored: Bool?, notStored: NotStored?,
        to response: HTTPResponse
    ) {
        ResponseHeaders.add(lines: head.headers, to: response)
        ResponseHeaders.add(
            forwarded: outcome, status: head.status, isStored: isStored, notStored: notStored,
            controls: request.admitted?.controls, key: request.admitted?.key, to: response)
        if !head.upstream.isEmpty { response.add("x-refrain-upstream", head.upstream) }
        ResponseHeaders.add(fallback: request.sheet.fallback, to: response)
    }

    /// Remembers what the upstream thought of the credential.
    private func learn(from reply: Reply, _ credential: CacheKey?) {
        guard let status = reply.upstreamStatus else { return }
        context.engine.trust.learn(status, of: credential, now: context.clock.monotonic())
    }

    // MARK: The end of a request

    private func end(_ id: UInt64, _ outcome: Outcome, _ entry: Entry?) {
        guard let request = pending.removeValue(forKey: id) else { return }
        recorder.note(request.sheet, outcome, status: request.status, upstream: request.upstream, entry)
    }
}

extension UpstreamFailure {
    /// What a client is told in its stead.
    var status: Int {
        switch kind {
        case .timeout: 504
        case .shutdown: 503
        case .shed: shed == .tenantLimit ? 429 : 503
        // 499 is what other servers log of a client that left; nobody is told.
        case .cancelled: 499
        case .unsendable: 400
        case .connect, .resolve, .tls, .reset, .malformed, .tooLarge: 502
        }
    }
}

extension Reply {
    /// Of the HTTP answer.
    var status: Int {
        switch self {
        case .found(let found, _): Int(found.entry.facts.status)
        case .whole(let head, _, _, _), .complete(let head, _, _, _), .live(let head, _, _): head.status
        case .failed(let failure, _): failure.status
        case .notCached: 504
        }
    }

    /// As an upstream sent it, to this or another request; nil where the answer is out of the cache, or there is none.
    var upstreamHead: UpstreamHead? {
        switch self {
        case .complete(let head, _, _, _), .whole(let head, _, _, _), .live(let head, _, _): head
        case .found, .failed, .notCached: nil
        }
    }

    /// What the upstream answered to this very request, nil where it was not asked.
    var upstreamStatus: Int? {
        switch self {
        case .complete(let head, _, .miss, _), .whole(let head, _, .miss, _), .live(let head, _, .miss),
            .live(let head, _, .bypass):
            head.status
        default: nil
        }
    }
}

extension UpstreamHead {
    var contentLength: Int64? {
        headers.first(named: "content-length").flatMap { Int64($0) }.flatMap { $0 >= 0 ? $0 : nil }
    }

    /// Some statuses, and every answer to HEAD, end with the head.
    func allowsBody(to method: HTTPExchange.Method) -> Bool {
        method != .head && status != 204 && status != 304 && status >= 200
    }
}
