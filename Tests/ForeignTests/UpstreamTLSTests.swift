import Core
import Foreign
import Foundation
import Testing

/// `openssl s_server` with a certificate of a private authority made on the spot.
private final class TLSServer {
    let port: Int
    let caFile: String
    private let process = Process()
    private let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("refrain-tls-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        caFile = folder.appendingPathComponent("ca.pem").path
        let key = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
        try Self.openssl(in: folder, key + ["-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Test authority"])
        let names = ["-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1"]
        try Self.openssl(
            in: folder,
            key + ["-keyout", "server.key", "-out", "server.pem", "-CA", "ca.pem", "-CAkey", "ca.key"] + names)
        process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        process.currentDirectoryURL = folder
        process.arguments = [
            "s_server", "-accept", "127.0.0.1:0", "-cert", "server.pem", "-key", "server.key", "-www",
        ]
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        // It prints "ACCEPT 127.0.0.1:PORT" once it listens.
        var text = ""
        while !text.contains("ACCEPT") || !text.hasSuffix("\n") {
            let data = output.fileHandleForReading.availableData
            if data.isEmpty { break }
            text += String(decoding: data, as: UTF8.self)
        }
        let line = text.split(separator: "\n").first { $0.hasPrefix("ACCEPT") } ?? ""
        port = try #require(line.split(separator: ":").last.flatMap { Int($0) }, "openssl s_server said: \(text)")
    }

    deinit {
        // The signals that can be blocked are, in a process started from one of the threads that run tests.
        kill(process.processIdentifier, SIGKILL)
        try? FileManager.default.removeItem(at: folder)
    }

    /// Through the C library: `Process.waitUntilExit` waits for the end of a descriptor that every process started
    /// meanwhile by another test inherits, the server below among them.
    private static func openssl(in folder: URL, _ arguments: [String]) throws {
        let words = arguments.map { "'\($0)'" }.joined(separator: " ")
        try #require(system("cd '\(folder.path)' && openssl \(words) 2>/dev/null") == 0, "openssl \(words)")
    }
}

@Suite(.serialized, .timeLimit(.minutes(1))) struct UpstreamTLSTests {
    private func end(
        _ server: TLSServer, host: String = "127.0.0.1", _ change: (inout UpstreamOptions) -> Void
    ) async throws -> RecordingSink.Record {
        let bench = try UpstreamBench("https://\(host):\(server.port)", change)
        let record = await bench.call(.get("/"))
        bench.close()
        return record
    }

    @Test func trustsThePrivateAuthorityWhenTold() async throws {
        let server = try TLSServer()
        let record = try await end(server) { $0.caFile = server.caFile }
        #expect(record.ends == [.complete])
        #expect(record.head?.status == 200)
        #expect(record.text.contains("s_server"))
    }

    @Test func refusesAStranger() async throws {
        let server = try TLSServer()
        let record = try await end(server) { _ in }
        #expect(record.ends.map(\.failureKind) == [.tls])
    }

    @Test func refusesAnotherName() async throws {
        let server = try TLSServer()
        let record = try await end(server, host: "localhost") { $0.caFile = server.caFile }
        #expect(record.ends.map(\.failureKind) == [.tls])
    }

    @Test func acceptsAnybodyOnlyWhenToldTo() async throws {
        let server = try TLSServer()
        let record = try await end(server, host: "localhost") { $0.verifiesTLS = false }
        #expect(record.ends == [.complete])
    }

    @Test func aPlainServerIsNoTLSServer() async throws {
        let server = try ScriptedServer { $0.send("HTTP/1.1 400 Bad\r\n\r\n") }
        let bench = try UpstreamBench("https://127.0.0.1:\(server.port)")
        let record = await bench.call(.get("/"))
        bench.close()
        server.stop()
        #expect(record.ends.map(\.failureKind) == [.tls])
    }
}
