import Core
import Foreign
import Foundation
import Glibc
import Testing

/// Real servers that speak S3, started once for all tests that ask for them. They end with the test process, because
/// that closes their standard input.
struct S3Server: Sendable {
    let port: Int
    /// Of the authority that signed its certificate; nil for plain HTTP.
    var caFile: String?
    var accessKey: String
    var secret: String

    /// The one bucket that there is.
    static let bucket = "bucket"

    private static let starting = [
        Kind.rclone: Task { try await rclone(isTLS: false) },
        .rcloneTLS: Task { try await rclone(isTLS: true) },
        .rcloneVirtual: Task { try await rclone(isTLS: false, ["--force-path-style=false"]) },
        .openStack: Task { try await openStack() },
    ]

    enum Kind: Hashable, Sendable {
        case rclone, rcloneTLS, rcloneVirtual, openStack
    }

    static func shared(_ kind: Kind) async throws -> S3Server {
        // Each kind has an entry above.
        try await starting[kind]!.value
    }

    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private static func rclone(isTLS: Bool, _ more: [String] = []) async throws -> S3Server {
        let program = root.appending(path: ".venv/tests/bin/rclone").path
        try #require(access(program, X_OK) == 0, "\(program) is missing: make setup-test")
        let folder = try newFolder()
        let (key, secret) = ("REFRAINTESTKEY", "secret/with+signs=")
        try FileManager.default.createDirectory(
            atPath: folder + "/data/" + bucket, withIntermediateDirectories: true)
        var words = [program, "serve", "s3", "--config", "", "--addr", "127.0.0.1:0", "--auth-key", "\(key),\(secret)"]
        if isTLS {
            try makeCertificate(in: folder)
            words += ["--cert", folder + "/server.pem", "--key", folder + "/server.key"]
        }
        words += more + [folder + "/data"]
        let command = words.map { "'\($0)'" }.joined(separator: " ") + " & server=$!; cat; kill -9 $server"
        let port = try await start(
            command, in: folder, announcing: "Starting s3 server on [http", portAfter: "127.0.0.1:")
        return S3Server(port: port, caFile: isTLS ? folder + "/ca.pem" : nil, accessKey: key, secret: secret)
    }

    private static func openStack() async throws -> S3Server {
        let folder = try newFolder()
        let program = root.appending(path: "Tests/Servers/openstack_swift.py").path
        let command = "/usr/bin/python3 '\(program)' '\(folder)/node'"
        let port = try await start(command, in: folder, announcing: "ready ", portAfter: "ready ")
        return S3Server(port: port, caFile: nil, accessKey: "test:tester", secret: "testing")
    }

