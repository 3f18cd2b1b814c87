import Core
import Foreign
import Synchronization
import Testing

/// A body whose pieces the test hands in one by one.
private final class HandedBody: RequestBodySource {
    private struct State {
        var pieces: [BodyRead] = []
        var bytes: [UInt8] = []
        var ready: (@Sendable () -> Void)?
    }
    private let state = Mutex(State())

    /// Adds bytes, or what else `read` is to say once they are through.
    func hand(_ bytes: String, then last: BodyRead? = nil) {
        let ready = state.withLock { state in
            state.bytes += Array(bytes.utf8)
            if let last { state.pieces.append(last) }
            defer { state.ready = nil }
            return state.ready
        }
        ready?()
    }

    func read(into target: UnsafeMutableRawBufferPointer) -> BodyRead {
        state.withLock { state in
            guard state.bytes.isEmpty else {
                let count = min(target.count, state.bytes.count)
                target.copyBytes(from: state.bytes[..<count])
                state.bytes.removeFirst(count)
                return .bytes(count)
            }
            return state.pieces.first ?? .later
        }
    }

    func whenReady(_ ready: @escaping @Sendable () -> Void) {
        let isReady = state.withLock { state in
            if !state.bytes.isEmpty || !state.pieces.isEmpty { return true }
            state.ready = ready
            return false
        }
        if isReady { ready() }
    }
}

@Suite(.timeLimit(.minutes(1))) struct UpstreamUploadTests {
    private func upload(
        _ body: HandedBody, length: Int64?, hand: () async -> Void
    ) async throws -> (record: RecordingSink.Record, request: ScriptedConnection.Request?) {
        let seen = Shared(Mutex<ScriptedConnection.Request?>(nil))
        let server = try ScriptedServer { connection in
            seen.value.withLock { $0 = connection.readRequest() }
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        }
        let bench = try UpstreamBench(server.base)
        let sink = RecordingSink()
        let request = UpstreamRequest(
            method: "POST", target: "/files", headers: [], body: .stream(body, length: length), decodes: false)
        _ = await bench.start(request, sink)
        await hand()
        let record = await sink.wait()
        bench.close()
        server.stop()
        return (record, seen.value.withLock { $0 })
    }

    @Test func sendsAKnownLength() async throws {
        let body = HandedBody()
        let (record, request) = try await upload(body, length: 10) {
            body.hand("hello")
            await Task.yield()
            body.hand("world", then: .end)
        }
        #expect(record.ends == [.complete])
        #expect(request?.values(of: "Content-Length") == ["10"])
        #expect(request?.lines.contains { $0.lowercased().hasPrefix("expect") } == false)
        #expect(request.map { String(decoding: $0.body, as: UTF8.self) } == "helloworld")
    }

    @Test func sendsAnUnknownLengthInChunks() async throws {
        let body = HandedBody()
        let (record, request) = try await upload(body, length: nil) { body.hand("hello", then: .end) }
        #expect(record.ends == [.complete])
        #expect(request?.values(of: "Transfer-Encoding") == ["chunked"])
        #expect(request.map { String(decoding: $0.body, as: UTF8.self) } == "5\r\nhello\r\n0\r\n\r\n")
    }

    @Test func sendsNoMoreThanDeclared() async throws {
        let body = HandedBody()
        let (record, request) = try await upload(body, length: 3) { body.hand("hello", then: .end) }
        #expect(record.ends == [.complete])
        #expect(request.map { String(decoding: $0.body, as: UTF8.self) } == "hel")
    }

    @Test(arguments: [BodyRead.broken, .end]) func breaksOffWhatBreaksOff(last: BodyRead) async throws {
        let body = HandedBody()
        let (record, request) = try await upload(body, length: 10) { body.hand("half", then: last) }
        #expect(record.ends.map(\.failureKind) == [.cancelled])
        #expect(request.map { String(decoding: $0.body, as: UTF8.self) } ?? "half" == "half")
    }

    @Test func breaksOffAnUnfinishedChunkedBody() async throws {
        let body = HandedBody()
        let (record, request) = try await upload(body, length: nil) { body.hand("half", then: .broken) }
        #expect(record.ends.map(\.failureKind) == [.cancelled])
        #expect(request?.body.isEmpty != false)
    }
}
