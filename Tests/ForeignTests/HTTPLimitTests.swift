import Core
import Foreign
import Glibc
import TestKit
import Testing

/// Sizes, counts and times: what happens at the limit, and that it happens at all.
@Suite struct HTTPLimitTests {
    private static let millisecond: Int64 = 1_000_000

    private static func limited(_ limit: Int) throws -> HTTPTestServer {
        try HTTPTestServer { _, handler in handler.onBegan = { _ in .collect(limit: limit) } }
    }

    private static func expectTooLarge(_ client: HTTPTestClient, _ server: HTTPTestServer) throws {
        let response = try #require(client.readResponse())
        #expect(response.status == 413)
        #expect(response.text == #"{"error":"body-too-large"}"#)
        #expect(response.header("connection") == "close")
        #expect(server.onLoop { $0.handler.refusals } == [.bodyTooLarge])
    }

    @Test func refusesADeclaredBodyBeforeItComes() throws {
        let server = try Self.limited(10)
        defer { server.stop() }
        let client = server.client()
        client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n")
        try Self.expectTooLarge(client, server)
        client.send([UInt8](repeating: 120, count: 11))
        #expect(client.isClosed())
    }

    @Test func takesABodyAtTheLimit() throws {
        let server = try Self.limited(10)
        defer { server.stop() }
        let client = server.client()
        client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n0123456789")
        #expect(client.readResponse()?.text == "0123456789")
        client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n0\r\n\r\n")
        #expect(client.readResponse()?.text == "0123456789")
    }

    @Test func refusesAChunkedBodyOnceItIsTooLong() throws {
        let server = try Self.limited(10)
        defer { server.stop() }
        let client = server.client()
        client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n012345\r\n6\r\n012345\r\n")
        try Self.expectTooLarge(client, server)
        client.send("0\r\n\r\n")
        #expect(client.isClosed())
    }

    /// A client that sends all of a hundred megabytes before it reads must find the answer, not a reset.
    @Test(arguments: [true, false]) func answersAClientThatDoesNotListen(declares: Bool) throws {
        let server = try Self.limited(1 << 20)
        defer { server.stop() }
        let client = server.client()
        let size = 50_000_000
        let block = [UInt8](repeating: 120, count: 1_000_000)
        client.send(
            "POST / HTTP/1.1\r\nHost: a\r\n\(declares ? "Content-Length: \(size)" : "Transfer-Encoding: chunked")\r\n\r\n"
        )
        for _ in 0..<(size / block.count) {
            if !declares { client.send("\(String(block.count, radix: 16))\r\n") }
            #expect(client.send(block))
            if !declares { client.send("\r\n") }
        }
        if !declares { client.send("0\r\n\r\n") }
        try Self.expectTooLarge(client, server)
        #expect(client.isClosed())
    }

    /// And a body without end is cut at last.
    @Test func cutsAClientThatNeverStops() throws {
        let server = try Self.limited(10)
        defer { server.stop() }
        let client = server.client()
        client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        let block = Array("100000\r\n".utf8) + [UInt8](repeating: 120, count: 1 << 20) + Array("\r\n".utf8)
        var sent = 0
        while sent < 1000, client.send(block) { sent += 1 }
        #expect(sent < 1000)
        server.until { $0.server.connectionCount == 0 }
    }

    @Test func asksForTheBodyOnlyWhenItWantsIt() throws {
        let server = try Self.limited(10)
        defer { server.stop() }
        let client = server.client()
        client.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
        #expect(client.readResponse()?.status == 100)
        client.send("hello")
        #expect(client.readResponse()?.text == "hello")
        client.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 11\r\n\r\n")
        try Self.expectTooLarge(client, server)
        #expect(client.isClosed())
    }

    @Test func turnsAwayConnectionsBeyondTheLimit() throws {
        let server = try HTTPTestServer { options, _ in options.connectionLimit = 3 }
        defer { server.stop() }
        do {
            let clients = (0..<3).map { _ in server.client() }
            for client in clients {
                client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(client.readResponse()?.status == 200)
            }
            let fourth = server.client()
            #expect(fourth.isClosed())
            #expect(server.onLoop { $0.server.refusedConnections } == 1)
        }
        server.until { $0.server.connectionCount == 0 }
        let later = server.client()
        later.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(later.readResponse()?.status == 200)
    }

