import Core
import Foreign
import TestKit
import Testing

/// Requests damaged at random: the server must survive them, hand on nothing that breaks the grammar, and go on
/// serving others.
@Suite struct HTTPFuzzTests {
    private static let seedRequests = [
        "POST /v1/chat/completions?x=1 HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\nX-A: b\r\n\r\nhello world",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nT: x\r\n\r\n",
        "GET http://a/b HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    ]
    private static let fragments = [
        "\r\n", "\n", "\r", "\0", " ", "\t", ":", "\r\n\r\n", "0", "ffffffffffffffff", "Content-Length: 5\r\n",
        "Transfer-Encoding: chunked\r\n", "HTTP/1.1", "?", "&", "%", "Host: b\r\n", " x\r\n", "\u{ff}",
    ]

    private static func damaged(_ random: inout SeededRandom) -> [UInt8] {
        var bytes = Array(seedRequests[Int.random(in: 0..<seedRequests.count, using: &random)].utf8)
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            let position = Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0..<5, using: &random) {
            case 0: bytes[position] = UInt8.random(in: 0...255, using: &random)
            case 1: bytes.removeSubrange(position..<min(bytes.count - 1, position + 3))
            case 2:
                bytes.insert(
                    contentsOf: fragments[Int.random(in: 0..<fragments.count, using: &random)].utf8, at: position)
            case 3: bytes.insert(contentsOf: bytes[position..<min(bytes.count, position + 20)], at: position)
            default: bytes.removeLast(min(bytes.count - 1, 5))
            }
        }
        return bytes
    }

    @Test(arguments: [1, 2, 3, 4] as [UInt64]) func survivesDamagedRequests(seed: UInt64) throws {
        let server = try HTTPTestServer { options, handler in
            // The end of the stream that comes together with half a request goes unnoticed (the library watches for
            // edges), so it is the deadlines that end most of these connections.
            options.headTimeout = 40_000_000
            options.bodyTimeout = 40_000_000
            options.idleTimeout = 40_000_000
            handler.onReceived = { [unowned handler] exchange in
                let isSound =
                    exchange.target.allSatisfy { $0 > 32 && $0 != 127 }
                    && exchange.headers.allSatisfy { line in
                        !line.name.isEmpty && !line.name.contains { $0 <= 32 || $0 == 127 || $0 == 58 }
                            && !line.value.contains { $0 < 32 && $0 != 9 || $0 == 127 }
                    }
                if !isSound { handler.events.append("unsound: \(exchange.target.text)") }
                HTTPTestServer.echo(exchange)
            }
        }
        defer { server.stop() }
        var random = SeededRandom(seed: seed)
        for round in 0..<150 {
            let request = Self.damaged(&random)
            let client = server.client()
            client.send(request)
            client.finishSending()
            let answer = client.readToEnd()
            let text = String(decoding: request, as: UTF8.self)
            #expect(client.isAtEnd, "seed \(seed), round \(round): no end after \(text.debugDescription)")
            #expect(
                answer.isEmpty || answer.starts(with: Array("HTTP/1.1 ".utf8)),
                "seed \(seed), round \(round): strange answer to \(text.debugDescription)")
        }
        #expect(server.onLoop { $0.handler.events } == [])
        let client = server.client()
        client.send("GET /still HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(client.readResponse()?.header("x-target") == "/still")
        client.finishSending()
        server.until { $0.server.connectionCount == 0 }
    }
}
