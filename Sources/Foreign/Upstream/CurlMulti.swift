import CCurl

/// A libcurl multi handle whose sockets and timer are events of one loop. Belongs to that loop's thread.
final class CurlMulti {
    private let handle: UnsafeMutableRawPointer
    private let loop: EventLoop
    /// Must outlive `handle`, whose connections close their sockets through it.
    let sockets = CurlSockets()
    private var watched: [curl_socket_t: (interest: Interest, event: LoopEvent)] = [:]
    private var timer: LoopEvent?
    private var isClosed = false
    /// Whether libcurl is on the stack: it must then not be entered again.
    private(set) var isInside = false
    /// Told of each transfer that ended; the easy handle is still part of the multi handle.
    private let ended: (UnsafeMutableRawPointer, CURLcode) -> Void

    init(loop: EventLoop, options: UpstreamOptions, ended: @escaping (UnsafeMutableRawPointer, CURLcode) -> Void)
        throws(LoopError)
    {
        guard CurlLibrary.isReady, let handle = curl_multi_init() else {
            throw LoopError("libcurl could not be initialised")
        }
        self.handle = handle
        self.loop = loop
        self.ended = ended
        timer = loop.timer { [unowned self] in proceed() }
        let context = Unmanaged.passUnretained(self).toOpaque()
        refrain_curl_multi_set_pointer(handle, CURLMOPT_SOCKETDATA, context)
        refrain_curl_multi_set_socket_callback(handle) { _, socket, what, context, _ in
            // Set to `self` above; the handle is freed before the object is gone.
            Unmanaged<CurlMulti>.fromOpaque(context!).takeUnretainedValue().watch(socket, what)
            return 0
        }
        refrain_curl_multi_set_pointer(handle, CURLMOPT_TIMERDATA, context)
        refrain_curl_multi_set_timer_callback(handle) { _, milliseconds, context in
            // As above.
            Unmanaged<CurlMulti>.fromOpaque(context!).takeUnretainedValue().schedule(milliseconds)
            return 0
        }
        refrain_curl_multi_set_long(handle, CURLMOPT_MAX_TOTAL_CONNECTIONS, options.maxConnections)
        refrain_curl_multi_set_long(handle, CURLMOPT_MAXCONNECTS, max(1, options.maxIdleConnections))
    }

    deinit { close() }

    /// Does at once what libcurl would otherwise do at the loop's next turn.
    func proceed() { act(on: CURL_SOCKET_TIMEOUT, events: 0) }

    /// False if libcurl refuses the handle.
    func add(_ easy: UnsafeMutableRawPointer) -> Bool {
        guard !isClosed else { return false }
        return inside { curl_multi_add_handle(handle, easy) } == CURLM_OK
    }

    func remove(_ easy: UnsafeMutableRawPointer) {
        guard !isClosed else { return }
        inside { _ = curl_multi_remove_handle(handle, easy) }
    }

    /// Runs `body`, which calls libcurl for one of the transfers.
    func inside<Result>(_ body: () -> Result) -> Result {
        precondition(!isInside, "libcurl entered from one of its own callbacks")
        isInside = true
        defer { isInside = false }
        return body()
    }

    /// Closes all connections. Every transfer must have been removed.
    func close() {
        guard !isClosed else { return }
        isClosed = true
        inside { _ = curl_multi_cleanup(handle) }
        watched = [:]
        timer = nil
    }

    private func act(on socket: curl_socket_t, events: CInt) {
        guard !isClosed else { return }
        var running: CInt = 0
        inside { _ = curl_multi_socket_action(handle, socket, events, &running) }
        var left: CInt = 0
        // `ended` may close the handle.
        while !isClosed, let message = curl_multi_info_read(handle, &left) {
            guard message.pointee.msg == CURLMSG_DONE, let easy = message.pointee.easy_handle else { continue }
            ended(easy, message.pointee.data.result)
        }
    }

    private func watch(_ socket: curl_socket_t, _ what: CInt) {
        let interest: Interest =
            switch what {
            case CURL_POLL_IN: .read
            case CURL_POLL_OUT: .write
            case CURL_POLL_INOUT: [.read, .write]
            default: []
            }
        guard !interest.isEmpty else {
            watched[socket] = nil
            return
        }
        guard watched[socket]?.interest != interest else { return }
        // The old event goes first: two for one descriptor would be merged and then deleted together.
        watched[socket] = nil
        let event = loop.watch(socket, for: interest) { [unowned self] ready in
            var events: CInt = 0
            if ready.contains(.read) { events |= CURL_CSELECT_IN }
            if ready.contains(.write) { events |= CURL_CSELECT_OUT }
            act(on: socket, events: events)
        }
        watched[socket] = (interest, event)
    }

    private func schedule(_ milliseconds: Int) {
        guard milliseconds >= 0 else {
            timer?.disarm()
            return
        }
        timer?.arm(after: Int64(milliseconds) * 1_000_000)
    }
}

/// libcurl's process-wide set-up, done once and kept until the process ends.
enum CurlLibrary {
    static let isReady = curl_global_init(Int(CURL_GLOBAL_ALL)) == CURLE_OK
}
