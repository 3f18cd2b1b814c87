import Glibc

/// A bound and listening TCP socket, made here and not by libmicrohttpd so that the reason of a failure is known.
enum ListeningSocket {
    static func open(_ options: HTTPServerOptions) throws(HTTPServerError) -> CInt {
        var hints = addrinfo()
        hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV
        var found: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(options.address, String(options.port), &hints, &found)
        guard status == 0, let found else {
            throw HTTPServerError(
                "cannot listen on \(options.address): not a numeric address (\(String(cString: gai_strerror(status))))")
        }
        defer { freeaddrinfo(found) }
        let info = found.pointee
        let descriptor = socket(
            info.ai_family, CInt(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw failure("socket", options) }
        var on: CInt = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<CInt>.size))
        func share() { setsockopt(descriptor, SOL_SOCKET, SO_REUSEPORT, &on, socklen_t(MemoryLayout<CInt>.size)) }
        if options.reusePort, !options.claimsPort { share() }
        let isBound = bind(descriptor, __CONST_SOCKADDR_ARG(__sockaddr__: info.ai_addr), info.ai_addrlen) == 0
        // A socket that shares from the start would be let in beside another process that shares its port.
        if options.reusePort, options.claimsPort, isBound { share() }
        guard isBound, listen(descriptor, options.backlog) == 0 else {
            // Made before the descriptor is closed, which may change errno.
            let error = failure("listen", options)
            close(descriptor)
            throw error
        }
        return descriptor
    }

    private static func failure(_ step: String, _ options: HTTPServerOptions) -> HTTPServerError {
        HTTPServerError("cannot \(step) on \(options.address):\(options.port): \(String(cString: strerror(errno)))")
    }
}
