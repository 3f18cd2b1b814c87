import Core
import Foreign
import Glibc
import TestKit
import Testing

/// The plain life of a connection: requests, answers, their order and their end.
@Suite struct HTTPServerTests {
    static func post(_ body: String, _ target: String = "/p") -> String {
        "POST \(target) HTTP/1.1\r\nHost: a\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    @Test func answersManyRequestsOnOneConnection() throws {
        let server = try HTTPTestServer()
        defer { server.stop() }
        let client = server.client()
        for number in 0..<50 {
            client.send(HTTPServerTests.post("body \(number)", "/\(number)"))
            let response = try #require(client.readResponse())
            #expect(response.text == "body \(number)")
            #expect(response.header("x-target") == "/\(number)")
            #expect(response.header("connection") == nil)
        }
        #expect(server.onLoop { $0.server.connectionCount } == 1)
    }

    @Test func answersPipelinedRequestsInOrder() throws {
        let server = try HTTPTestServer()
        defer { server.stop() }
        let client = server.client()
        client.send((0..<200).map { HTTPServerTests.post("body \($0)", "/\($0)") }.joined())
        for number in 0..<200 { #expect(client.readResponse()?.text == "body \(number)") }
    }

    /// The second request is already in the buffer while the first waits for its answer.
    @Test func keepsABodyWholeWhileItWaits() throws {
        let server = try HTTPTestServer { _, handler in
            handler.onReceived = { [unowned handler] exchange in
                guard exchange.body.count > 3 else { return HTTPTestServer.echo(exchange) }
                handler.waiting.append(exchange)
            }
        }
        defer { server.stop() }
        let client = server.client()
        client.send(HTTPServerTests.post("first") + HTTPServerTests.post("2nd"))
        server.until { $0.handler.waiting.count == 1 }
        server.onLoop { HTTPTestServer.echo($0.handler.waiting.removeFirst()) }
        #expect(client.readResponse()?.text == "first")
        #expect(client.readResponse()?.text == "2nd")
    }

    @Test func takesARequestByteByByte() throws {
        let server = try HTTPTestServer()
        defer { server.stop() }
        let client = server.client()
        for byte in HTTPServerTests.post("hello", "/slow?x=1").utf8 { client.send([byte]) }
        let response = try #require(client.readResponse())
        #expect(response.text == "hello")
        #expect(response.header("x-target") == "/slow?x=1")
    }

    @Test func takesChunkedBodies() throws {
        let server = try HTTPTestServer()
        defer { server.stop() }
        let client = server.client()
        let head = "POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        client.send(head + "5\r\nhello\r\n1;ext=1\r\n \r\n5\r\nworld\r\n0\r\n\r\n")
        #expect(client.readResponse()?.text == "hello world")
        client.send(head + "0\r\n\r\n")
        #expect(client.readResponse()?.text == "")
        client.send(head + "2\r\nhi\r\n0\r\nTrailer: x\r\n\r\n")
        #expect(client.readResponse()?.text == "hi")
        for byte in (head + "3\r\nabc\r\n0\r\n\r\n").utf8 { client.send([byte]) }
        #expect(client.readResponse()?.text == "abc")
    }

    @Test(arguments: [1, 100, 2047, 2048, 2049, 8191, 65_536, 1_000_000]) func collectsBodies(size: Int) throws {
        let server = try HTTPTestServer()
        defer { server.stop() }
        let client = server.client()
        var random = SeededRandom(seed: UInt64(size))
        let body = (0..<size).map { _ in UInt8.random(in: 0...255, using: &random) }
        for _ in 0..<2 {
            client.send(Array("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \(size)\r\n\r\n".utf8) + body)
            #expect(client.readResponse()?.body == body)
        }
    }

    @Test func handsOverHeaders() throws {
        let server = try HTTPTestServer { _, handler in
            handler.onReceived = { exchange in
                let lines = exchange.headers.map { "\($0.name.text)=\($0.value.text)" }.joined(separator: "|")
                let facts = [
                    lines, exchange.header(named: "x-two")?.text ?? "-", exchange.header(named: "none")?.text ?? "-",
                    exchange.peerAddress, "\(exchange.method)", exchange.isHTTP10 ? "1.0" : "1.1",
                ]
                exchange.respond(200, body: Bytes(facts.joined(separator: "\n")))
            }
        }
        defer { server.stop() }
        let client = server.client()
        client.send("PUT / HTTP/1.1\r\nHost: a\r\nX-One:  1 \r\nx-two: 2\r\nX-Two: 3\r\nCookie: c=d\r\n\r\n")
        #expect(
            client.readResponse()?.text
                == "Host=a|X-One=1|x-two=2|X-Two=3|Cookie=c=d\n2\n-\n127.0.0.1\nput\n1.1")
    }

