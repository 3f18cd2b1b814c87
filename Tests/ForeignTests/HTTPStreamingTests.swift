import Core
import Foreign
import Glibc
import Synchronization
import TestKit
import Testing

/// A body that a test feeds from outside, on the loop's thread.
private final class FedSource: HTTPBodySource {
    var pending: [UInt8] = []
    var end: BodyRead?
    var ends: [Bool] = []
    var reads = 0

    func read(into target: UnsafeMutableRawBufferPointer) -> BodyRead {
        reads += 1
        guard !pending.isEmpty else { return end ?? .later }
        let count = min(pending.count, target.count)
        target.copyBytes(from: pending[..<count])
        pending.removeFirst(count)
        return .bytes(count)
    }

    func ended(isComplete: Bool) { ends.append(isComplete) }
}

/// A body that never ends by itself.
private final class EndlessSource: HTTPBodySource {
    func read(into target: UnsafeMutableRawBufferPointer) -> BodyRead {
        target.initializeMemory(as: UInt8.self, repeating: 120)
        return .bytes(target.count)
    }
    var ends: [Bool] = []
    func ended(isComplete: Bool) { ends.append(isComplete) }
}

/// Unchecked Sendable: the source and the exchange are touched on the server's loop alone, through `feed`.
private final class Stage: @unchecked Sendable {
    let server: HTTPTestServer
    let source = FedSource()

    init(length: Int64? = nil) throws {
        let source = source
        server = try HTTPTestServer { _, handler in
            handler.onReceived = { [unowned handler] exchange in
                handler.waiting.append(exchange)
                exchange.whenClientLeaves { [unowned handler] in handler.events.append("left") }
                exchange.respondStreaming(
                    200, headers: [HeaderField("content-type", "text/event-stream")], length: length, source: source)
            }
        }
    }

    func feed(_ text: String, end: BodyRead? = nil) {
        server.onLoop { [self] server in
            source.pending += Array(text.utf8)
            source.end = end
            server.handler.waiting.last?.wake()
        }
    }
}

@Suite struct HTTPStreamingTests {
    private static let request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

    @Test func sendsPiecesAsTheyCome() throws {
        let stage = try Stage()
        defer { stage.server.stop() }
        let client = stage.server.client()
        client.send(Self.request)
        let head = String(decoding: client.read(atLeast: 20), as: UTF8.self)
        #expect(head.contains("Transfer-Encoding: chunked"))
        for word in ["one", "two", "three"] {
            stage.feed(word)
            let chunk = "\(String(word.count, radix: 16))\r\n\(word)\r\n"
            #expect(String(decoding: client.read(atLeast: chunk.count), as: UTF8.self) == chunk)
        }
        stage.feed("", end: .end)
        #expect(String(decoding: client.read(atLeast: 5), as: UTF8.self) == "0\r\n\r\n")
        stage.server.until { _ in stage.source.ends == [true] }
        #expect(stage.server.onLoop { $0.handler.events } == [])
        // The connection goes on.
        client.send(Self.request)
        #expect(client.readResponse()?.isComplete == true)
    }

    @Test func waitsWithoutTurning() throws {
        let stage = try Stage()
        defer { stage.server.stop() }
        let client = stage.server.client()
        client.send(Self.request)
        _ = client.read(atLeast: 20)
        stage.server.until { _ in stage.source.reads > 0 }
        for _ in 0..<50 { stage.server.onLoop { _ in } }
        #expect(stage.server.onLoop { _ in stage.source.reads } == 1)
        stage.feed("", end: .end)
    }

    @Test func sendsAKnownLengthWithoutChunks() throws {
        let stage = try Stage(length: 100_000)
        defer { stage.server.stop() }
        stage.server.onLoop { _ in stage.source.pending = [UInt8](repeating: 120, count: 100_000) }
        let client = stage.server.client()
        client.send(Self.request)
        let response = try #require(client.readResponse())
        #expect(response.header("content-length") == "100000")
        #expect(response.body.count == 100_000)
        stage.server.until { _ in stage.source.ends == [true] }
    }

    @Test func endsAtTheCloseForOldClients() throws {
        let stage = try Stage()
        defer { stage.server.stop() }
        let client = stage.server.client()
        client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        stage.server.until { !$0.handler.waiting.isEmpty }
        stage.feed("one ")
        stage.feed("two", end: .end)
        let response = try #require(client.readResponse())
        #expect(response.header("transfer-encoding") == nil)
        #expect(response.header("connection") == "close")
        #expect(response.text == "one two")
    }

