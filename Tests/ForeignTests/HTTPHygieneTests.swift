import Foreign
import Testing

/// Requests that must be refused, and look-alikes that must not.
@Suite struct HTTPHygieneTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var name: String
        var request: String
        var status: Int
        /// nil where the library answers by itself.
        var reason: HTTPRefusal?
        init(_ name: String, _ request: String, _ status: Int, _ reason: HTTPRefusal? = nil) {
            (self.name, self.request, self.status, self.reason) = (name, request, status, reason)
        }
        var testDescription: String { name }
    }

    static let refused: [Case] = [
        Case(
            "two Content-Lengths, equal",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nhi", 400,
            .duplicateContentLength),
        Case(
            "two Content-Lengths, different",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\ncontent-length: 3\r\n\r\nhi", 400,
            .duplicateContentLength),
        Case(
            "Content-Length, then Transfer-Encoding",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400,
            .lengthAndEncoding),
        Case(
            "Transfer-Encoding, then Content-Length",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", 400,
            .lengthAndEncoding),
        Case(
            "Transfer-Encoding: gzip, chunked",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501,
            .unknownTransferEncoding),
        Case(
            "Transfer-Encoding: identity",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n", 501, .unknownTransferEncoding),
        Case(
            "Transfer-Encoding: xchunked",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 501,
            .unknownTransferEncoding),
        Case(
            "two Transfer-Encodings",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            501, .unknownTransferEncoding),
        Case(
            "Transfer-Encoding in HTTP/1.0",
            "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 501, .unknownTransferEncoding),
        Case("Content-Length: -1", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400),
        Case("Content-Length: +2", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +2\r\n\r\nhi", 400),
        Case("Content-Length: 0x2", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x2\r\n\r\nhi", 400),
        Case("Content-Length: 2, 2", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2, 2\r\n\r\nhi", 400),
        Case("empty Content-Length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n", 400),
        Case(
            "Content-Length beyond 64 bits",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999\r\n\r\n", 413),
        Case("no Host", "GET / HTTP/1.1\r\nAccept: */*\r\n\r\n", 400, .missingHost),
        Case("no header line at all", "GET / HTTP/1.1\r\n\r\n", 400, .missingHost),
        Case("two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400, .duplicateHost),
        Case("a folded line", "GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n", 400, .malformedHead),
        Case("a folded last line", "GET / HTTP/1.1\r\nX: b\r\nHost: a\r\n\tc\r\n\r\n", 400, .malformedHead),
        Case("a bare LF between lines", "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", 400, .malformedHead),
        Case("a bare LF after the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n", 400, .malformedHead),
        Case("a bare CR in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: b\rc\r\n\r\n", 400, .malformedHead),
        Case("a NUL in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: b\0c\r\n\r\n", 400, .malformedHead),
        Case("a NUL that ends a value", "GET / HTTP/1.1\r\nHost: a\r\nX: b\0\r\n\r\n", 400, .malformedHead),
        Case("a NUL in a name", "GET / HTTP/1.1\r\nHost: a\r\nX\0Y: b\r\n\r\n", 400),
        Case("a control character in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: \u{1}\r\n\r\n", 400, .malformedHead),
        Case("a blank before the colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400, .malformedHead),
        Case("an empty name", "GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n", 400, .malformedHead),
        Case("a name that is no token", "GET / HTTP/1.1\r\nHost: a\r\nX(Y): b\r\n\r\n", 400, .malformedHead),
        Case("a line without a colon", "GET / HTTP/1.1\r\nHost: a\r\nnonsense\r\n\r\n", 400),
        Case("a line that begins with a blank", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400, .malformedHead),
        Case("TRACE", "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", 405, .methodNotAllowed),
        Case("CONNECT", "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", 405, .methodNotAllowed),
        Case("a method that is no token", "GE(T / HTTP/1.1\r\nHost: a\r\n\r\n", 400, .malformedHead),
        Case("two blanks in the request line", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400, .malformedHead),
        Case("a blank in the target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400, .malformedTarget),
        Case("a target that is no path", "GET a HTTP/1.1\r\nHost: a\r\n\r\n", 400, .malformedTarget),
        Case("a target of another scheme", "GET ftp://a/b HTTP/1.1\r\nHost: a\r\n\r\n", 400, .malformedTarget),
        Case("* with GET", "GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400, .malformedTarget),
        Case(
            "an unknown expectation", "POST / HTTP/1.1\r\nHost: a\r\nExpect: magic\r\nContent-Length: 1\r\n\r\n", 417,
            .unknownExpectation),
        Case(
            "a long header", "GET / HTTP/1.1\r\nHost: a\r\nX: \(String(repeating: "x", count: 9000))\r\n\r\n", 431,
            .headTooLarge),
        Case(
            "a header beyond all memory",
            "GET / HTTP/1.1\r\nHost: a\r\nX: \(String(repeating: "x", count: 100_000))\r\n\r\n", 431),
        Case(
            "many header lines",
            "GET / HTTP/1.1\r\nHost: a\r\n\(String(repeating: "X: y\r\n", count: 101))\r\n", 431, .headTooLarge),
        Case("a target beyond all memory", "GET /\(String(repeating: "x", count: 100_000)) HTTP/1.1\r\n", 414),
        Case("HTTP/2.0", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
        Case("HTTP/0.9", "GET / HTTP/0.9\r\n\r\n", 505),
        Case("no version", "GET /\r\n\r\n", 400),
        Case("a version of another protocol", "GET / HTTX/1.1\r\nHost: a\r\n\r\n", 400),
        Case(
            "a chunk size that is no number",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        Case(
            "a negative chunk size", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n", 400),
        Case(
            "a chunk longer than its size",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabcd\r\n0\r\n\r\n", 400),
        Case(
            "a chunk size beyond 64 bits",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffffff\r\n", 413),
    ]

    @Test(arguments: refused) func refuses(_ example: Case) throws {
        let server = try HTTPTestServer()
        defer { server.stop() }
        let client = server.client()
        client.send(example.request)
        let response = try #require(client.readResponse())
        #expect(response.status == example.status)
        // Whatever a confused library may still have sent, the connection ends and no second answer is read from it.
        _ = client.readToEnd()
        #expect(client.isAtEnd)
        #expect(server.onLoop { $0.handler.refusals } == (example.reason.map { [$0] } ?? []))
        if let reason = example.reason {
            #expect(response.text == #"{"error":"\#(reason.rawValue)"}"#)
            #expect(response.header("content-type") == "application/json")
            #expect(response.header("connection") == "close")
        }
    }

    /// The same requests cut into single bytes give the same answers.
    @Test(arguments: refused.filter { $0.request.utf8.count < 200 }) func refusesBytewise(_ example: Case) throws {
        let server = try HTTPTestServer()
        defer { server.stop() }
        let client = server.client()
        for byte in example.request.utf8 { guard client.send([byte]) else { break } }
        #expect(try #require(client.readResponse()).status == example.status)
    }

    static let accepted: [Case] = [
        Case("HTTP/1.0 without a Host", "GET /p HTTP/1.0\r\n\r\n", 200),
        Case("an absolute target", "GET http://example.com/p HTTP/1.1\r\nHost: a\r\n\r\n", 200),
        Case("blanks around a value", "GET /p HTTP/1.1\r\nHost: \t a \t\r\n\r\n", 200),
        Case("an empty value", "GET /p HTTP/1.1\r\nHost: a\r\nX:\r\n\r\n", 200),
        Case("an empty last value", "GET /p HTTP/1.1\r\nX: y\r\nHost:\r\n\r\n", 200),
        Case("an empty line before the request", "\r\nGET /p HTTP/1.1\r\nHost: a\r\n\r\n", 200),
        Case("bytes beyond ASCII in a value", "GET /p HTTP/1.1\r\nHost: a\r\nX: \u{e9}\r\n\r\n", 200),
        Case("an unknown method", "BREW /p HTTP/1.1\r\nHost: a\r\n\r\n", 200),
        Case(
            "Transfer-Encoding: CHUNKED", "POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: CHUNKED\r\n\r\n0\r\n\r\n",
            200),
        Case("a cookie", "GET /p HTTP/1.1\r\nHost: a\r\nCookie: a=b; c=d\r\nX: y\r\n\r\n", 200),
        Case("a hundred lines", "GET /p HTTP/1.1\r\nHost: a\r\n\(String(repeating: "X: y\r\n", count: 99))\r\n", 200),
        Case(
            "a head at the limit",
            "GET /p HTTP/1.1\r\nHost: a\r\nX: \(String(repeating: "x", count: 8192 - 33))\r\n\r\n", 200),
    ]

    @Test(arguments: accepted) func accepts(_ example: Case) throws {
        let server = try HTTPTestServer()
        defer { server.stop() }
        let client = server.client()
        client.send(example.request)
        let response = try #require(client.readResponse())
        #expect(response.status == example.status)
        #expect(response.header("x-target") == "/p")
        #expect(server.onLoop { $0.handler.refusals } == [])
    }

    @Test func keepsTheTargetAsWritten() throws {
        let server = try HTTPTestServer()
        defer { server.stop() }
        let client = server.client()
        for target in [
            "/", "/?", "/a%20b?x=%26&y=1&&z", "/a?b?c=d", "/\(String(repeating: "a&b=c", count: 1000))", "//x",
        ] {
            client.send("GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try #require(client.readResponse()).header("x-target") == target)
        }
        client.send("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try #require(client.readResponse()).header("x-target") == "*")
    }
}