    @Test func closesWhereTheClientAsksForIt() throws {
        let server = try HTTPTestServer()
        defer { server.stop() }
        let closing = server.client()
        closing.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        #expect(closing.readResponse()?.header("connection") == "close")
        #expect(closing.isClosed())
        let old = server.client()
        old.send("GET / HTTP/1.0\r\n\r\n")
        #expect(old.readResponse()?.status == 200)
        #expect(old.isClosed())
        let kept = server.client()
        for _ in 0..<2 {
            kept.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            #expect(kept.readResponse()?.header("connection") == "Keep-Alive")
        }
    }

    @Test func sendsNoBodyWhereThereIsNone() throws {
        let server = try HTTPTestServer { _, handler in
            handler.onReceived = { exchange in
                let status = exchange.target.text == "/" ? 200 : Int(exchange.target.text.dropFirst()) ?? 200
                exchange.respond(status, body: Bytes("text"))
            }
        }
        defer { server.stop() }
        let client = server.client()
        client.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(client.readResponse(toHead: true)?.header("content-length") == "4")
        for status in [204, 304, 200] {
            client.send("GET /\(status) HTTP/1.1\r\nHost: a\r\n\r\n")
            let response = try #require(client.readResponse())
            #expect(response.status == status)
            #expect(response.text == (status == 200 ? "text" : ""))
        }
    }

    @Test func sendsAPreparedResponseManyTimes() throws {
        let server = try HTTPTestServer { _, handler in
            let prepared = HTTPResponse(body: Bytes("prepared"))
            prepared.add("x-kind", "prepared")
            handler.onReceived = { $0.respond(200, prepared) }
        }
        defer { server.stop() }
        let clients = [server.client(), server.client()]
        for _ in 0..<20 {
            for client in clients {
                client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                let response = try #require(client.readResponse())
                #expect(response.text == "prepared")
                #expect(response.header("x-kind") == "prepared")
            }
        }
    }

    @Test func sendsTwoPiecesAndKeptLines() throws {
        let server = try HTTPTestServer { _, handler in
            handler.onReceived = { exchange in
                let entry = Entry(
                    facts: .init(createdAt: 0, ttl: 1, dialect: .chat, origin: .whole),
                    headers: [HeaderField("x-a", "1"), HeaderField("x-b", "2")], whole: Bytes("one two three"),
                    stream: nil)
                guard let content = entry.content(.whole) else { return }
                let response = HTTPResponse(
                    owner: entry.owner, UnsafeRawBufferPointer(rebasing: content[..<4]),
                    UnsafeRawBufferPointer(rebasing: content[8...]))
                response.add(lines: entry.headerStrings)
                exchange.respond(200, response)
            }
        }
        defer { server.stop() }
        let client = server.client()
        for _ in 0..<3 {
            client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            let response = try #require(client.readResponse())
            #expect(response.text == "one three")
            #expect(response.header("x-a") == "1")
            #expect(response.header("x-b") == "2")
        }
    }

