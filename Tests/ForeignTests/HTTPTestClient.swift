import Glibc

/// A client that puts bytes on the wire as a test writes them, well formed or not. Blocking, with a generous limit.
final class HTTPTestClient {
    struct Response: Equatable {
        var status: Int
        var headers: [(name: String, value: String)]
        var body: [UInt8]
        /// Whether the message ended as its framing promised.
        var isComplete: Bool

        var text: String { String(decoding: body, as: UTF8.self) }
        func header(_ name: String) -> String? { headers.first { $0.name == name.lowercased() }?.value }
        static func == (a: Response, b: Response) -> Bool { a.status == b.status && a.body == b.body }
    }

    let descriptor: CInt
    private var buffer: [UInt8] = []
    private(set) var isAtEnd = false

    /// Seconds that a read waits before the test fails.
    private static let patience = 20

    init(port: UInt16, receiveBuffer: CInt? = nil) {
        descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var limit = timeval(tv_sec: HTTPTestClient.patience, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var on: CInt = 1
        setsockopt(descriptor, CInt(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<CInt>.size))
        if var receiveBuffer {
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &receiveBuffer, socklen_t(MemoryLayout<CInt>.size))
        }
        var hints = addrinfo()
        hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV
        var found: UnsafeMutablePointer<addrinfo>?
        getaddrinfo("127.0.0.1", String(port), &hints, &found)
        guard let found else { return }
        defer { freeaddrinfo(found) }
        _ = connect(
            descriptor, __CONST_SOCKADDR_ARG(__sockaddr__: found.pointee.ai_addr), found.pointee.ai_addrlen)
    }

    deinit { close(descriptor) }

    /// False when the other side has closed.
    @discardableResult
    func send(_ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress! + sent, $0.count - sent, CInt(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    @discardableResult
    func send(_ text: String) -> Bool { send(Array(text.utf8)) }

    /// Ends this side; the server sees the end of the stream.
    func finishSending() { shutdown(descriptor, CInt(SHUT_WR)) }

    /// The next answer, nil where the connection ended (or nothing came) before its head was complete.
    func readResponse(toHead: Bool = false) -> Response? {
        guard let end = fill(until: { HTTPTestClient.find("\r\n\r\n", in: $0) }) else { return nil }
        let lines = String(decoding: buffer[..<end], as: UTF8.self).split(separator: "\r\n").map(String.init)
        buffer.removeFirst(end + 4)
        let words = lines[0].split(separator: " ")
        var response = Response(status: Int(words[1]) ?? -1, headers: [], body: [], isComplete: true)
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            response.headers.append((parts[0].lowercased(), String(parts[1].drop { $0 == " " })))
        }
        if response.status < 200 || toHead || [204, 304].contains(response.status) { return response }
        if let length = response.header("content-length").flatMap({ Int($0) }) {
            fill(to: length)
            response.isComplete = buffer.count >= length
            response.body = Array(buffer.prefix(length))
            buffer.removeFirst(response.body.count)
        } else if response.header("transfer-encoding") == "chunked" {
            readChunks(into: &response)
        } else {
            response.body = readToEnd()
        }
        return response
    }

    /// Everything up to the end of the stream.
    func readToEnd() -> [UInt8] {
        while receive() {}
        defer { buffer = [] }
        return buffer
    }

    /// At least `count` bytes, if they come.
    func read(atLeast count: Int) -> [UInt8] {
        fill(to: count)
        defer { buffer = [] }
        return buffer
    }

    /// Whether the server ends the connection, and sends nothing before that.
    func isClosed() -> Bool { readToEnd().isEmpty && isAtEnd }

    private func readChunks(into response: inout Response) {
        while true {
            guard let end = fill(until: { HTTPTestClient.find("\r\n", in: $0) }),
                let size = Int(String(decoding: buffer[..<end], as: UTF8.self), radix: 16)
            else {
                response.isComplete = false
                return
            }
            buffer.removeFirst(end + 2)
            fill(to: size + 2)
            guard buffer.count >= size + 2 else {
                response.body += buffer
                response.isComplete = false
                return
            }
            response.body += buffer[..<size]
            buffer.removeFirst(size + 2)
            if size == 0 { return }
        }
    }

    private func fill(until found: ([UInt8]) -> Int?) -> Int? {
        while true {
            if let position = found(buffer) { return position }
            guard receive() else { return nil }
        }
    }

    private func fill(to count: Int) { while buffer.count < count, receive() {} }

    private func receive() -> Bool {
        var block = [UInt8](repeating: 0, count: 64 * 1024)
        let count = recv(descriptor, &block, block.count, 0)
        // An end with a reset is an end; a read that ran out of patience is not.
        if count == 0 || count < 0 && errno == ECONNRESET { isAtEnd = true }
        guard count > 0 else { return false }
        buffer += block[..<count]
        return true
    }

    private static func find(_ text: String, in bytes: [UInt8]) -> Int? {
        let pattern = Array(text.utf8)
        guard bytes.count >= pattern.count else { return nil }
        return (0...(bytes.count - pattern.count)).first { bytes[$0..<$0 + pattern.count].elementsEqual(pattern) }
    }
}
