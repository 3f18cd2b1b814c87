import Core
import Testing

@testable import Foreign

@Suite struct UpstreamBaseTests {
    @Test(arguments: [
        // No path in the base: everything as it is, but the endpoints get their /v1.
        ("https://api.deepseek.com", "/v1/chat/completions", "https://api.deepseek.com/v1/chat/completions"),
        ("https://api.deepseek.com", "/chat/completions", "https://api.deepseek.com/v1/chat/completions"),
        ("https://api.deepseek.com/", "/embeddings?a=1", "https://api.deepseek.com/v1/embeddings?a=1"),
        ("http://h:1", "/messages", "http://h:1/v1/messages"),
        ("http://h:1", "/v1", "http://h:1/v1"),
        ("http://h:1", "/models", "http://h:1/models"),
        ("http://h:1", "/v1/models?limit=2&x=%2F", "http://h:1/v1/models?limit=2&x=%2F"),
        ("http://h:1", "/", "http://h:1/"),
        ("http://h:1", "/chat/completions/", "http://h:1/chat/completions/"),
        // A path in the base stands for /v1.
        ("https://api.openai.com/v1", "/v1/chat/completions", "https://api.openai.com/v1/chat/completions"),
        ("https://api.openai.com/v1/", "/chat/completions", "https://api.openai.com/v1/chat/completions"),
        ("https://api.groq.com/openai/v1", "/v1/responses", "https://api.groq.com/openai/v1/responses"),
        ("https://api.deepseek.com/beta", "/v1/completions?x", "https://api.deepseek.com/beta/completions?x"),
        ("http://h:1/v1", "/v1", "http://h:1/v1"),
        ("http://h:1/v1", "/v1?q=/v1/x", "http://h:1/v1?q=/v1/x"),
        ("http://h:1/v1", "/v10/x", "http://h:1/v1/v10/x"),
        ("http://h:1/v1", "/V1/x", "http://h:1/v1/V1/x"),
        ("http://h:1/v1", "/v1/messages", "http://h:1/v1/messages"),
        // Anthropic's clients append /v1/messages themselves.
        ("https://api.deepseek.com/anthropic", "/v1/messages", "https://api.deepseek.com/anthropic/v1/messages"),
        (
            "https://api.deepseek.com/anthropic", "/messages?beta=1",
            "https://api.deepseek.com/anthropic/v1/messages?beta=1"
        ),
        ("http://h:1/a", "/v1/messages/count_tokens", "http://h:1/a/v1/messages/count_tokens"),
        ("http://h:1/a", "/v1/messagesX", "http://h:1/a/messagesX"),
        // Odd paths are nobody's business.
        ("http://h:1", "//a/../b/./c;d=e%2f%zz?x=[1]&y={2}|3", "http://h:1//a/../b/./c;d=e%2f%zz?x=[1]&y={2}|3"),
        ("http://h:1/v1", "/v1//a/../b", "http://h:1/v1//a/../b"),
        ("HTTPS://Example.COM:8443/v1///", "/v1/x", "https://Example.COM:8443/v1/x"),
        ("http://[::1]:8080", "/x", "http://[::1]:8080/x"),
    ]) func joins(base: String, target: String, url: String) throws {
        #expect(UpstreamBase(try #require(UpstreamURL(base))).url(for: target) == url)
    }

    @Test(arguments: ["*", "", "http://h/x", "x", "/a b", "/a#b", "/a\r\nX: y", "/a\0"])
    func refusesTargets(target: String) throws {
        #expect(UpstreamBase(try #require(UpstreamURL("http://h"))).url(for: target) == nil)
    }
}

@Suite struct ResponseHeadTests {
    private func feed(_ lines: [String], maxBytes: Int = 1 << 16, decodes: Bool = true) -> ResponseHead.Step {
        var head = ResponseHead(maxBytes: maxBytes, decodes: decodes)
        var last = ResponseHead.Step.incomplete
        for line in lines {
            var line = line + "\r\n"
            last = line.withUTF8 { head.feed(UnsafeRawBufferPointer($0)) }
            if last != .incomplete { return last }
        }
        return last
    }

