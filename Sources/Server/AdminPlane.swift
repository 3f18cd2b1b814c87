import Core
import Dialects
import Engine
import Foreign

/// The admin port: health, metrics, statistics, explain and purge. Belongs to one worker's thread.
final class AdminPlane: HTTPHandler {
    private unowned let worker: Worker
    private let context: ServerContext
    private let metrics: MetricsBlock
    private let inspection: AdminInspection
    private let explainer: Explainer
    private var history = StatsHistory()
    /// Requests whose answer is awaited, by number.
    private var pending: [UInt64: HTTPExchange] = [:]
    private var nextID: UInt64 = 0

    /// An answer that took its time.
    struct Answer: Sendable {
        var status = 200
        var json: [UInt8]
    }

    /// The largest body of an admin request that carries no client's request.
    private static let controlLimit = 64 << 10

    init(worker: Worker, context: ServerContext, inspection: AdminInspection) {
        self.worker = worker
        self.context = context
        metrics = context.registry.makeBlock()
        self.inspection = inspection
        explainer = Explainer(context: context)
    }

    private struct Page: Sendable {
        let method: HTTPExchange.Method
        let path: StaticString
        let summary: String
        var access = Access.guarded
        let answer: @Sendable (AdminPlane, HTTPExchange) -> Void
    }

    private enum Access: Sendable {
        /// Open to everybody, so that a supervisor needs no token.
        case probe
        /// Open without the token, to pages of our own: a browser asks for the parts of a page without it.
        case part
        /// With the token, to pages of our own.
        case guarded
    }

    private static let pages: [Page] = [
        Page(method: .get, path: "/healthz", summary: "200 while the process lives", access: .probe) {
            plane, exchange in
            plane.answer(exchange, 200, text: "ok\n")
        },
        Page(
            method: .get, path: "/readyz", summary: "200 while it takes requests, 503 before and after", access: .probe
        ) {
            plane, exchange in
            let isReady = plane.inspection.readiness()
            plane.answer(exchange, isReady ? 200 : 503, text: isReady ? "ready\n" : "not ready\n")
        },
        Page(method: .get, path: "/metrics", summary: "Prometheus text format") { plane, exchange in
            plane.answer(
                exchange, 200, text: Exposition.text(plane.context.registry), type: Exposition.contentType)
        },
        Page(method: .get, path: "/api/stats", summary: "what `refrain stats` shows, as JSON") { plane, exchange in
            plane.answerAside(exchange) { [inspection = plane.inspection] in Answer(json: await inspection.stats()) }
        },
        Page(method: .get, path: "/api/history", summary: "sums of the last hour, every few seconds") {
            plane, exchange in
            plane.answer(exchange, 200, json: plane.history.json())
        },
        Page(method: .get, path: "/api/keys", summary: "the busiest keys; ?top=N says how many") { plane, exchange in
            plane.keys(exchange)
        },
        Page(method: .get, path: "/api/live", summary: "the requests that are being answered") { plane, exchange in
            plane.answerAside(exchange) { [inspection = plane.inspection] in Answer(json: await inspection.live()) }
        },
        Page(method: .get, path: "/api/neighbours", summary: "questions that had a near one, where log.bodies is on") {
            plane, exchange in
            plane.neighbours(exchange)
        },
        Page(method: .post, path: "/api/explain", summary: "how a request would be looked up") { plane, exchange in
            plane.explain(exchange)
        },
        Page(method: .post, path: "/api/purge", summary: "drop an answer, a group of them or all") { plane, exchange in
            plane.purge(exchange)
        },
        Page(method: .post, path: "/api/feedback", summary: "whether an answer by meaning was right") {
            plane, exchange in
            plane.feedback(exchange)
        },
        Page(method: .post, path: "/api/reload", summary: "read the settings anew") { plane, exchange in
            plane.answerAside(exchange) { [inspection = plane.inspection] in await inspection.reload().answer }
        },
        Page(method: .post, path: "/api/import", summary: "keep answers that exist already") { plane, exchange in
            let importer = Importer(exchange, context: plane.context)
            let body = Bytes(copying: exchange.body)
            plane.answerAside(exchange) { await importer.take(body) }
        },
        Page(method: .get, path: "/", summary: "the dashboard") { _, exchange in
            exchange.respond(200, DashboardPage.page.response())
        },
        Page(method: .get, path: "/assets/style.css", summary: "a part of it", access: .part) { _, exchange in
            exchange.respond(200, DashboardPage.style.response())
        },
        Page(method: .get, path: "/assets/charts.js", summary: "a part of it", access: .part) { _, exchange in
            exchange.respond(200, DashboardPage.charts.response())
        },
        Page(method: .get, path: "/assets/semantic.js", summary: "a part of it", access: .part) { _, exchange in
            exchange.respond(200, DashboardPage.semantic.response())
        },
        Page(method: .get, path: "/assets/dashboard.js", summary: "a part of it", access: .part) { _, exchange in
            exchange.respond(200, DashboardPage.script.response())
        },
        Page(method: .get, path: "/api", summary: "this list") { plane, exchange in
            plane.answer(exchange, 200, text: plane.index)
        },
    ]

