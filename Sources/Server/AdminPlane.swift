import Core
import Dialects
import Engine
import Foreign

/// The admin port: health, metrics, statistics, explain and purge. Belongs to one worker's thread.
final class AdminPlane: HTTPHandler {
    private let context: ServerContext
    private let readiness: @Sendable () -> Bool
    private let explainer: Explainer
    private let started: Int64

    /// The largest body of an admin request that carries no client's request.
    private static let controlLimit = 64 << 10

    init(context: ServerContext, readiness: @escaping @Sendable () -> Bool) {
        self.context = context
        self.readiness = readiness
        explainer = Explainer(context: context)
        started = context.clock.monotonic()
    }

    private struct Page: Sendable {
        let method: HTTPExchange.Method
        let path: StaticString
        let summary: String
        /// Open without the token, so that a supervisor needs none.
        var isPublic = false
        let answer: @Sendable (AdminPlane, HTTPExchange) -> Void
    }

    private static let pages: [Page] = [
        Page(method: .get, path: "/healthz", summary: "200 while the process lives", isPublic: true) {
            plane, exchange in
            plane.answer(exchange, 200, text: "ok\n")
        },
        Page(
            method: .get, path: "/readyz", summary: "200 while it takes requests, 503 before and after", isPublic: true
        ) {
            plane, exchange in
            let isReady = plane.readiness()
            plane.answer(exchange, isReady ? 200 : 503, text: isReady ? "ready\n" : "not ready\n")
        },
        Page(method: .get, path: "/metrics", summary: "Prometheus text format") { plane, exchange in
            plane.answer(
                exchange, 200, text: Exposition.text(plane.context.registry), type: Exposition.contentType)
        },
        Page(method: .get, path: "/api/stats", summary: "what `refrain stats` shows, as JSON") { plane, exchange in
            let uptime = plane.context.clock.monotonic() - plane.started
            plane.answer(exchange, 200, json: StatsSnapshot(plane.context.registry, uptime: uptime).json())
        },
        Page(method: .post, path: "/api/explain", summary: "how a request would be looked up") { plane, exchange in
            plane.answer(exchange, 200, json: plane.explainer.explain(exchange))
        },
        Page(method: .post, path: "/api/purge", summary: "drop one answer or all") { plane, exchange in
            plane.purge(exchange)
        },
        Page(method: .get, path: "/", summary: "this list") { plane, exchange in
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
            refuse(exchange, 404, "not-found", "There is no such admin page; GET / lists them.")
            return .collect(limit: 0)
        }
        guard page.isPublic || isAuthorised(exchange) else {
            let response = errorResponse(
                401, "unauthorised", "Send the admin token as `Authorization: Bearer …`; it is the setting admin.token."
            )
            response.add("WWW-Authenticate", "Bearer realm=\"refrain admin\"")
            exchange.respond(401, response)
            return .collect(limit: 0)
        }
        guard page.isPublic || isFromHere(exchange) else {
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
        let isExplain = path.elementsEqual("/api/explain")
        return .collect(
            limit: isExplain ? context.settings.limits.requestBody.bytes : AdminPlane.controlLimit)
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
        }
        return !AdminPlane.isLoopback(admin.listen.host) || AdminPlane.isLoopback(host)
    }

    /// Whether an address or name, with or without a port, can only mean this machine.
    static func isLoopback(_ host: String) -> Bool {
        if host.isEmpty || host == "::1" { return true }
        let name = host.hasPrefix("[") ? host.prefix { $0 != "]" } + "]" : host.prefix { $0 != ":" }
        if name == "localhost" || name == "[::1]" { return true }
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }

    private func purge(_ exchange: HTTPExchange) {
        guard let request = try? JSONValue.parse(exchange.body), let object = request.object else {
            return refuse(exchange, 400, "not-json", "Send {\"key\": \"…\"} or {\"all\": true}.")
        }
        let count: Int
        if let text = object["key"]?.text {
            guard let key = CacheKey(hex: text) else {
                return refuse(exchange, 400, "bad-key", "A key has 64 hexadecimal digits.")
            }
            count = context.engine.purge(key) ? 1 : 0
            context.log.write(.info, "purged", LogField("key", key.hex), LogField("count", count))
        } else if object["all"] == .bool(true) {
            count = context.engine.purgeAll()
            context.log.write(.info, "purged all", LogField("count", count))
        } else {
            return refuse(exchange, 400, "nothing-named", "Send {\"key\": \"…\"} or {\"all\": true}.")
        }
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("purged", count)
        writer.endObject()
        answer(exchange, 200, json: writer.bytes)
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
