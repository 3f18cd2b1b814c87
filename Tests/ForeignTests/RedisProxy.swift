import Foundation
import Synchronization
import TestKit
import Testing

/// A TCP proxy on loopback that can hold bytes back, change them, or cut its connections.
final class RedisProxy: Sendable {
    enum Mode: Sendable {
        case pass
        /// Nothing goes either way any more; connections stay.
        case stall
        /// Of the server's bytes, about one in so many is changed.
        case corrupt(oneIn: UInt64)
        /// What the server says next, a reply or a few, is lost; then as `pass`.
        case loseOne
    }

    private struct State {
        var mode = Mode.pass
        var random: SeededRandom
        var sockets: Set<CInt> = []
        var isClosed = false
    }

    let port: UInt16
    private let target: UInt16
    private let listener: CInt
    private let state: Mutex<State>

    init(to target: UInt16, seed: UInt64 = UInt64.random(in: 0..<1 << 32)) throws {
        print("RedisProxy: seed \(seed)")
        self.target = target
        state = Mutex(State(random: SeededRandom(seed: seed)))
        listener = socket(AF_INET, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        var address = loopback(0)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = listener
        let isListening = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, __CONST_SOCKADDR_ARG(__sockaddr__: $0), size) == 0 && listen(descriptor, 64) == 0
                    && getsockname(descriptor, __SOCKADDR_ARG(__sockaddr__: $0), &size) == 0
            }
        }
        port = UInt16(bigEndian: address.sin_port)
        try #require(isListening, "the proxy cannot listen")
        Thread.detachNewThread { [self] in accept() }
    }

    var url: String { "redis://127.0.0.1:\(port)" }

    func set(_ mode: Mode) { state.withLock { $0.mode = mode } }

    /// Ends all connections that are there now.
    func cut() {
        state.withLock { state in
            for descriptor in state.sockets { shutdown(descriptor, CInt(SHUT_RDWR)) }
        }
    }

    /// Ends its threads.
    func close() {
        state.withLock { $0.isClosed = true }
        shutdown(listener, CInt(SHUT_RDWR))
        cut()
    }

    private func accept() {
        while true {
            let client = Glibc.accept4(listener, __SOCKADDR_ARG(__sockaddr__: nil), nil, CInt(SOCK_CLOEXEC.rawValue))
            guard client >= 0 else { break }
            let server = socket(AF_INET, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
            let isConnected = lendAddress(of: target) { connect(server, $0, $1) == 0 }
            state.withLock { $0.sockets.formUnion([client, server]) }
            if !isConnected { shutdown(client, CInt(SHUT_RDWR)) }
            Thread.detachNewThread { [self] in
                let way = Thread { [self] in copy(from: client, to: server, isReply: false) }
                way.start()
                copy(from: server, to: client, isReply: true)
                while !way.isFinished { usleep(1000) }
                _ = state.withLock { state in [client, server].map { state.sockets.remove($0) } }
                Glibc.close(client)
                Glibc.close(server)
            }
        }
        Glibc.close(listener)
    }

    private func copy(from source: CInt, to target: CInt, isReply: Bool) {
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = read(source, &buffer, buffer.count)
            guard count > 0, waitWhileStalled() else { break }
            if isReply {
                if isLost() { continue }
                damage(&buffer, count)
            }
            guard send(target, buffer, count, CInt(MSG_NOSIGNAL)) == count else { break }
        }
        shutdown(source, CInt(SHUT_RDWR))
        shutdown(target, CInt(SHUT_RDWR))
    }

    /// Whether there is still something to do.
    private func waitWhileStalled() -> Bool {
        while true {
            let (isStalled, isClosed) = state.withLock { state in
                if case .stall = state.mode { (true, state.isClosed) } else { (false, state.isClosed) }
            }
            if isClosed || !isStalled { return !isClosed }
            usleep(1000)
        }
    }

    private func isLost() -> Bool {
        state.withLock { state in
            guard case .loseOne = state.mode else { return false }
            state.mode = .pass
            return true
        }
    }

    private func damage(_ bytes: inout [UInt8], _ count: Int) {
        state.withLock { state in
            guard case .corrupt(let oneIn) = state.mode else { return }
            for index in 0..<count where state.random.next() % oneIn == 0 {
                bytes[index] = UInt8(truncatingIfNeeded: state.random.next())
            }
        }
    }
}