    private var index: String {
        AdminPlane.pages.reduce(into: "Refrain \(context.registry.version)\n\n") { list, page in
            list += "\(page.method == .get ? "GET " : "POST")  \(page.path)  \(page.summary)\n"
        }
    }

    // MARK: HTTPHandler

    func began(_ exchange: HTTPExchange) -> BodyPlan {
        let path = path(of: exchange)
        guard let page = AdminPlane.pages.first(where: { path.elementsEqual($0.path) }) else {
            refuse(exchange, 404, "not-found", "There is no such admin page; GET /api lists them.")
            return .collect(limit: 0)
        }
        guard page.access != .guarded || isAuthorised(exchange) else {
            // A browser cannot send the token by itself: it is shown the page all the same, which asks for it.
            let isBrowser =
                path.elementsEqual("/") && exchange.header(named: "accept")?.text.contains("text/html") == true
            let response =
                isBrowser && isFromHere(exchange)
                ? DashboardPage.page.response()
                : errorResponse(
                    401, "unauthorised",
                    "Send the admin token as `Authorization: Bearer …`; it is the setting admin.token.")
            response.add("WWW-Authenticate", "Bearer realm=\"refrain admin\"")
            exchange.respond(401, response)
            return .collect(limit: 0)
        }
        guard page.access == .probe || isFromHere(exchange) else {
            refuse(
                exchange, 403, "foreign-page",
                "Another site's page asked. Name this host by its address, or set admin.token and send it.")
            return .collect(limit: 0)
        }
        guard page.method == exchange.method || (page.method == .get && exchange.method == .head) else {
            let response = errorResponse(405, "method-not-allowed", "Use \(page.method == .get ? "GET" : "POST").")
            response.add("Allow", page.method == .get ? "GET, HEAD" : "POST")
            exchange.respond(405, response)
            return .collect(limit: 0)
        }
        if path.elementsEqual("/api/explain") { return .collect(limit: context.settings.limits.requestBody.bytes) }
        let isImport = path.elementsEqual("/api/import")
        return .collect(limit: isImport ? Importer.bodyLimit : AdminPlane.controlLimit)
    }

    func received(_ exchange: HTTPExchange) {
        let path = path(of: exchange)
        // `began` let nothing else through.
        AdminPlane.pages.first { path.elementsEqual($0.path) }?.answer(self, exchange)
    }

    func refusal(of exchange: HTTPExchange, _ reason: HTTPRefusal) -> Bytes {
        errorBody(dialect: nil, status: reason.status, code: reason.rawValue, message: reason.message)
    }

    func logged(_ message: String) { context.log.write(.debug, "admin http", LogField("message", message)) }

    var wantsLog: Bool { context.log.level == .debug }

    /// Every second.
    func tick() {
        history.sample(context.registry, now: context.clock.monotonic(), wall: context.clock.wall())
    }

    // MARK: Inside