    private static func newFolder() throws -> String {
        let folder = FileManager.default.temporaryDirectory.appending(path: "refrain-s3-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        return folder
    }

    /// What is behind all that a server says.
    private static let ended = "The server has ended."

    /// Runs a shell command until this process ends, and waits for the line that tells its port.
    private static func start(
        _ command: String, in folder: String, announcing mark: String, portAfter: String
    ) async throws -> Int {
        // Never closed: the system does so when the process ends. `e` keeps it from other servers, which would hold
        // it open.
        let isStarted =
            popen("(\(command); echo '\(ended)') >'\(folder)/output' 2>&1; cat >/dev/null; rm -rf '\(folder)'", "we")
            != nil
        try #require(isStarted, "no shell")
        var output = ""
        for _ in 0..<3600 {
            output = (try? String(contentsOfFile: folder + "/output", encoding: .utf8)) ?? ""
            if let line = output.split(separator: "\n").dropLast(output.hasSuffix("\n") ? 0 : 1)
                .first(where: { $0.contains(mark) }),
                let port = line.range(of: portAfter).flatMap({ Int(line[$0.upperBound...].prefix { $0.isNumber }) })
            {
                return port
            }
            if output.contains(ended) { break }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw NotStarted(output: output)
    }

    private static func makeCertificate(in folder: String) throws {
        let key = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2"
        let script = """
            cd '\(folder)' && \(key) -keyout ca.key -out ca.pem -subj '/CN=Test authority' && \
            \(key) -keyout server.key -out server.pem -CA ca.pem -CAkey ca.key -subj /CN=test \
            -addext subjectAltName=IP:127.0.0.1
            """
        try #require(system("(\(script)) 2>/dev/null") == 0, "openssl made no certificate")
    }

    struct NotStarted: Error, CustomStringConvertible {
        let output: String
        var description: String { "the server did not start; it said: \(output)" }
    }
}

/// A way of keeping objects in one of the servers.
enum S3Target: String, Sendable, CaseIterable, CustomTestStringConvertible {
    case rclone = "rclone, V4"
    case rcloneTLS = "rclone, V4 over TLS"
    case rcloneVirtual = "rclone, V4, bucket in the host's name"
    case openStack = "OpenStack Swift, V4"
    case openStackV2 = "OpenStack Swift, V2"

    var testDescription: String { rawValue }

    var server: S3Server.Kind {
        switch self {
        case .rclone: .rclone
        case .rcloneTLS: .rcloneTLS
        case .rcloneVirtual: .rcloneVirtual
        case .openStack, .openStackV2: .openStack
        }
    }

    /// The address of a part of the bucket that nobody else uses.
    func url(
        bucket: String = S3Server.bucket
    ) async throws -> BucketURL {
        let server = try await S3Server.shared(server)
        let host = self == .rcloneVirtual ? "localhost" : "127.0.0.1"
        let endpoint = "\(server.caFile == nil ? "http" : "https")://\(host):\(server.port)"
        let prefix = (self == .openStackV2 ? "test+" : "test+%20%25") + UUID().uuidString
        let style = self == .rcloneVirtual ? "virtual" : "path"
        let scheme = self == .openStackV2 ? "s3+v2" : "s3"
        let ca = server.caFile.map { "&ca=\($0)" } ?? ""
        return try bucketURL("\(scheme)://\(bucket)/\(prefix)?endpoint=\(endpoint)&style=\(style)\(ca)")
    }

    var credentials: BucketCredentials {
        get async throws {
            let server = try await S3Server.shared(server)
            return BucketCredentials(accessKey: server.accessKey, secret: Secret(server.secret))
        }
    }

    func store(_ url: BucketURL? = nil, credentials: BucketCredentials? = nil) async throws -> S3Fixture {
        var address = url
        if address == nil { address = try await self.url() }
        var key = credentials
        if key == nil { key = try await self.credentials }
        return try S3Fixture(#require(address), #require(key))
    }
}

func bucketURL(_ text: String) throws -> BucketURL {
    guard case .bucket(let url) = try ObjectsURL(text) else { throw ScriptedServerError(code: 0) }
    return url
}

/// A store and what keeps its deadlines.
final class S3Fixture: Sendable {
    let store: any ObjectStore
    let clock = SystemClock()
    private let loop: EventLoop
    private let thread: SystemThread
    private let shut: @Sendable () -> Void

    init(_ url: BucketURL, _ credentials: BucketCredentials) throws {
        loop = try EventLoop()
        if url.signature == .v4 {
            var options = S3Store.Options()
            options.proxy = .none
            options.connectTimeout = .seconds(60)
            let store = try S3Store(url: url, credentials: credentials, options: options, clock: clock)
            self.store = store
            shut = { store.close() }
        } else {
            let store = try S3V2Store(
                url: url, credentials: credentials, clock: clock, scheduler: LoopScheduler(loop: loop))
            self.store = store
            shut = { store.close() }
        }
        thread = try loop.startThread(named: "deadlines")
    }

    deinit {
        shut()
        loop.stop()
        thread.join()
    }

    func close() { shut() }

    /// Far enough for anything that a test does on a busy machine.
    var deadline: Int64 { clock.monotonic() + 60 * Duration64.nanosecondsPerSecond }
    /// Passes while a server keeps silent.
    var soon: Int64 { clock.monotonic() + 200 * Duration64.nanosecondsPerMillisecond }

    /// Every way of asking for an object, with how it ended; nil is well.
    func failures(deadline: Int64) async -> [ObjectFailure?] {
        let name = DirectoryFixture.name("a/b")
        return [
            await failure { () async throws(ObjectFailure) in
                _ = try await self.store.get(name, limit: 100, deadline: deadline)
            },
            await failure { () async throws(ObjectFailure) in
                try await self.store.put(name, Bytes("text"), deadline: deadline)
            },
            await failure { () async throws(ObjectFailure) in
                try await self.store.delete(name, deadline: deadline)
            },
            await failure { () async throws(ObjectFailure) in
                _ = try await self.store.list(prefix: "", continuation: nil, limit: 10, deadline: deadline)
            },
        ]
    }

    func failure(_ body: () async throws(ObjectFailure) -> Void) async -> ObjectFailure? {
        do throws(ObjectFailure) {
            try await body()
            return nil
        } catch {
            return error
        }
    }
}
