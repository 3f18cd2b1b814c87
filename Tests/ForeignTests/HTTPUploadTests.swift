import Core
import Foreign
import Glibc
import Synchronization
import TestKit
import Testing

/// Reads an upload to its end, in pieces of one size, and keeps it.
private final class Reader: Sendable {
    private struct State {
        var bytes: [UInt8] = []
        var end: BodyRead?
    }
    private let state = Mutex(State())
    private let source: any RequestBodySource
    private let piece: Int
    let done = Signal<BodyRead>()

    init(_ source: any RequestBodySource, piece: Int) {
        self.source = source
        self.piece = piece
    }

    var bytes: [UInt8] { state.withLock { $0.bytes } }

    func run() {
        while true {
            var block = [UInt8](repeating: 0, count: piece)
            switch block.withUnsafeMutableBytes({ source.read(into: $0) }) {
            case .bytes(let count): state.withLock { [block] in $0.bytes += block[..<count] }
            case .later: return source.whenReady { [self] in run() }
            case let end: return done.send(end)
            }
        }
    }
}

@Suite struct HTTPUploadTests {
    /// A server that streams each upload to a reader and answers when told to.
    private static func server(
        piece: Int = 1000, begin: @escaping @Sendable (Reader) -> Void = { $0.run() }
    ) throws -> (HTTPTestServer, Signal<Reader>) {
        let started = Signal<Reader>()
        let server = try HTTPTestServer { options, handler in
            handler.onBegan = { _ in .stream }
            handler.onReceived = { [unowned handler] exchange in
                guard let upload = exchange.upload else { return exchange.respond(500) }
                handler.waiting.append(exchange)
                exchange.whenClientLeaves { [unowned handler] in handler.events.append("left") }
                let reader = Reader(upload, piece: piece)
                started.send(reader)
                begin(reader)
            }
        }
        return (server, started)
    }

    private static func bytes(_ count: Int) -> [UInt8] {
        // A prime length, so that no two blocks of the ring hold the same.
        var random = SeededRandom(seed: UInt64(count))
        let block = (0..<4099).map { _ in UInt8.random(in: 0...255, using: &random) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + block.count)
        while bytes.count < count { bytes += block }
        bytes.removeLast(bytes.count - count)
        return bytes
    }

    private static func head(_ count: Int) -> [UInt8] {
        Array("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \(count)\r\n\r\n".utf8)
    }

    @Test(arguments: [0, 1, 1000, 300_000, 3_000_000], [7, 1000, 100_000])
    func passesOnWhatArrives(size: Int, piece: Int) throws {
        let (server, started) = try Self.server(piece: max(piece, size / 1000))
        defer { server.stop() }
        let body = Self.bytes(size)
        let client = server.client()
        client.send(Self.head(size) + body)
        let reader = started.wait()
        #expect(reader.done.wait() == .end)
        #expect(reader.bytes == body)
        server.onLoop { $0.handler.waiting[0].respond(200, body: Bytes("thanks")) }
        #expect(client.readResponse()?.text == "thanks")
        client.send(Self.head(0))
        server.until { $0.handler.waiting.count == 2 }
    }

    @Test func passesOnChunks() throws {
        let (server, started) = try Self.server()
        defer { server.stop() }
        let client = server.client()
        client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        let reader = started.wait()
        client.send("4\r\ndefg\r\n0\r\n\r\n")
        #expect(reader.done.wait() == .end)
        #expect(reader.bytes == Array("abcdefg".utf8))
    }

    /// Nobody reads: the client must be stopped after the ring and the kernel's buffers are full.
    @Test func stopsTheClientUntilItIsRead() throws {
        let (server, started) = try Self.server(piece: 10_000) { _ in }
        defer { server.stop() }
        let body = Self.bytes(16_000_000)
        let client = server.client()
        let sent = Signal<Bool>()
        let port = client.descriptor
        let message = Self.head(body.count) + body
        let writer = try BackgroundWriter(descriptor: port, bytes: message, done: sent)
        let reader = started.wait()
        // The client cannot get rid of 16 MB: wait until the kernel takes no more, twice in a row.
        var last = -1
        while writer.progress != last || last == 0 {
            last = writer.progress
            usleep(100_000)
        }
        #expect(writer.progress < message.count)
        reader.run()
        #expect(sent.wait())
        #expect(reader.done.wait() == .end)
        #expect(reader.bytes == body)
        writer.join()
    }

    @Test func tellsTheReaderOfABrokenUpload() throws {
        let (server, started) = try Self.server()
        defer { server.stop() }
        do {
            let client = server.client()
            client.send(Self.head(1000) + [1, 2, 3])
            _ = started.wait()
        }
        #expect(started.wait().done.wait() == .broken)
        server.until { $0.handler.events == ["left"] }
    }

    @Test func noticesAClientThatLeavesWhileItIsStopped() throws {
        let (server, started) = try Self.server { _ in }
        defer { server.stop() }
        do {
            let client = server.client()
            // More than the ring, less than ring and kernel together: the end of the stream stands behind the data.
            client.send(Self.head(1_000_000) + Self.bytes(280_000))
            _ = started.wait()
        }
        server.until { $0.handler.events == ["left"] && $0.server.connectionCount == 0 }
        let reader = started.wait()
        reader.run()
        #expect(reader.done.wait() == .broken)
    }

    /// An answer before the upload's end is sent at the end; the rest of the upload goes nowhere.
    @Test func answersWhileTheUploadGoesOn() throws {
        let (server, started) = try Self.server { _ in }
        defer { server.stop() }
        let client = server.client()
        let body = Self.bytes(3_000_000)
        client.send(Self.head(body.count) + body[..<200_000])
        _ = started.wait()
        server.onLoop { $0.handler.waiting[0].respond(429, body: Bytes("slow down")) }
        client.send(Array(body[200_000...]))
        #expect(client.readResponse()?.text == "slow down")
    }
}

/// Sends on a thread of its own, so that a test can see a client that is stuck.
private final class BackgroundWriter: Sendable {
    private let sent = Mutex(0)
    private let thread: pthread_t

    private final class Work: Sendable {
        let writer = Mutex<BackgroundWriter?>(nil)
        let descriptor: CInt
        let bytes: [UInt8]
        let done: Signal<Bool>
        init(_ descriptor: CInt, _ bytes: [UInt8], _ done: Signal<Bool>) {
            (self.descriptor, self.bytes, self.done) = (descriptor, bytes, done)
        }
        func run() {
            var position = 0
            while position < bytes.count {
                let count = bytes.withUnsafeBytes {
                    send(descriptor, $0.baseAddress! + position, min(65_536, $0.count - position), CInt(MSG_NOSIGNAL))
                }
                guard count > 0 else { break }
                position += count
                writer.withLock { [position] in $0?.sent.withLock { $0 = position } }
            }
            done.send(position == bytes.count)
        }
    }

    init(descriptor: CInt, bytes: [UInt8], done: Signal<Bool>) throws {
        let work = Work(descriptor, bytes, done)
        var thread = pthread_t()
        // Retained here, released by the thread.
        let context = Unmanaged.passRetained(work)
        let status = pthread_create(
            &thread, nil,
            { context in
                // Always the retained `Work`.
                Unmanaged<Work>.fromOpaque(context!).takeRetainedValue().run()
                return nil
            }, context.toOpaque())
        self.thread = thread
        work.writer.withLock { $0 = self }
        guard status == 0 else { throw LoopErrorForTests.noThread }
    }

    var progress: Int { sent.withLock { $0 } }
    func join() { pthread_join(thread, nil) }
}

private enum LoopErrorForTests: Error { case noThread }