    private func path(of exchange: HTTPExchange) -> BytesView {
        let target = exchange.target
        return UnsafeRawBufferPointer(rebasing: target[..<(target.firstIndex(of: UInt8(ascii: "?")) ?? target.count)])
    }

    private func isAuthorised(_ exchange: HTTPExchange) -> Bool {
        let token = context.settings.admin.token.revealed
        if token.isEmpty { return true }
        guard let sent = exchange.header(named: "authorization"), sent.count > 7,
            UnsafeRawBufferPointer(rebasing: sent[..<7]).equalsIgnoringCase("bearer ")
        else { return false }
        return constantTimeEqual(
            Array(UnsafeRawBufferPointer(rebasing: sent[7...]).trimmed), Array(token.utf8))
    }

    /// Whether a request may come from a person or a program rather than from a page that a browser on this machine
    /// shows. Pages of other sites can send requests here, and can call this port by a name of their own. A token,
    /// which they do not have, makes the question idle.
    private func isFromHere(_ exchange: HTTPExchange) -> Bool {
        let admin = context.settings.admin
        guard admin.token.isEmpty else { return true }
        let host = exchange.header(named: "host")?.text.lowercased() ?? ""
        if let origin = exchange.header(named: "origin")?.text.lowercased() {
            guard origin == "http://" + host || origin == "https://" + host else { return false }
            // A name that anybody can point here proves nothing; an address and the configured name do.
            guard
                AdminPlane.isAddress(host) || AdminPlane.isLoopback(host)
                    || AdminPlane.name(in: host) == admin.listen.host
            else { return false }
        }
        return !AdminPlane.isLoopback(admin.listen.host) || AdminPlane.isLoopback(host)
    }

    /// Without the port.
    private static func name(in host: String) -> String {
        host.hasPrefix("[") ? host.prefix { $0 != "]" } + "]" : String(host.prefix { $0 != ":" })
    }

    /// Whether a host, with or without a port, is a literal address.
    static func isAddress(_ host: String) -> Bool {
        if host.hasPrefix("[") { return true }
        let parts = name(in: host).split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts.allSatisfy { UInt8($0) != nil }
    }

    /// Whether an address or name, with or without a port, can only mean this machine.
    static func isLoopback(_ host: String) -> Bool {
        if host.isEmpty || host == "::1" { return true }
        let name = name(in: host)
        if name == "localhost" || name == "[::1]" { return true }
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }

    private func keys(_ exchange: HTTPExchange) {
        var top = AdminInspection.defaultTop
        if let text = Route(target: exchange.target).queryValue(of: "top") {
            guard let number = Int(text.text), (1...AdminInspection.mostTop).contains(number) else {
                return refuse(
                    exchange, 400, "bad-value", "top is a number from 1 to \(AdminInspection.mostTop).")
            }
            top = number
        }
        answerAside(exchange) { [inspection, top] in Answer(json: await inspection.keys(top: top)) }
    }

    private func purge(_ exchange: HTTPExchange) {
        let request: PurgeRequest
        do throws(PurgeRequest.Unreadable) {
            request = try PurgeRequest(exchange.body)
        } catch {
            return refuse(exchange, 400, error.code, error.message)
        }
        let moment = context.clock.wall() - request.age
        if request.isDry {
            return answerAside(exchange) { [context] in
                Answer(
                    json: PurgeReport.dryJSON(count: context.engine.count(of: request.group, before: moment)))
            }
        }
        metrics.countPurge(request.group.kind)
        answerAside(exchange) { [context] in
            let report = await context.engine.purge(request.group, before: moment, sync: context.purgeSync)
            context.log.write(
                .info, "purged", LogField("group", request.group.name), LogField("count", report.count),
                LogField("generation", report.mark.number))
            guard let failure = report.failure else { return Answer(json: report.json()) }
            context.log.write(.warning, "purge-unshared", LogField("reason", failure.description))
            let message =
                "This sidecar has purged (\(report.count) in its memory), but the others could not be told: \(failure). "
                + "They will be as soon as that works again, unless this sidecar ends before."
            return Answer(
                status: 503,
                json: errorBody(dialect: nil, status: 503, code: "purge-unshared", message: message).array)
        }
    }

