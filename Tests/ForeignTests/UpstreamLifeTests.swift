import Core
import Foreign
import Glibc
import Synchronization
import Testing

/// How calls begin, wait, share connections and end.
@Suite(.timeLimit(.minutes(1))) struct UpstreamLifeTests {
    private static let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

    /// Answers every request of every connection.
    private func okServer() throws -> ScriptedServer {
        try ScriptedServer { connection in while connection.readRequest() != nil { connection.send(Self.ok) } }
    }

    // MARK: Connections

    @Test func reusesConnections() async throws {
        let server = try okServer()
        let bench = try UpstreamBench(server.base)
        for _ in 0..<20 { #expect(await bench.call(.post("{}")).text == "ok") }
        bench.close()
        server.stop()
        #expect(server.accepted == 1)
        #expect(bench.observations.map(\.reusedConnection) == [false] + Array(repeating: true, count: 19))
        #expect(bench.observations.allSatisfy { ($0.timeToFirstByte ?? .max) <= $0.total && $0.status == 200 })
    }

    @Test func serves200AtOnce() async throws {
        let server = try okServer()
        let bench = try UpstreamBench(server.base)
        let sinks = (0..<200).map { _ in RecordingSink() }
        for sink in sinks { _ = await bench.start(.post("{}"), sink) }
        for sink in sinks {
            let record = await sink.wait()
            #expect(record.ends == [.complete])
            #expect(record.text == "ok")
        }
        bench.close()
        server.stop()
        #expect(bench.observations.count == 200)
    }

    @Test func waitsForAConnectionBeyondTheLimit() async throws {
        let server = try okServer()
        let bench = try UpstreamBench(server.base) { $0.maxConnections = 3 }
        let sinks = (0..<30).map { _ in RecordingSink() }
        for sink in sinks { _ = await bench.start(.post("{}"), sink) }
        for sink in sinks { #expect(await sink.wait().ends == [.complete]) }
        bench.close()
        server.stop()
        #expect(server.accepted <= 3)
    }

    /// The server closes the kept connection on seeing the second request: it was not answered, so it is sent again.
    @Test func sendsAgainWhatAKeptConnectionDropped() async throws {
        let server = try ScriptedServer { connection in
            guard connection.readRequest() != nil else { return }
            connection.send(Self.ok)
            _ = connection.readRequest()
        }
        let bench = try UpstreamBench(server.base)
        for _ in 0..<3 {
            let record = await bench.call(.post("{}"))
            #expect(record.ends == [.complete])
            #expect(record.text == "ok")
        }
        bench.close()
        server.stop()
        #expect(server.accepted == 3)
    }

    /// Bytes that nobody asked for must not become the answer to the next request.
    @Test func neverTakesStrayBytesForAnAnswer() async throws {
        let straySent = Shared(Mutex(false))
        let server = try ScriptedServer { connection in
            guard connection.readRequest() != nil else { return }
            connection.send(Self.ok)
            let isFirst = straySent.value.withLock { sent in
                defer { sent = true }
                return !sent
            }
            if isFirst {
                // Late enough not to be read together with the answer, which libcurl notices by itself.
                usleep(10_000)
                connection.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nEVIL!")
            }
            while connection.readRequest() != nil { connection.send(Self.ok) }
        }
        let bench = try UpstreamBench(server.base)
        for _ in 0..<5 {
            #expect(await bench.call(.post("{}")).text == "ok")
            // The stray bytes are in the socket by the time the next request is due.
            try await Task.sleep(for: .milliseconds(50))
        }
        bench.close()
        server.stop()
    }

    // MARK: Backpressure

    @Test func aPausedSinkStopsTheServer() async throws {
        let total = 32 << 20
        let written = Shared(Atomic(0))
        let server = try ScriptedServer { connection in
            connection.limitSendBuffer(64 << 10)
            _ = connection.readRequest()
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: \(total)\r\n\r\n")
            let piece = [UInt8](repeating: 7, count: 64 << 10)
            for _ in 0..<(total / piece.count) where connection.send(piece) {
                written.value.add(piece.count, ordering: .relaxed)
            }
            connection.waitForClose()
        }
        let bench = try UpstreamBench(server.base)
        let isOpen = Shared(Atomic(false))
        let sink = RecordingSink { record, _ in isOpen.value.load(ordering: .relaxed) ? .more : .pause }
        let call = await bench.start(.get(), sink)
        _ = await sink.wait { $0.pausedPieces == 1 }
        try await Task.sleep(for: .milliseconds(200))
        #expect(sink.record.pausedPieces == 1)
        #expect(written.value.load(ordering: .relaxed) < total / 2)
        // Resumed while still unwilling: the same piece comes again, and nothing is lost.
        call.resume()
        _ = await sink.wait { $0.pausedPieces == 2 }
        isOpen.value.store(true, ordering: .relaxed)
        call.resume()
        let record = await sink.wait()
        #expect(record.ends == [.complete])
        #expect(record.body.count == total)
        #expect(record.body.allSatisfy { $0 == 7 })
        bench.close()
        server.stop()
    }

    @Test func piecesArriveWholeWhenEverySecondIsRefused() async throws {
        let text = String((0..<20_000).map { "\($0)," }.joined())
        let server = try ScriptedServer { connection in
            _ = connection.readRequest()
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: \(text.utf8.count)\r\n\r\n" + text)
        }
        let bench = try UpstreamBench(server.base)
        let call = Shared(Mutex<(any UpstreamCall)?>(nil))
        let sink = RecordingSink { record, _ in
            guard record.pausedPieces <= record.pieces else { return .more }
            // Resumed before the pause is even known: must not be lost.
            call.value.withLock { $0 }?.resume()
            return .pause
        }
        await withCheckedContinuation { done in
            bench.loop.execute {
                let started = bench.upstream.start(.get(), sink: sink)
                call.value.withLock { $0 = started }
                done.resume()
            }
        }
        #expect(await sink.wait().text == text)
        bench.close()
        server.stop()
    }

    @Test func timeInAPauseDoesNotCount() async throws {
        let server = try okServer()
        let bench = try UpstreamBench(server.base) { $0.idleTimeout = .milliseconds(30) }
        let sink = RecordingSink { record, _ in record.pausedPieces == 0 ? .pause : .more }
        let call = await bench.start(.get(), sink)
        _ = await sink.wait { $0.pausedPieces == 1 }
        try await Task.sleep(for: .milliseconds(120))
        call.resume()
        #expect(await sink.wait().ends == [.complete])
        bench.close()
        server.stop()
    }

    // MARK: Cancelling

    @Test func cancelsAtOnce() async throws {
        let server = try okServer()
        let bench = try UpstreamBench(server.base)
        let sink = RecordingSink()
        await withCheckedContinuation { done in
            bench.loop.execute {
                bench.upstream.start(.get(), sink: sink).cancel()
                done.resume()
            }
        }
        #expect(await sink.wait().ends.map(\.failureKind) == [.cancelled])
        bench.close()
        server.stop()
        #expect(bench.observations.count == 1)
    }

    @Test func cancelsBeforeTheHeadAndInTheBody() async throws {
        for wire in ["", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"] {
            let hasRequest = Shared(Atomic(false))
            let isGone = Shared(Atomic(false))
            let server = try ScriptedServer { connection in
                _ = connection.readRequest()
                connection.send(wire)
                hasRequest.value.store(true, ordering: .sequentiallyConsistent)
                connection.waitForClose()
                isGone.value.store(true, ordering: .sequentiallyConsistent)
            }
            let bench = try UpstreamBench(server.base)
            let sink = RecordingSink()
            let call = await bench.start(.get(), sink)
            if wire.isEmpty {
                while !hasRequest.value.load(ordering: .sequentiallyConsistent) { await Task.yield() }
            } else {
                _ = await sink.wait { $0.pieces > 0 }
            }
            call.cancel()
            call.cancel()
            #expect(await sink.wait().ends.map(\.failureKind) == [.cancelled])
            // The server must notice, so that it stops generating.
            while !isGone.value.load(ordering: .sequentiallyConsistent) { await Task.yield() }
            bench.close()
            server.stop()
            #expect(sink.record.ends.count == 1)
        }
    }

    @Test func stopsWhenTheSinkSaysSo() async throws {
        let server = try okServer()
        let bench = try UpstreamBench(server.base)
        let sink = RecordingSink { _, _ in .stop }
        _ = await bench.start(.get(), sink)
        #expect(await sink.wait().ends.map(\.failureKind) == [.cancelled])
        bench.close()
        server.stop()
    }

    @Test func cancelAndResumeAfterTheEndDoNothing() async throws {
        let server = try okServer()
        let bench = try UpstreamBench(server.base)
        let sink = RecordingSink()
        let call = await bench.start(.get(), sink)
        _ = await sink.wait()
        // The handle is in use again by then: the late words must not reach the new call.
        let second = RecordingSink()
        _ = await bench.start(.get(), second)
        call.cancel()
        call.resume()
        #expect(await second.wait().ends == [.complete])
        bench.close()
        server.stop()
        #expect(sink.record.ends == [.complete])
    }

    // MARK: Shutting down

    @Test func closeEndsEverything() async throws {
        let server = try ScriptedServer { connection in
            _ = connection.readRequest()
            connection.send("HTTP/1.1 200 OK\r\n\r\nx")
            connection.waitForClose()
        }
        let bench = try UpstreamBench(server.base)
        let sinks = (0..<10).map { _ in RecordingSink() }
        for sink in sinks { _ = await bench.start(.get(), sink) }
        for sink in sinks { _ = await sink.wait { $0.pieces > 0 } }
        let late = RecordingSink()
        bench.loop.execute {
            bench.upstream.close()
            bench.upstream.close()
            _ = bench.upstream.start(.get(), sink: late)
        }
        for sink in sinks + [late] { #expect(await sink.wait().ends.map(\.failureKind) == [.shutdown]) }
        bench.close()
        server.stop()
    }

    @Test func aSinkMayStartAndCloseFromWithin() async throws {
        let server = try okServer()
        let bench = try UpstreamBench(server.base)
        let second = RecordingSink()
        let first = RecordingSink { _, _ in
            _ = bench.upstream.start(.get(), sink: second)
            return .more
        }
        _ = await bench.start(.get(), first)
        #expect(await first.wait().ends == [.complete])
        #expect(await second.wait().ends == [.complete])
        let third = RecordingSink { _, _ in
            bench.upstream.close()
            return .pause
        }
        _ = await bench.start(.get(), third)
        #expect(await third.wait().ends.map(\.failureKind) == [.shutdown])
        bench.close()
        server.stop()
    }
}
