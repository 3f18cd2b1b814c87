import CMicrohttpd
import Core
import Glibc

/// An HTTP/1.1 server on one loop: libmicrohttpd's state machine, driven by the loop through the library's own epoll
/// descriptor.
///
/// Belongs to the loop's thread, except for `init`, which may come before the loop runs. `stop` it before it is
/// dropped.
package final class HTTPServer {
    let loop: EventLoop
    let options: HTTPServerOptions
    unowned let handler: any HTTPHandler
    private var daemon: OpaquePointer?
    private let listener: CInt
    private var pollWatch: LoopEvent?
    private var turn: LoopEvent?
    private var timer: LoopEvent?
    private var isRunning = false
    private var isListening = true
    private var connections: [HTTPConnection] = []
    private var spare: [HTTPExchange] = []
    private var drained: (() -> Void)?

    private var tick: UInt64 = 0
    private let tickLength: Int64
    let headTicks, bodyTicks, idleTicks: UInt64

    /// The port that is listened on, also where the options left it to the system.
    package private(set) var boundPort: UInt16 = 0
    package private(set) var isDraining = false
    /// Connections closed as they arrived because there were too many.
    package private(set) var refusedConnections = 0
    /// Requests that broke the protocol or a limit.
    package internal(set) var refusals = 0

    package var connectionCount: Int { connections.count }

    /// Exchanges kept for reuse.
    private static let spareLimit = 256
    /// Turns of the library's own loop before other work of the loop gets its own.
    private static let turnLimit = 4

    package init(
        loop: EventLoop, options: HTTPServerOptions, handler: any HTTPHandler
    ) throws(HTTPServerError) {
        self.loop = loop
        self.options = options
        self.handler = handler
        let shortest = max(1, min(options.headTimeout, options.bodyTimeout, options.idleTimeout))
        let tickLength = min(max(shortest / 4, 10_000_000), 1_000_000_000)
        self.tickLength = tickLength
        // One more, because the tick that is running is not a whole one.
        func ticks(_ time: Int64) -> UInt64 { UInt64(max(0, time) / tickLength + 2) }
        headTicks = ticks(options.headTimeout)
        bodyTicks = ticks(options.bodyTimeout)
        idleTicks = ticks(options.idleTimeout)
        listener = try ListeningSocket.open(options)
        try startDaemon()
    }

    deinit { precondition(daemon == nil, "HTTPServer: dropped without stop()") }

    private func startDaemon() throws(HTTPServerError) {
        let flags =
            MHD_USE_EPOLL.rawValue | MHD_USE_TURBO.rawValue | MHD_ALLOW_SUSPEND_RESUME.rawValue
            | MHD_USE_ERROR_LOG.rawValue
        let daemon = refrain_mhd_start(
            flags, listener, HTTPServer.connectionMemory(headLimit: options.headLimit),
            // Above the limit, so that the policy callback and not the library turns connections away.
            UInt32(clamping: options.connectionLimit + 64),
            UInt32(clamping: max(1, options.sendTimeout / 1_000_000_000)),
            Unmanaged.passUnretained(self).toOpaque(), HTTPCallbacks.log, HTTPCallbacks.accept,
            HTTPCallbacks.access, HTTPCallbacks.target, HTTPCallbacks.unescape, HTTPCallbacks.completed,
            HTTPCallbacks.connection)
        guard let daemon, let info = refrain_mhd_daemon_info(daemon, .DAEMON_INFO_EPOLL_FD) else {
            Glibc.close(listener)
            throw HTTPServerError("libmicrohttpd did not start: \(String(cString: strerror(errno)))")
        }
        self.daemon = daemon
        boundPort = refrain_mhd_daemon_info(daemon, .DAEMON_INFO_BIND_PORT)?.pointee.port ?? options.port
        turn = loop.timer { [unowned self] in run() }
        pollWatch = loop.watch(info.pointee.epoll_fd, for: .read) { [unowned self] _ in run() }
        timer = loop.timer { [unowned self] in ticked() }
        timer?.arm(after: tickLength)
        runSoon()
    }

    /// A connection's memory holds the head, 64 bytes a header line to find it again, and the head of the answer with
    /// the lines that the server adds to it. It
    /// is written whole for each exchange, so it is what an idle connection costs.
    private static func connectionMemory(headLimit: Int) -> Int {
        headLimit + HTTPServerOptions.answerHeadLimit + 1024 + HTTPHeaderTable.lineLimit * 64
    }

    // MARK: Turning

    /// Lets the library work at the loop's next turn.
    func runSoon() { turn?.activate() }

    /// Sends what was answered meanwhile, before other work of this turn. Not from within a call of the handler.
    package func flush() {
        turn?.disarm()
        run()
    }

    private func run() {
        guard let daemon, !isRunning else { return runSoon() }
        isRunning = true
        defer { isRunning = false }
        for _ in 0..<HTTPServer.turnLimit {
            MHD_run(daemon)
            var wait: UInt64 = 0
            // Any other wait than none at all is what the tick is for.
            guard MHD_get_timeout(daemon, &wait) == .YES, wait == 0 else { return }
        }
        runSoon()
    }

    private func ticked() {
        tick += 1
        for connection in connections where connection.deadline < tick || isDraining && connection.isIdle {
            connection.cut()
        }
        // Lets the library look for clients that take no bytes.
        run()
        timer?.arm(after: tickLength)
    }

    func deadline(_ ticks: UInt64) -> UInt64 { tick + ticks }

    // MARK: Connections

    func mayAccept() -> Bool {
        guard connections.count < options.connectionLimit else {
            refusedConnections += 1
            return false
        }
        return true
    }

    /// The connection is kept in `connections`; the library gets an unretained pointer to it.
    func opened(_ descriptor: CInt) -> UnsafeMutableRawPointer {
        let connection = HTTPConnection(descriptor: descriptor)
        connection.index = connections.count
        connection.deadline = deadline(headTicks)
        connections.append(connection)
        return Unmanaged.passUnretained(connection).toOpaque()
    }

    func closed(_ connection: HTTPConnection) {
        let last = connections.removeLast()
        if last !== connection {
            last.index = connection.index
            connections[connection.index] = last
        }
        if isDraining, connections.isEmpty { reportDrained() }
    }

    // MARK: Exchanges

    /// Retained for the library until `release`.
    func makeExchange() -> Unmanaged<HTTPExchange> {
        Unmanaged.passRetained(spare.popLast() ?? HTTPExchange(server: self))
    }

    func release(_ reference: Unmanaged<HTTPExchange>, isComplete: Bool) {
        var exchange = reference.takeRetainedValue()
        if let connection = exchange.connection {
            connection.isIdle = true
            connection.deadline = deadline(idleTicks)
        }
        // A failed streamed answer leaves the library with a connection that it would keep until the client closes.
        if !isComplete { exchange.connection?.cut() }
        let isPlain = exchange.stream == nil && exchange.upload == nil
        exchange.finish(isComplete: isComplete)
        // Whoever still holds it, if only weakly, must not find another client's request in it.
        guard isPlain, isKnownUniquelyReferenced(&exchange), spare.count < HTTPServer.spareLimit else { return }
        exchange.recycle()
        spare.append(exchange)
    }

    // MARK: Ending

    /// Stops accepting; everything else goes on.
    package func stopAccepting() {
        guard isListening, let daemon else { return }
        isListening = false
        MHD_quiesce_daemon(daemon)
        Glibc.close(listener)
    }

    /// Stops accepting, closes what is idle, lets the rest finish with `Connection: close`, and calls `completion`
    /// when no connection is left.
    package func close(_ completion: @escaping () -> Void) {
        stopAccepting()
        isDraining = true
        drained = completion
        for connection in connections where connection.isIdle { connection.cut() }
        if connections.isEmpty { reportDrained() } else { runSoon() }
    }

    private func reportDrained() {
        let completion = drained
        drained = nil
        completion?()
    }

    /// Ends everything at once. Not from within a call of the handler.
    package func stop() {
        guard let daemon else { return }
        precondition(!isRunning, "HTTPServer: stop() from within a callback")
        stopAccepting()
        isRunning = true
        // The library must not be stopped with a connection suspended: all are resumed into their end first.
        for connection in connections {
            connection.cut()
            connection.exchange?.end()
        }
        MHD_run(daemon)
        MHD_stop_daemon(daemon)
        self.daemon = nil
        (pollWatch, turn, timer) = (nil, nil, nil)
        spare = []
        isRunning = false
    }
}
