import Core
import Foreign
import Synchronization
import Testing

/// Calls against servers that follow a script byte by byte.
@Suite(.timeLimit(.minutes(1))) struct UpstreamCallTests {
    private func call(
        _ request: UpstreamRequest = .post("{}"), change: (inout UpstreamOptions) -> Void = { _ in },
        script: @escaping @Sendable (ScriptedConnection) -> Void
    ) async throws -> RecordingSink.Record {
        let server = try ScriptedServer(script: script)
        let bench = try UpstreamBench(server.base, change)
        let record = await bench.call(request)
        let active = await bench.activeCount()
        bench.close()
        server.stop()
        #expect(active == 0)
        #expect(record.ends.count == 1)
        #expect(bench.observations.count == 1)
        return record
    }

    /// Answers each request of a connection with `answer`.
    private static func answering(_ answer: String) -> @Sendable (ScriptedConnection) -> Void {
        { connection in while connection.readRequest() != nil { connection.send(answer) } }
    }

    // MARK: Answers

    struct Answer: Sendable, CustomTestStringConvertible {
        var name: String
        var wire: [String]
        var status = 200
        var body = ""
        var headers: [HeaderField] = []
        var closes = true
        var method = "POST"
        var testDescription: String { name }
    }

    static let answers: [Answer] = [
        Answer(
            name: "length", wire: ["HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: b\r\n\r\nhello"], body: "hello",
            headers: [HeaderField("Content-Length", "5"), HeaderField("X-A", "b")]),
        Answer(
            name: "chunked",
            wire: ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n", "2\r\nlo\r\n0\r\n\r\n"],
            body: "hello"),
        Answer(
            name: "chunked with trailer",
            wire: ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX-T: 1\r\n\r\n"], body: "x"),
        Answer(name: "until close", wire: ["HTTP/1.1 200 OK\r\n\r\nhel", "lo"], body: "hello"),
        Answer(
            name: "HTTP/1.0", wire: ["HTTP/1.0 200 OK\r\nServer: x\r\n\r\nhi"], body: "hi",
            headers: [HeaderField("Server", "x")]),
        Answer(
            name: "events in halves",
            wire: [
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nda", "ta: 1\n\n\r\n4\r\ndata",
                "\r\n5\r\n: 2\n\n\r\n0\r\n\r\n",
            ],
            body: "data: 1\n\ndata: 2\n\n"),
        Answer(
            name: "204", wire: ["HTTP/1.1 204 No Content\r\nX-A: b\r\n\r\n"], status: 204,
            headers: [HeaderField("X-A", "b")], closes: false),
        Answer(
            name: "304", wire: ["HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n"], status: 304,
            headers: [HeaderField("Content-Length", "7")], closes: false),
        Answer(
            name: "HEAD", wire: ["HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"],
            headers: [HeaderField("Content-Length", "500")],
            closes: false, method: "HEAD"),
        Answer(
            name: "100 and 103 first",
            wire: [
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n",
                "HTTP/1.1 201 C\r\nContent-Length: 1\r\n\r\ny",
            ],
            status: 201, body: "y", headers: [HeaderField("Content-Length", "1")]),
        Answer(
            name: "redirect",
            wire: ["HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"], status: 302,
            headers: [HeaderField("Location", "http://127.0.0.1:1/"), HeaderField("Content-Length", "0")]),
        Answer(
            name: "longer than its length", wire: ["HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokGARBAGE"], body: "ok",
            headers: [HeaderField("Content-Length", "2")]),
        Answer(
            name: "429", wire: ["HTTP/1.1 429 Slow Down\r\nRetry-After: 2\r\nContent-Length: 0\r\n\r\n"], status: 429,
            headers: [HeaderField("Retry-After", "2"), HeaderField("Content-Length", "0")]),
        Answer(
            name: "binary header", wire: ["HTTP/1.1 200 OK\r\nX-A: né\r\nContent-Length: 0\r\n\r\n"],
            headers: [HeaderField("X-A", "né"), HeaderField("Content-Length", "0")]),
    ]

    @Test(arguments: answers) func delivers(answer: Answer) async throws {
        var request = UpstreamRequest.post("{}", decodes: false)
        request.method = answer.method
        let record = try await call(request) { connection in
            _ = connection.readRequest()
            for piece in answer.wire { connection.send(piece) }
            if !answer.closes { connection.waitForClose() }
        }
        #expect(record.ends == [.complete])
        #expect(record.heads == 1)
        #expect(record.head?.status == answer.status)
        #expect(record.head?.headers == answer.headers)
        #expect(record.text == answer.body)
    }

    // MARK: Failures

    struct Breakage: Sendable, CustomTestStringConvertible {
        var name: String
        var wire: String
        var kinds: Set<UpstreamFailure.Kind>
        var resets = false
        var hasHead = false
        var testDescription: String { name }
    }

    static let breakages: [Breakage] = [
        Breakage(name: "closed before the head", wire: "", kinds: [.reset]),
        Breakage(name: "reset before the head", wire: "", kinds: [.reset], resets: true),
        Breakage(name: "half a head", wire: "HTTP/1.1 200 OK\r\nContent-Le", kinds: [.reset, .malformed]),
        Breakage(
            name: "shorter than its length", wire: "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", kinds: [.reset],
            hasHead: true),
        Breakage(
            name: "reset in the body", wire: "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", kinds: [.reset],
            resets: true, hasHead: true),
        Breakage(
            name: "half an event", wire: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\ndata: {\"\r\n",
            kinds: [.reset],
            hasHead: true),
        Breakage(
            name: "broken chunk size",
            wire: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n",
            kinds: [.malformed], hasHead: true),
        Breakage(name: "garbage", wire: "\u{16}\u{3}\u{1} what is this\r\n\r\n", kinds: [.malformed]),
        Breakage(name: "HTTP/0.9", wire: "<html>hello</html>", kinds: [.malformed]),
        Breakage(name: "status is no number", wire: "HTTP/1.1 abc OK\r\n\r\n", kinds: [.malformed]),
        Breakage(
            name: "two lengths", wire: "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
            kinds: [.malformed]),
        Breakage(
            name: "bad header name", wire: "HTTP/1.1 200 OK\r\nX Y: 1\r\nContent-Length: 0\r\n\r\n", kinds: [.malformed]
        ),
        Breakage(
            name: "huge head",
            wire: "HTTP/1.1 200 OK\r\n" + String(repeating: "X-Filler: 0123456789\r\n", count: 20_000) + "\r\n",
            kinds: [.tooLarge]),
        Breakage(
            name: "endless header line", wire: "HTTP/1.1 200 OK\r\nX: " + String(repeating: "y", count: 1 << 20),
            kinds: [.tooLarge, .malformed]),
        Breakage(
            name: "switches protocols unasked", wire: "HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\nhello",
            kinds: [.malformed, .reset]),
        Breakage(
            name: "unknown coding", wire: "HTTP/1.1 200 OK\r\nContent-Encoding: zork\r\nContent-Length: 2\r\n\r\nhi",
            kinds: [.malformed],
            hasHead: true),
        Breakage(
            name: "false gzip",
            wire: "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 20\r\n\r\nthis is no gzip data",
            kinds: [.malformed], hasHead: true),
    ]

    @Test(arguments: breakages) func reports(breakage: Breakage) async throws {
        let record = try await call { connection in
            _ = connection.readRequest()
            connection.send(breakage.wire)
            if breakage.resets { connection.reset() }
        }
        let kind = try #require(record.ends.first?.failureKind)
        #expect(breakage.kinds.contains(kind), "\(record.ends)")
        #expect((record.head != nil) == breakage.hasHead)
    }

    @Test func reportsRefusedConnections() async throws {
        let bench = try UpstreamBench("http://127.0.0.1:\(try ScriptedServer.unusedPort())")
        let record = await bench.call(.get())
        bench.close()
        #expect(record.ends.map(\.failureKind) == [.connect])
    }

    @Test func reportsUnknownHosts() async throws {
        let bench = try UpstreamBench("http://no-such-host.invalid")
        let record = await bench.call(.get())
        bench.close()
        #expect(record.ends.map(\.failureKind) == [.resolve])
    }

    @Test(arguments: [
        ("", false), ("HTTP/1.1 200 OK\r\nContent-Le", false),
        ("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", true),
    ]) func timesOut(wire: String, hasHead: Bool) async throws {
        let record = try await call(
            change: {
                $0.firstByteTimeout = .milliseconds(50)
                $0.idleTimeout = .milliseconds(50)
            },
            script: { connection in
                _ = connection.readRequest()
                connection.send(wire)
                connection.waitForClose()
            })
        #expect(record.ends.map(\.failureKind) == [.timeout])
        #expect((record.head != nil) == hasHead)
    }

    @Test func totalTimeoutEndsATrickle() async throws {
        let record = try await call(
            change: { $0.totalTimeout = .milliseconds(100) },
            script: { connection in
                _ = connection.readRequest()
                connection.send("HTTP/1.1 200 OK\r\n\r\n")
                while connection.send("x") {}
            })
        #expect(record.ends.map(\.failureKind) == [.timeout])
    }

    // MARK: What the server sees

    @Test func sendsTheRequestAsItIs() async throws {
        let seen = Shared(Mutex<ScriptedConnection.Request?>(nil))
        var request = UpstreamRequest.post("{\"a\": 1}", "/v1/chat/completions?x=%2f&&y=[1]{2}")
        request.headers = [
            HeaderField("X-One", "1"), HeaderField("Connection", "keep-alive, X-Hop"), HeaderField("X-Hop", "gone"),
            HeaderField("authorization", "Bearer k"), HeaderField("Host", "wrong"), HeaderField("TE", "trailers"),
            HeaderField("Content-Length", "999"), HeaderField("Transfer-Encoding", "chunked"),
            HeaderField("Expect", "100-continue"), HeaderField("X-Empty", ""), HeaderField("X-One", "2"),
        ]
        let server = try ScriptedServer { connection in
            seen.value.withLock { $0 = connection.readRequest() }
            connection.send("HTTP/1.1 204 No\r\n\r\n")
        }
        let bench = try UpstreamBench(server.base)
        let record = await bench.call(request)
        bench.close()
        server.stop()
        #expect(record.ends == [.complete])
        let sent = try #require(seen.value.withLock { $0 })
        #expect(sent.lines[0] == "POST /v1/chat/completions?x=%2f&&y=[1]{2} HTTP/1.1")
        #expect(
            Set(sent.lines.dropFirst()) == [
                "Host: 127.0.0.1:\(server.port)", "X-One: 1", "X-One: 2", "authorization: Bearer k", "X-Empty:",
                "Content-Length: 8",
            ])
        #expect(String(decoding: sent.body, as: UTF8.self) == "{\"a\": 1}")
    }

    @Test(arguments: ["//a/../b/./c", "/a?", "/%zz", "/a;b=c?d=e?f", "/x|y\\z^`\"<>{}[]", "/v1/models"])
    func targetsArriveUntouched(target: String) async throws {
        #expect(try await targetSeen(for: target) == target)
    }

    @Test func targetsArriveInAscii() async throws {
        #expect(try await targetSeen(for: "/é") == "/%c3%a9")
    }

    private func targetSeen(for target: String) async throws -> String {
        try await call(.get(target)) { connection in
            guard let request = connection.readRequest() else { return }
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: \(request.target.utf8.count)\r\n\r\n" + request.target)
        }.text
    }

    @Test(arguments: [
        ("GET", false), ("DELETE", false), ("OPTIONS", false), ("POST", true), ("PUT", true), ("PATCH", true),
    ])
    func methodsWithoutBody(method: String, hasLength: Bool) async throws {
        var request = UpstreamRequest.get("/x")
        request.method = method
        let record = try await call(request) { connection in
            guard let request = connection.readRequest() else { return }
            let text = request.lines[0] + " " + request.values(of: "Content-Length").joined(separator: ",")
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: \(text.utf8.count)\r\n\r\n" + text)
        }
        #expect(record.text == "\(method) /x HTTP/1.1 " + (hasLength ? "0" : ""))
    }

    @Test(arguments: ["CONNECT", "", "G T", "GET\r\nX: y"]) func refusesMethods(method: String) async throws {
        let bench = try UpstreamBench("http://127.0.0.1:1")
        var request = UpstreamRequest.get("/x")
        request.method = method
        let record = await bench.call(request)
        bench.close()
        #expect(record.ends.map(\.failureKind) == [.unsendable])
    }

    @Test(arguments: [
        HeaderField("X-A", "1\r\nX-B: 2"), HeaderField("X A", "1"), HeaderField("", "1"), HeaderField("X", "\0"),
    ])
    func refusesHeaderInjection(field: HeaderField) async throws {
        let bench = try UpstreamBench("http://127.0.0.1:1")
        let record = await bench.call(.get("/", headers: [field]))
        bench.close()
        #expect(record.ends.map(\.failureKind) == [.unsendable])
    }

    /// A refused request must leave nothing behind in the handle that the next one gets.
    @Test func aRefusedRequestLeavesNothingBehind() async throws {
        let server = try ScriptedServer { connection in
            guard let request = connection.readRequest() else { return }
            let count = request.values(of: "X-Secret").count
            connection.send("HTTP/1.1 2\(count)0 X\r\nContent-Length: 0\r\n\r\n")
        }
        let bench = try UpstreamBench(server.base)
        let fields = [HeaderField("X-Secret", "1"), HeaderField("Bad Name", "1")]
        #expect(await bench.call(.get("/", headers: fields)).ends.map(\.failureKind) == [.unsendable])
        #expect(await bench.call(.get("/")).head?.status == 200)
        bench.close()
        server.stop()
    }

    // MARK: Compression

    /// `printf 'hello hello hello' | gzip -n`
    private static let gzip: [UInt8] = [
        31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 203, 72, 205, 201, 201, 87, 200, 64, 144, 0, 128, 136, 249, 229, 17, 0, 0, 0,
    ]

    @Test(arguments: [true, false]) func decodesGzip(decodes: Bool) async throws {
        var request = UpstreamRequest.post("{}", decodes: decodes)
        request.headers.append(HeaderField("Accept-Encoding", "gzip;q=0.5"))
        let asked = Shared(Mutex<[String]>([]))
        let record = try await call(request) { connection in
            guard let request = connection.readRequest() else { return }
            asked.value.withLock { $0 = request.values(of: "Accept-Encoding") }
            connection.send(
                "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: \(UpstreamCallTests.gzip.count)\r\n\r\n")
            connection.send(UpstreamCallTests.gzip)
        }
        #expect(record.ends == [.complete])
        #expect(record.body == (decodes ? Array("hello hello hello".utf8) : UpstreamCallTests.gzip))
        #expect((record.head?.headers.first(named: "Content-Encoding") == nil) == decodes)
        let accepted = asked.value.withLock { $0 }
        #expect(accepted.count == 1)
        #expect((accepted == ["gzip;q=0.5"]) == !decodes)
    }

    @Test func asksForNoCompressionByItself() async throws {
        let record = try await call { connection in
            guard let request = connection.readRequest() else { return }
            connection.send("HTTP/1.1 2\(request.values(of: "Accept-Encoding").count)0 X\r\nContent-Length: 0\r\n\r\n")
        }
        #expect(record.head?.status == 200)
    }
}

/// A reference to something that cannot be copied.
final class Shared<Value: ~Copyable & Sendable>: Sendable {
    let value: Value
    init(_ value: consuming Value) { self.value = value }
}
