import Core
import Foreign
import Foundation
import Testing

/// A redis-server on a free port in a folder of its own; killed and gone with the last reference. A machine without one
/// fails the test.
final class RedisServer: @unchecked Sendable {
    // Unchecked Sendable: `process` is replaced by `start` alone, which one test calls at a time.
    let port: UInt16
    let folder: URL
    private let arguments: [String]
    private var process = Process()

    /// `arguments` are redis-server's own. With `tls`, the port speaks TLS alone and asks clients for a certificate.
    init(_ arguments: [String] = [], tls: RedisCertificates? = nil) async throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "refrain-redis-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        port = try #require(RedisServer.freePort(), "no free port")
        var all = ["--bind", "127.0.0.1", "--dir", folder.path, "--save", "", "--enable-debug-command", "yes"]
        if let tls {
            all += ["--port", "0", "--tls-port", String(port), "--tls-ca-cert-file", tls.path("ca.pem")]
            all += ["--tls-cert-file", tls.path("server.pem"), "--tls-key-file", tls.path("server.key")]
        } else {
            all += ["--port", String(port)]
        }
        self.arguments = all + arguments
        try await start()
    }

    deinit {
        kill()
        try? FileManager.default.removeItem(at: folder)
    }

    /// Starts it, and waits until it listens.
    func start() async throws {
        process = Process()
        process.executableURL = URL(filePath: "/usr/bin/redis-server")
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        try #require(await eventually { canConnect(self.port) }, "redis-server \(arguments) does not listen")
    }

    func kill() {
        // Foundation stops the program with an exception where it was never run.
        if process.processIdentifier > 0 { Glibc.kill(process.processIdentifier, SIGKILL) }
    }

    var url: String { "redis://127.0.0.1:\(port)" }

    /// What redis-cli prints, its status unlooked at.
    @discardableResult
    func cli(_ words: String) -> String { Shell.output("redis-cli -p \(port) \(words)") }

    /// One below the ephemeral ports, so that outgoing connections do not take it, whose bus port is free too.
    private static func freePort() -> UInt16? {
        for _ in 0..<200 {
            let port = UInt16.random(in: 11_000..<22_000)
            if isFree(port), isFree(port + 10_000) { return port }
        }
        return nil
    }

    private static func isFree(_ port: UInt16) -> Bool {
        withSocket { descriptor in
            var on: CInt = 1
            setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<CInt>.size))
            return lendAddress(of: port) { bind(descriptor, $0, $1) == 0 }
        }
    }
}

func canConnect(_ port: UInt16) -> Bool {
    withSocket { descriptor in lendAddress(of: port) { connect(descriptor, $0, $1) == 0 } }
}

/// A TCP socket for one call.
private func withSocket(_ body: (CInt) -> Bool) -> Bool {
    let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
    defer { close(descriptor) }
    return body(descriptor)
}

/// The loopback address of a port, for one call.
func lendAddress(of port: UInt16, _ body: (__CONST_SOCKADDR_ARG, socklen_t) -> Bool) -> Bool {
    var address = loopback(port)
    return withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            body(__CONST_SOCKADDR_ARG(__sockaddr__: $0), socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
}

func loopback(_ port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return address
}

/// Looks until something is so, for as long as `seconds`; whether it became so.
func eventually(seconds: Int = 20, _ condition: () async -> Bool) async -> Bool {
    let end = ContinuousClock.now + .seconds(seconds)
    while ContinuousClock.now < end {
        if await condition() { return true }
        try? await Task.sleep(for: .milliseconds(20))
    }
    return false
}

enum Shell {
    /// For what takes seconds: on a thread of its own, because those that run the tests are few.
    static func longOutput(_ command: String) async -> String {
        await withCheckedContinuation { done in
            Thread.detachNewThread { done.resume(returning: output(command)) }
        }
    }

    /// Through files and the C library: Foundation's `Process` waits for pipes that other tests' servers inherit.
    static func output(_ command: String) -> String {
        let file = FileManager.default.temporaryDirectory.appending(path: "refrain-out-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: file) }
        _ = system("(\(command)) >'\(file.path)' 2>&1 </dev/null")
        return (try? String(contentsOf: file, encoding: .utf8)) ?? ""
    }
}

/// An authority, a server's certificate for 127.0.0.1 and localhost, and a client's, made on the spot.
final class RedisCertificates: Sendable {
    private let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "refrain-certs-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let new = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2"
        let signed = "-CA ca.pem -CAkey ca.key"
        let said = Shell.output(
            """
            cd '\(folder.path)' &&
            \(new) -keyout ca.key -out ca.pem -subj '/CN=Test authority' &&
            \(new) -keyout server.key -out server.pem \(signed) -subj /CN=server \
              -addext subjectAltName=IP:127.0.0.1,DNS:redis.test &&
            \(new) -keyout client.key -out client.pem \(signed) -subj /CN=client &&
            \(new) -keyout other.key -out other.pem -subj /CN=Stranger && echo made
            """)
        try #require(said.hasSuffix("made\n"), "openssl: \(said)")
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    func path(_ file: String) -> String { folder.appending(path: file).path }
}

/// Three masters and three replicas.
final class RedisClusterRig: Sendable {
    let servers: [RedisServer]

    init() async throws {
        var servers: [RedisServer] = []
        for _ in 0..<6 {
            servers.append(
                try await RedisServer([
                    "--cluster-enabled", "yes", "--cluster-node-timeout", "1000", "--cluster-require-full-coverage",
                    "no", "--repl-diskless-sync-delay", "0",
                ]))
        }
        self.servers = servers
        let hosts = servers.map { "127.0.0.1:\($0.port)" }.joined(separator: " ")
        let said = await Shell.longOutput("redis-cli --cluster create \(hosts) --cluster-replicas 1 --cluster-yes")
        let isReady = await eventually {
            servers.allSatisfy { $0.cli("cluster info").contains("cluster_state:ok") }
                && servers.filter(RedisClusterRig.isSynchronisedReplica).count == 3
        }
        try #require(isReady, "no cluster: \(said)")
    }

    private static func isSynchronisedReplica(_ server: RedisServer) -> Bool {
        let info = server.cli("info replication")
        return info.contains("role:slave") && info.contains("master_link_status:up")
    }

    var urls: String { "redis://" + servers.map { "127.0.0.1:\($0.port)" }.joined(separator: ",") }

    /// Those that are masters now.
    var masters: [RedisServer] { servers.filter { $0.cli("info replication").contains("role:master") } }

    /// The master that says a slot is its own.
    func owner(of slot: UInt16) -> RedisServer? {
        masters.first { master in
            // Its own line holds "myself", and behind the eighth word the slots as numbers and ranges.
            let line = master.cli("cluster nodes").split(separator: "\n").first { $0.contains("myself") } ?? ""
            return line.split(separator: " ").dropFirst(8).contains { range in
                let ends = range.split(separator: "-").compactMap { UInt16($0) }
                return !ends.isEmpty && ends[0] <= slot && slot <= ends[ends.count - 1]
            }
        }
    }
}

extension RedisServer {
    /// Its name in a cluster.
    var id: String { cli("cluster myid").trimmingCharacters(in: .whitespacesAndNewlines) }
}