    @Test func cutsSlowHeads() throws {
        let server = try HTTPTestServer { options, _ in options.headTimeout = 200 * Self.millisecond }
        defer { server.stop() }
        let silent = server.client()
        let trickling = server.client()
        trickling.send("GET / HTTP/1.1\r\nHost: a\r\n")
        // Every byte is activity, and the head never ends.
        var sent = 0
        while sent < 10_000, trickling.send("X: y\r\n") {
            sent += 1
            usleep(20_000)
        }
        #expect(sent < 10_000)
        #expect(silent.isClosed())
        server.until { $0.server.connectionCount == 0 }
    }

    @Test func cutsSlowBodies() throws {
        let server = try HTTPTestServer { options, _ in options.bodyTimeout = 200 * Self.millisecond }
        defer { server.stop() }
        let client = server.client()
        client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf")
        #expect(client.isClosed())
        server.until { $0.server.connectionCount == 0 }
    }

    @Test func cutsIdleConnections() throws {
        let server = try HTTPTestServer { options, _ in options.idleTimeout = 200 * Self.millisecond }
        defer { server.stop() }
        let client = server.client()
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(client.readResponse()?.status == 200)
        #expect(client.isClosed())
    }

    /// An answer may take longer than any of the other limits.
    @Test func waitsForASlowAnswer() throws {
        let server = try HTTPTestServer { options, handler in
            options.idleTimeout = 50 * Self.millisecond
            options.headTimeout = 50 * Self.millisecond
            options.bodyTimeout = 50 * Self.millisecond
            handler.onReceived = { [unowned handler] in handler.waiting.append($0) }
        }
        defer { server.stop() }
        let client = server.client()
        client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi")
        server.until { $0.handler.waiting.count == 1 }
        usleep(300_000)
        server.onLoop { HTTPTestServer.echo($0.handler.waiting[0]) }
        #expect(client.readResponse()?.text == "hi")
    }

    @Test func cutsAClientThatTakesNothing() throws {
        let server = try HTTPTestServer { options, handler in
            options.sendTimeout = 1
            handler.onReceived = { [unowned handler] exchange in
                exchange.whenClientLeaves { [unowned handler] in handler.events.append("left") }
                exchange.respond(200, body: Bytes([UInt8](repeating: 120, count: 50_000_000)))
            }
        }
        defer { server.stop() }
        let client = server.client(receiveBuffer: 4096)
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        server.until { $0.handler.events == ["left"] && $0.server.connectionCount == 0 }
    }

    @Test func drains() throws {
        let server = try HTTPTestServer { _, handler in
            handler.onReceived = { [unowned handler] exchange in
                guard exchange.target.text == "/wait" else { return HTTPTestServer.echo(exchange) }
                handler.waiting.append(exchange)
            }
        }
        defer { server.stop() }
        let idle = server.client()
        idle.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(idle.readResponse()?.header("connection") == nil)
        let busy = server.client()
        busy.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n")
        server.until { $0.handler.waiting.count == 1 }
        server.onLoop { server in server.server.close { server.handler.events.append("drained") } }
        #expect(idle.isClosed())
        #expect(!server.client().send("GET / HTTP/1.1\r\nHost: a\r\n\r\n"))
        #expect(server.onLoop { $0.handler.events } == [])
        server.onLoop { HTTPTestServer.echo($0.handler.waiting[0]) }
        #expect(busy.readResponse()?.header("connection") == "close")
        #expect(busy.isClosed())
        server.until { $0.handler.events == ["drained"] }
    }

    @Test func drainsWithAPreparedResponse() throws {
        let server = try HTTPTestServer { _, handler in
            let prepared = HTTPResponse(body: Bytes("prepared"))
            handler.onReceived = { [unowned handler] exchange in
                guard exchange.target.text == "/wait" else { return exchange.respond(200, prepared) }
                handler.waiting.append(exchange)
                handler.prepared = prepared
            }
        }
        defer { server.stop() }
        let clients = [server.client(), server.client()]
        for client in clients { client.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n") }
        server.until { $0.handler.waiting.count == 2 }
        server.onLoop { server in
            server.server.close { server.handler.events.append("drained") }
            guard let prepared = server.handler.prepared else { return }
            for exchange in server.handler.waiting { exchange.respond(200, prepared) }
        }
        for client in clients {
            #expect(client.readResponse()?.header("connection") == "close")
            #expect(client.isClosed())
        }
        server.until { $0.handler.events == ["drained"] }
    }
}