    private func failure(_ step: ResponseHead.Step) -> UpstreamFailure.Kind? {
        if case .failed(let failure) = step { return failure.kind }
        return nil
    }

    @Test func keepsLinesInOrderAndDropsHopByHop() {
        let step = feed([
            "HTTP/1.1 200 OK", "Set-Cookie: a=1", "Connection: close, X-Hop", "X-Hop: 1", "Keep-Alive: timeout=5",
            "Set-Cookie:  b=2 \t", "Proxy-Connection: x", "Upgrade: h2c", "x-empty:", "Content-Length: 3", "",
        ])
        #expect(
            step
                == .complete(
                    status: 200,
                    headers: [
                        HeaderField("Set-Cookie", "a=1"), HeaderField("Set-Cookie", "b=2"),
                        HeaderField("x-empty", ""), HeaderField("Content-Length", "3"),
                    ]))
    }

    @Test func skipsInformationalHeads() {
        let step = feed([
            "HTTP/1.1 100 Continue", "X-A: 1", "", "HTTP/1.1 103 Early Hints", "", "HTTP/2 204", "X-B: 2", "",
        ])
        #expect(step == .complete(status: 204, headers: [HeaderField("X-B", "2")]))
    }

    @Test func ignoresTrailers() {
        var head = ResponseHead(maxBytes: 100, decodes: false)
        for line in ["HTTP/1.1 200 OK", "", "X-Trailer: 1", "bad trailer", ""] {
            var line = line + "\r\n"
            let step = line.withUTF8 { head.feed(UnsafeRawBufferPointer($0)) }
            #expect(failure(step) == nil)
        }
    }

    @Test(arguments: [(true, []), (false, ["Content-Encoding", "Content-Length"])])
    func dropsWhatDecodingMakesUntrue(decodes: Bool, kept: [String]) {
        let step = feed(["HTTP/1.1 200 OK", "Content-Encoding: gzip", "Content-Length: 9", ""], decodes: decodes)
        guard case .complete(_, let headers) = step else {
            Issue.record("not complete: \(step)")
            return
        }
        #expect(headers.map(\.name) == kept)
    }

    @Test func dropsALengthThatTheFramingOverrides() {
        let step = feed(["HTTP/1.1 200 OK", "Content-Length: 9", "Transfer-Encoding: chunked", ""])
        #expect(step == .complete(status: 200, headers: []))
    }

    @Test(arguments: [
        ["HTTP/1.1 20 OK"], ["HTTP/1.1 abc OK"], ["HTTP/1.1 2000 OK"], ["HELLO 200 OK"], ["HTTP/1.1"], [""],
        ["HTTP/1.1 099 X"], ["HTTP/1.1 200 OK", "no colon"], ["HTTP/1.1 200 OK", "Bad Name: x"],
        ["HTTP/1.1 200 OK", ": x"], ["HTTP/1.1 200 OK", "A: b", " folded"], ["HTTP/1.1 200 OK", "A: \u{1}"],
        ["HTTP/1.1 200 OK", "A : b"], ["HTTP/1.1 200 OK", "Content-Length: 1", "Content-Length: 2", ""],
        ["HTTP/1.1 200 OK", "Content-Length: -1", ""], ["HTTP/1.1 200 OK", "Content-Length: 1, 1", ""],
        ["HTTP/1.1 200 OK", "Content-Length: 99999999999999999999", ""],
    ]) func refusesWhatIsNoHead(lines: [String]) {
        #expect(failure(feed(lines)) == .malformed)
    }

    @Test func isBounded() {
        #expect(failure(feed(["HTTP/1.1 200 OK"] + Array(repeating: "A: b", count: 100), maxBytes: 300)) == .tooLarge)
    }
}
