import CEvent
import CHiredis
import Core
import Glibc

/// Names that are looked up without blocking the loop. Must outlive the transports that use it.
final class RedisResolver {
    let base: OpaquePointer?

    /// Where the system names no server, the hosts file is all there is.
    init(loop: EventLoop) {
        base = evdns_base_new(loop.base, EVDNS_BASE_INITIALIZE_NAMESERVERS) ?? evdns_base_new(loop.base, 0)
        if let base { evdns_base_load_hosts(base, nil) }
    }

    deinit { if let base { evdns_base_free(base, 0) } }
}

/// One connection's bytes: a libevent bufferevent, over TLS where asked, and its callbacks. Freed with the last
/// reference; then no callback comes any more. Belongs to its loop's thread.
final class RedisTransport {
    enum Event {
        case connected
        /// Something can be read.
        case readable
        /// In words.
        case ended(String)
    }

    private let handle: OpaquePointer
    /// OpenSSL's state of the connection, which `handle` frees.
    private let session: OpaquePointer?
    private let resolver: RedisResolver
    private let handler: (Event) -> Void

    /// Read from the socket before the loop goes on to others.
    private static let readLimit = 256 << 10

    /// nil where memory is out or OpenSSL refuses.
    init?(
        loop: EventLoop, endpoint: RedisEndpoint, tls: RedisTLS?, resolver: RedisResolver,
        handler: @escaping (Event) -> Void
    ) {
        // Deferred, so that no callback comes from inside a call of ours.
        let flags = CInt(BEV_OPT_CLOSE_ON_FREE.rawValue | BEV_OPT_DEFER_CALLBACKS.rawValue)
        var session: OpaquePointer?
        let handle: OpaquePointer?
        if let tls, case .network(let host, _) = endpoint {
            session = tls.session(host: host)
            guard let session else { return nil }
            handle = bufferevent_openssl_socket_new(loop.base, -1, session, BUFFEREVENT_SSL_CONNECTING, flags)
            if let handle { bufferevent_openssl_set_allow_dirty_shutdown(handle, 1) }
        } else {
            handle = bufferevent_socket_new(loop.base, -1, flags)
        }
        guard let handle else { return nil }
        self.handle = handle
        self.session = session
        self.resolver = resolver
        self.handler = handler
        bufferevent_set_max_single_read(handle, RedisTransport.readLimit)
    }

    deinit { bufferevent_free(handle) }

    /// Whether the attempt began; how it ends is an event.
    func connect(to endpoint: RedisEndpoint) -> Bool {
        // Unretained: the handle, and with it every callback, ends in deinit.
        bufferevent_setcb(
            handle,
            { _, context in
                // Set to `self` here, never nil; retained for the call, in which the last other reference may go.
                let transport = Unmanaged<RedisTransport>.fromOpaque(context!).takeUnretainedValue()
                transport.handler(.readable)
            }, nil,
            { _, what, context in
                // As above.
                Unmanaged<RedisTransport>.fromOpaque(context!).takeUnretainedValue().happened(Int32(what))
            }, Unmanaged.passUnretained(self).toOpaque())
        bufferevent_enable(handle, Int16(EV_READ | EV_WRITE))
        switch endpoint {
        case .network(let host, let port):
            return bufferevent_socket_connect_hostname(handle, resolver.base, AF_UNSPEC, host, CInt(port)) == 0
        case .socket(let path):
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            let isFitting = withUnsafeMutableBytes(of: &address.sun_path) { target in
                guard path.utf8.count < target.count else { return false }
                target.copyBytes(from: path.utf8)
                return true
            }
            guard isFitting else { return false }
            let size = CInt(MemoryLayout<sockaddr_un>.size)
            return withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bufferevent_socket_connect(handle, $0, size) == 0
                }
            }
        }
    }

    /// Sends a command, and takes its memory.
    func write(_ command: EncodedCommand) {
        let status = evbuffer_add_reference(
            bufferevent_get_output(handle), command.text, command.count,
            { _, _, text in redisFreeCommand(text?.assumingMemoryBound(to: CChar.self)) }, command.text)
        // Memory is out: the command is lost, and its sender will find the connection silent.
        if status != 0 { redisFreeCommand(command.text) }
    }

    /// Lends each piece of what has come, and lets go of it.
    func read(_ body: (UnsafeRawBufferPointer) throws(KeyValueFailure) -> Void) throws(KeyValueFailure) {
        guard let input = bufferevent_get_input(handle) else { return }
        while true {
            let count = evbuffer_get_contiguous_space(input)
            guard count > 0, let bytes = evbuffer_pullup(input, count) else { return }
            defer { evbuffer_drain(input, count) }
            try body(UnsafeRawBufferPointer(start: bytes, count: count))
        }
    }

    private func happened(_ what: Int32) {
        if what & BEV_EVENT_CONNECTED != 0 {
            sendAtOnce()
            handler(.connected)
        } else if what & BEV_EVENT_EOF != 0 {
            handler(.ended("the server closed the connection"))
        } else if what & (BEV_EVENT_ERROR | BEV_EVENT_TIMEOUT) != 0 {
            handler(.ended(reason(errno)))
        }
    }

    private func reason(_ code: CInt) -> String {
        let lookup = bufferevent_socket_get_dns_error(handle)
        if lookup != 0 { return "name not found: \(String(cString: evutil_gai_strerror(lookup)))" }
        if let session, let refusal = RedisTLS.refusal(of: session) { return "certificate refused: \(refusal)" }
        let tlsError = session == nil ? 0 : bufferevent_get_openssl_error(handle)
        if tlsError != 0 { return "TLS: \(RedisTLS.text(ofError: UInt(tlsError)))" }
        return code == 0 ? "the connection failed" : String(cString: strerror(code))
    }

    private func sendAtOnce() {
        var on: CInt = 1
        let descriptor = bufferevent_getfd(handle)
        // Fails on a Unix socket, which does not wait anyway.
        setsockopt(descriptor, CInt(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<CInt>.size))
    }
}