    private func neighbours(_ exchange: HTTPExchange) {
        guard let meaning = context.engine.meaning else {
            return refuse(
                exchange, 404, "semantic-off", "Questions are not compared: the setting semantic.mode is off.")
        }
        guard let pairs = meaning.recentPairs.all else {
            return refuse(
                exchange, 403, "bodies-off",
                "This would show what clients ask; it is kept only where the setting log.bodies is on.")
        }
        answerAside(exchange) { Answer(json: NeighbourReport.json(pairs)) }
    }

    private func feedback(_ exchange: HTTPExchange) {
        let request: FeedbackRequest
        do throws(FeedbackRequest.Unreadable) {
            request = try FeedbackRequest(exchange.body)
        } catch {
            return refuse(exchange, 400, error.code, error.message)
        }
        let feedback = context.engine.meaning?.feedback(on: request.id, isRight: request.isRight)
        guard let (match, isCounted) = feedback else {
            return refuse(
                exchange, 404, "unknown-answer",
                "No answer by meaning with that id is remembered: it was served by another sidecar, or long ago.")
        }
        context.log.write(
            .info, "feedback", LogField("verdict", request.isRight ? "up" : "down"),
            LogField("counted", isCounted ? "yes" : "no"), LogField("matchedKey", match.key.hex))
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("matchedKey", match.key.hex)
        writer.member("similarity", match.similarity)
        writer.member("counted", isCounted)
        writer.endObject()
        answer(exchange, 200, json: writer.bytes)
    }

    private func explain(_ exchange: HTTPExchange) {
        let explanation = explainer.explain(exchange)
        guard let key = explanation.key else { return answer(exchange, 200, json: explanation.json(held: [], now: 0)) }
        answerLater(exchange) { [context] in
            var explanation = explanation
            let held = await context.engine.holders(of: key)
            let meaning = context.engine.meaning
            await explanation.compare(by: meaning, showsTexts: meaning?.recentPairs.isKeeping == true)
            return Answer(json: explanation.json(held: held, now: context.clock.wall()))
        }
    }

    /// Answers when `work` is done, unless the client is gone by then.
    private func answerLater(_ exchange: HTTPExchange, _ work: @escaping @Sendable () async -> Answer) {
        nextID += 1
        let id = nextID
        pending[id] = exchange
        exchange.whenClientLeaves { [weak self] in _ = self?.pending.removeValue(forKey: id) }
        worker.assumeIsolated { $0.launch(adminWork: work, id: id) }
    }

    /// As `answerLater`, for work that would keep this thread from serving requests.
    private func answerAside(_ exchange: HTTPExchange, _ work: @escaping @Sendable () async -> Answer) {
        answerLater(exchange) { await Task.detached { await work() }.value }
    }

    func deliver(_ answer: Answer, to id: UInt64) {
        guard let exchange = pending.removeValue(forKey: id) else { return }
        self.answer(exchange, answer.status, json: answer.json)
    }

    private func answer(
        _ exchange: HTTPExchange, _ status: Int, text: String, type: String = "text/plain; charset=utf-8"
    ) {
        exchange.respond(
            status, headers: [HeaderField("Content-Type", type), HeaderField("Cache-Control", "no-store")],
            body: Bytes(text))
    }

    private func answer(_ exchange: HTTPExchange, _ status: Int, json: [UInt8]) {
        exchange.respond(
            status,
            headers: [HeaderField("Content-Type", "application/json"), HeaderField("Cache-Control", "no-store")],
            body: Bytes(json))
    }

    private func refuse(_ exchange: HTTPExchange, _ status: Int, _ code: String, _ message: String) {
        exchange.respond(status, errorResponse(status, code, message))
    }

    private func errorResponse(_ status: Int, _ code: String, _ message: String) -> HTTPResponse {
        let response = HTTPResponse(body: errorBody(dialect: nil, status: status, code: code, message: message))
        response.add("Content-Type", "application/json")
        return response
    }
}