    @Test func sendsNoBodyToHead() throws {
        let stage = try Stage(length: 77)
        defer { stage.server.stop() }
        let client = stage.server.client()
        for _ in 0..<2 {
            client.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(client.readResponse(toHead: true)?.header("content-length") == "77")
        }
        stage.server.until { _ in stage.source.ends == [true, true] }
    }

    @Test(arguments: [nil, 1000 as Int64], [BodyRead.broken, .end])
    func showsABrokenBody(length: Int64?, end: BodyRead) throws {
        let stage = try Stage(length: length)
        defer { stage.server.stop() }
        let client = stage.server.client()
        client.send(Self.request)
        stage.server.until { !$0.handler.waiting.isEmpty }
        stage.feed("half")
        stage.feed("", end: end)
        let response = try #require(client.readResponse())
        #expect(response.text == "half")
        // A body that ends is broken only where it was to be longer.
        let isBroken = end == .broken || length != nil
        #expect(response.isComplete == !isBroken)
        if isBroken { #expect(client.isClosed()) }
        stage.server.until { _ in stage.source.ends == [!isBroken] }
    }

    @Test(arguments: [0, 1]) func noticesAClientThatLeavesWhileNothingIsSent(pieces: Int) throws {
        let stage = try Stage()
        defer { stage.server.stop() }
        do {
            let client = stage.server.client()
            client.send(Self.request)
            stage.server.until { !$0.handler.waiting.isEmpty }
            for _ in 0..<pieces { stage.feed("piece") }
            _ = client.read(atLeast: 20)
        }
        stage.server.until { $0.handler.events == ["left"] && $0.server.connectionCount == 0 }
        #expect(stage.server.onLoop { _ in stage.source.ends } == [false])
    }

    @Test func noticesAClientThatLeavesWhileMuchIsSent() throws {
        let server = try HTTPTestServer { _, handler in
            handler.onReceived = { [unowned handler] exchange in
                exchange.whenClientLeaves { [unowned handler] in handler.events.append("left") }
                exchange.respondStreaming(200, headers: [], source: EndlessSource())
            }
        }
        defer { server.stop() }
        do {
            let client = server.client()
            client.send(Self.request)
            #expect(client.read(atLeast: 1_000_000).count >= 1_000_000)
        }
        server.until { $0.handler.events == ["left"] && $0.server.connectionCount == 0 }
    }

    @Test(arguments: [false, true]) func noticesAClientThatLeavesBeforeTheAnswer(byReset: Bool) throws {
        let server = try HTTPTestServer { _, handler in
            handler.onReceived = { [unowned handler] exchange in
                handler.waiting.append(exchange)
                exchange.whenClientLeaves { [unowned handler] in handler.events.append("left") }
            }
        }
        defer { server.stop() }
        do {
            let client = server.client()
            client.send(Self.request)
            server.until { $0.handler.waiting.count == 1 }
            // What a client that is killed with unread bytes does.
            var abrupt = linger(l_onoff: byReset ? 1 : 0, l_linger: 0)
            setsockopt(
                client.descriptor, SOL_SOCKET, SO_LINGER, &abrupt, socklen_t(MemoryLayout<linger>.size))
        }
        server.until { $0.handler.events == ["left"] && $0.server.connectionCount == 0 }
        server.onLoop { server in
            let exchange = server.handler.waiting[0]
            exchange.respond(200, body: Bytes("nobody hears"))
            exchange.whenClientLeaves { server.handler.events.append("still gone") }
        }
        #expect(server.onLoop { $0.handler.events } == ["left", "still gone"])
    }

    @Test func abortBreaksTheMessage() throws {
        let stage = try Stage()
        defer { stage.server.stop() }
        let client = stage.server.client()
        client.send(Self.request)
        stage.server.until { !$0.handler.waiting.isEmpty }
        stage.feed("half")
        stage.server.onLoop { $0.handler.waiting[0].abort() }
        let response = try #require(client.readResponse())
        #expect(!response.isComplete)
        stage.server.until { _ in stage.source.ends == [false] }
    }

    @Test func stopEndsWhatIsWaiting() throws {
        let stage = try Stage()
        let client = stage.server.client()
        client.send(Self.request)
        stage.server.until { !$0.handler.waiting.isEmpty }
        stage.server.stop()
        #expect(client.readResponse()?.isComplete != true)
        #expect(stage.source.ends == [false])
    }
}
