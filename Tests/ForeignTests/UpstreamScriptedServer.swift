import Glibc
import Synchronization

/// A server on a raw socket that does to each connection what its script says, however wrong.
///
/// Sendable: the members are immutable or behind `state`.
final class ScriptedServer: Sendable {
    private struct State {
        var isStopped = false
        var open: Set<CInt> = []
        var accepted = 0
    }

    let port: Int
    private let listener: CInt
    private let script: @Sendable (ScriptedConnection) -> Void
    private let state = Mutex(State())

    var accepted: Int { state.withLock { $0.accepted } }
    var base: String { "http://127.0.0.1:\(port)" }

    /// Calls `script` on a thread of its own for each connection and closes the connection afterwards.
    init(receiveBuffer: Int? = nil, script: @escaping @Sendable (ScriptedConnection) -> Void) throws {
        self.script = script
        let (socket, port) = try ScriptedServer.listen(receiveBuffer)
        listener = socket
        self.port = port
        inThread { [self] in acceptAll() }
    }

    /// Closes everything; scripts that wait wake up and end.
    func stop() {
        state.withLock { state in
            guard !state.isStopped else { return }
            state.isStopped = true
            shutdown(listener, CInt(SHUT_RDWR))
            for descriptor in state.open { shutdown(descriptor, CInt(SHUT_RDWR)) }
        }
    }

    /// A port on which nobody listens.
    static func unusedPort() throws -> Int {
        let (socket, port) = try listen(nil)
        close(socket)
        return port
    }

    private static func listen(_ receiveBuffer: Int?) throws -> (CInt, Int) {
        let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        var size = CInt(receiveBuffer ?? 0)
        if receiveBuffer != nil {
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<CInt>.size))
        }
        // A sockaddr_in spelled out (family, port, 127.0.0.1), because its type belongs to a C shelf.
        var address: [UInt8] = [UInt8(AF_INET), 0, 0, 0, 127, 0, 0, 1] + Array(repeating: 0, count: 8)
        var length = socklen_t(address.count)
        let status = address.withUnsafeMutableBytes { bytes in
            let pointer = bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self)
            if bind(descriptor, __CONST_SOCKADDR_ARG(__sockaddr__: pointer), length) != 0 { return CInt(-1) }
            if Glibc.listen(descriptor, 512) != 0 { return CInt(-1) }
            return getsockname(descriptor, __SOCKADDR_ARG(__sockaddr__: pointer), &length)
        }
        guard descriptor >= 0, status == 0 else { throw ScriptedServerError(code: errno) }
        return (descriptor, Int(address[2]) << 8 | Int(address[3]))
    }

    private func acceptAll() {
        while true {
            let descriptor = accept4(listener, __SOCKADDR_ARG(__sockaddr__: nil), nil, CInt(SOCK_CLOEXEC.rawValue))
            guard descriptor >= 0 else { break }
            let isStopped = state.withLock { state in
                state.accepted += 1
                state.open.insert(descriptor)
                return state.isStopped
            }
            if isStopped { shutdown(descriptor, CInt(SHUT_RDWR)) }
            inThread { [self] in
                script(ScriptedConnection(descriptor))
                // Closed under the lock, so that `stop` never shuts down a number that is somebody else's by now.
                state.withLock { state in
                    state.open.remove(descriptor)
                    close(descriptor)
                }
            }
        }
        close(listener)
    }
}

struct ScriptedServerError: Error { let code: CInt }

/// What a script sees of its connection. Calls block.
struct ScriptedConnection: Sendable {
    struct Request {
        /// Request line and header lines.
        var lines: [String]
        var body: [UInt8]
        var target: String { String(lines[0].split(separator: " ")[1]) }
        func values(of name: String) -> [String] {
            lines.dropFirst().filter { $0.lowercased().hasPrefix(name.lowercased() + ":") }.map {
                String($0.dropFirst(name.count + 1).drop { $0 == " " })
            }
        }
    }

    private let descriptor: CInt

    fileprivate init(_ descriptor: CInt) {
        self.descriptor = descriptor
        var on: CInt = 1
        setsockopt(descriptor, CInt(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<CInt>.size))
    }

    /// The next request with its body (as sent, chunk lines included); nil at the end of the connection.
    func readRequest() -> Request? {
        guard let head = read(until: "\r\n\r\n") else { return nil }
        let text = String(decoding: head, as: UTF8.self)
        var request = Request(lines: text.split(separator: "\r\n").map(String.init), body: [])
        guard !request.lines.isEmpty else { return nil }
        if let length = request.values(of: "Content-Length").first.flatMap({ Int($0) }) {
            while request.body.count < length, let byte = readByte() { request.body.append(byte) }
        } else if request.values(of: "Transfer-Encoding") == ["chunked"] {
            request.body = read(until: "0\r\n\r\n") ?? []
        }
        return request
    }

    /// False when the other side is gone.
    @discardableResult
    func send(_ text: String) -> Bool { send(Array(text.utf8)) }

    @discardableResult
    func send(_ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    /// Makes the close that follows a reset.
    func reset() {
        var off = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &off, socklen_t(MemoryLayout<linger>.size))
    }

    /// Bytes that a sender may put into the two sockets before it must wait.
    func limitSendBuffer(_ bytes: Int) {
        var size = CInt(bytes)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &size, socklen_t(MemoryLayout<CInt>.size))
    }

    /// Lets time pass.
    func pause(milliseconds: Int) { usleep(UInt32(milliseconds) * 1000) }

    /// Waits until the other side has closed or the server is stopped.
    func waitForClose() { while readByte() != nil {} }

    func readByte() -> UInt8? {
        var byte: UInt8 = 0
        return recv(descriptor, &byte, 1, 0) == 1 ? byte : nil
    }

    private func read(until end: String) -> [UInt8]? {
        let end = Array(end.utf8)
        var bytes: [UInt8] = []
        while let byte = readByte() {
            bytes.append(byte)
            if bytes.suffix(end.count).elementsEqual(end) { return bytes }
        }
        return nil
    }
}

/// Blocking work must not sit on the threads that run tests.
private func inThread(_ body: @escaping @Sendable () -> Void) {
    final class Box {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    var thread = pthread_t()
    let box = Unmanaged.passRetained(Box(body))
    let status = pthread_create(
        &thread, nil,
        { context in
            // Always the retained box.
            Unmanaged<Box>.fromOpaque(context!).takeRetainedValue().body()
            return nil
        }, box.toOpaque())
    precondition(status == 0, "no thread for a test server")
    pthread_detach(thread)
}