    @Test func leavesOutHeaderLinesThatHTTPForbids() throws {
        let server = try HTTPTestServer { _, handler in
            handler.onReceived = { exchange in
                let response = HTTPResponse(body: Bytes("x"))
                let kept = [
                    response.add("x-a", "b\r\nx-injected: c"), response.add("x a", "b"), response.add("x-empty", ""),
                    response.add("Content-Length", "99"), response.add("x-good", "yes"),
                ]
                exchange.respond(kept == [false, false, false, false, true] ? 200 : 500, response)
            }
        }
        defer { server.stop() }
        let client = server.client()
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        let response = try #require(client.readResponse())
        #expect(response.status == 200)
        #expect(response.header("x-injected") == nil)
        #expect(response.header("x-good") == "yes")
    }

    @Test func answersBeforeTheBody() throws {
        let server = try HTTPTestServer { _, handler in
            handler.onBegan = { exchange in
                exchange.respond(401, body: Bytes("no"))
                return .collect(limit: 100)
            }
        }
        defer { server.stop() }
        let client = server.client()
        client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\n")
        #expect(client.readResponse()?.status == 401)
        #expect(client.isClosed())
        // Without a body to come there is no reason to close.
        let other = server.client()
        for _ in 0..<2 {
            other.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(other.readResponse()?.text == "no")
        }
    }

    @Test func answersOnceAndIgnoresTheRest() throws {
        let server = try HTTPTestServer { _, handler in
            handler.onReceived = { [unowned handler] exchange in
                exchange.respond(200, body: Bytes("first"))
                exchange.respond(500, body: Bytes("second"))
                handler.waiting.append(exchange)
            }
        }
        defer { server.stop() }
        let client = server.client()
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(client.readResponse()?.text == "first")
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(client.readResponse()?.text == "first")
        // The kept ones have ended, and a new request must not be found in them.
        server.onLoop { server in
            for exchange in server.handler.waiting {
                exchange.respond(500, body: Bytes("late"))
                exchange.wake()
                exchange.abort()
            }
        }
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(client.readResponse()?.text == "first")
    }

    @Test func refusesAPortInUse() throws {
        let server = try HTTPTestServer()
        defer { server.stop() }
        let port = server.port
        #expect(throws: HTTPServerError.self) { try HTTPTestServer { options, _ in options.port = port } }
        #expect(throws: HTTPServerError.self) { try HTTPTestServer { options, _ in options.address = "nowhere" } }
    }

    @Test func sharesAPort() throws {
        let first = try HTTPTestServer { options, _ in (options.reusePort, options.claimsPort) = (true, true) }
        defer { first.stop() }
        let port = first.port
        #expect(throws: HTTPServerError.self, "another process's first server") {
            try HTTPTestServer { options, _ in
                (options.port, options.reusePort, options.claimsPort) = (port, true, true)
            }
        }
        let second = try HTTPTestServer { options, _ in (options.port, options.reusePort) = (port, true) }
        defer { second.stop() }
        for _ in 0..<20 {
            let client = first.client()
            client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(client.readResponse()?.status == 200)
        }
    }

    @Test func servesTwoThousandConnections() throws {
        var limit = rlimit(rlim_cur: 0, rlim_max: 0)
        getrlimit(__rlimit_resource_t(7), &limit)
        limit.rlim_cur = min(limit.rlim_max, 8192)
        setrlimit(__rlimit_resource_t(7), &limit)
        let server = try HTTPTestServer()
        defer { server.stop() }
        let clients = (0..<2000).map { _ in server.client() }
        for round in 0..<2 {
            for (number, client) in clients.enumerated() { client.send(HTTPServerTests.post("\(round) \(number)")) }
            for (number, client) in clients.enumerated() {
                #expect(client.readResponse()?.text == "\(round) \(number)")
            }
        }
        #expect(server.onLoop { $0.server.connectionCount } == 2000)
    }
}
