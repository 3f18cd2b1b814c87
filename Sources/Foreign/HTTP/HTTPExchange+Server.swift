import CMicrohttpd
import Core
import Glibc

/// The server's side of an exchange: what the library's callbacks do to it.
extension HTTPExchange {
    /// Bytes of a refused body that are read and thrown away, so that the client gets to see the refusal.
    private static let discardLimit = 64 * 1024 * 1024

    // MARK: Head

    /// The request line is there. Copies the target, because the library is about to take it apart in place.
    func start(on connection: HTTPConnection, raw: OpaquePointer, target text: UnsafePointer<CChar>) {
        self.connection = connection
        self.raw = raw
        phase = .head
        targetAddress = UnsafeRawPointer(text)
        let count = strlen(text)
        targetBuffer.append(UnsafeRawBufferPointer(start: text, count: count))
        connection.isIdle = false
        connection.exchange = self
        connection.deadline = server.deadline(server.headTicks)
        // The library would split the query into a record each argument, which costs memory that a client could
        // exhaust and serves nobody here. It has found the question mark already and reads on from there, in
        // memory that is its own and writable.
        if let mark = memchr(text, 63, count) { mark.storeBytes(of: 0, toByteOffset: 1, as: UInt8.self) }
    }

    /// The first call for a request: its head is complete.
    func headArrived(method: UnsafePointer<CChar>, version: UnsafePointer<CChar>) -> MHD_Result {
        methodBytes = UnsafeRawBufferPointer(start: method, count: strlen(method))
        // Always `HTTP/1.x`: the library refuses everything else.
        isHTTP10 = version[7] == 48
        phase = .body
        if let reason = findFault(version: version) {
            refuse(reason)
            return queuePending() ? .YES : .NO
        }
        plan = server.handler.began(self)
        guard !isAborted else { return .NO }
        if pendingResponse != nil {
            // Without a body to come the answer waits for the last call, because the library closes the connection
            // after an answer to the first.
            guard hasBody else { return .YES }
            return queuePending() ? .YES : .NO
        }
        return preparesBody() ? .YES : .NO
    }

    private func preparesBody() -> Bool {
        connection?.deadline = server.deadline(server.bodyTicks)
        switch plan {
        case .collect(let limit):
            guard let length = table.contentLength, length > Int64(limit) else { return true }
            return refuseBody(.bodyTooLarge)
        case .stream:
            let loop = server.loop
            // Unchecked transfer: the exchange is only touched on the loop's thread, to which the closure hops.
            nonisolated(unsafe) weak let exchange = self
            upload = HTTPUpload { loop.execute { exchange?.resumeIfSuspended() } }
            isReceived = true
            server.handler.received(self)
            return !isAborted
        }
    }

    private func findFault(version: UnsafePointer<CChar>) -> HTTPRefusal? {
        guard let raw, let address = targetAddress else { return .malformedHead }
        let methodStart = UnsafeRawPointer(methodBytes.baseAddress ?? UnsafeRawPointer(version))
        let written = targetBuffer.bytes
        let requestLineEnd = UnsafeRawPointer(version) + 8
        // One blank between method, target and version each, and nothing else.
        guard methodStart + methodBytes.count + 1 == address,
            address + written.count + 1 == UnsafeRawPointer(version), HTTPSyntax.isToken(methodBytes)
        else { return .malformedHead }
        guard let kind = HTTPExchange.method(methodBytes) else { return .methodNotAllowed }
        method = kind
        guard let path = HTTPExchange.path(of: written, method: kind) else { return .malformedTarget }
        target = path
        table.gather(from: raw, after: requestLineEnd, isHTTP10: isHTTP10)
        if let reason = table.refusal { return reason }
        guard let info = refrain_mhd_connection_info(raw, .CONNECTION_INFO_REQUEST_HEADER_SIZE) else {
            return .malformedHead
        }
        let size = info.pointee.header_size
        guard size <= server.options.headLimit else { return .headTooLarge }
        return table.ends(at: methodStart + size) ? nil : .malformedHead
    }

    /// nil for the methods that are never served.
    private static func method(_ name: UnsafeRawBufferPointer) -> Method? {
        guard let base = name.baseAddress else { return .other }
        // Compared only with words of its own length.
        func letters(_ word: StaticString) -> Bool { memcmp(base, word.utf8Start, name.count) == 0 }
        switch name.count {
        case 3: return letters("GET") ? .get : letters("PUT") ? .put : .other
        case 4: return letters("POST") ? .post : letters("HEAD") ? .head : .other
        case 5: return letters("TRACE") ? nil : letters("PATCH") ? .patch : .other
        case 6: return letters("DELETE") ? .delete : .other
        case 7: return letters("CONNECT") ? nil : letters("OPTIONS") ? .options : .other
        default: return .other
        }
    }

    /// The origin form of a target: a path, `*`, or what follows the authority in an absolute URL.
    private static func path(of target: UnsafeRawBufferPointer, method: Method) -> UnsafeRawBufferPointer? {
        guard HTTPSyntax.isTarget(target) else { return nil }
        if target[0] == 47 { return target }
        if target.count == 1, target[0] == 42 { return method == .options ? target : nil }
        for scheme: StaticString in ["http://", "https://"] {
            let length = scheme.utf8CodeUnitCount
            guard target.count > length,
                UnsafeRawBufferPointer(rebasing: target[..<length]).equalsIgnoringCase(scheme)
            else { continue }
            guard let slash = target[length...].firstIndex(of: 47), slash > length else { return nil }
            return UnsafeRawBufferPointer(rebasing: target[slash...])
        }
        return nil
    }

    // MARK: Body

    /// A piece of the body; returns how much of it was taken, nil to end the connection.
    func bodyArrived(_ bytes: UnsafeRawBufferPointer) -> Int? {
        guard !isAborted else { return nil }
        if phase == .discarding || pendingResponse != nil { return discard(bytes) }
        connection?.deadline = server.deadline(server.bodyTicks)
        switch plan {
        case .collect(let limit):
            let size = bodyBuffer.count + bytes.count
            guard size <= limit else { return refuseBody(.bodyTooLarge) ? discard(bytes) : nil }
            guard charge(size) else { return refuseBody(.bodyMemory) ? discard(bytes) : nil }
            bodyBuffer.append(bytes)
            return bytes.count
        case .stream:
            let taken = upload?.write(bytes) ?? bytes.count
            if pendingResponse != nil || isAborted { return bytes.count }
            // The reader may have emptied the ring by now, in which case the wake-up is already under way.
            if taken < bytes.count { suspend() }
            return taken
        }
    }

    /// Charges a body of `size` bytes to what all connections may hold; small ones are bounded by their number.
    private func charge(_ size: Int) -> Bool {
        guard size > HTTPExchange.freeBody, let budget = server.options.bodyBudget else { return true }
        guard budget.take(size - chargedBytes) else { return false }
        chargedBytes = size
        return true
    }

    private func giveBack() {
        guard chargedBytes > 0 else { return }
        server.options.bodyBudget?.give(chargedBytes)
        chargedBytes = 0
    }

    private static let freeBody = 64 * 1024

    private func discard(_ bytes: UnsafeRawBufferPointer) -> Int? {
        if discardBudget == 0 { discardBudget = HTTPExchange.discardLimit }
        guard bytes.count < discardBudget else { return nil }
        discardBudget -= bytes.count
        return bytes.count
    }

    // MARK: Answer

    /// The call for a complete request, and every call after a suspension.
    func requestComplete() -> MHD_Result {
        guard !isAborted, phase != .discarding else { return .NO }
        if phase != .ready {
            phase = .ready
            connection?.deadline = HTTPConnection.never
            upload?.finish(isComplete: true)
        }
        if pendingResponse == nil, !isReceived {
            isReceived = true
            server.handler.received(self)
        }
        guard !isAborted else { return .NO }
        if pendingResponse != nil { return queuePending() ? .YES : .NO }
        suspend()
        return .YES
    }

    private func refuse(_ reason: HTTPRefusal) {
        server.refusals += 1
        let response = HTTPResponse(body: server.handler.refusal(of: self, reason))
        response.add("Content-Type", "application/json")
        if reason == .methodNotAllowed {
            response.add("Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")
        }
        if reason == .bodyMemory { response.add("Retry-After", "1") }
        response.close()
        pendingStatus = reason.status
        pendingResponse = response
    }

    /// Answers 413, or 503 where memory is short. False ends the connection.
    ///
    /// A client that waits for `100 Continue` gets the answer instead of it. Any other is in the middle of sending:
    /// the library would answer when the body ends, or answer now and close, and closing with unread bytes resets
    /// the connection, often before the client has read the answer. So the answer goes out at once and past the
    /// library, which has sent nothing for this request yet, and the rest of the body is read and dropped.
    private func refuseBody(_ reason: HTTPRefusal) -> Bool {
        if phase == .body, bodyBuffer.count == 0, table.expectsContinue, table.contentLength != nil {
            refuse(reason)
            return queuePending()
        }
        server.refusals += 1
        let body = server.handler.refusal(of: self, reason)
        let status = reason == .bodyMemory ? "503 Service Unavailable\r\nRetry-After: 1" : "413 Content Too Large"
        let head = """
            HTTP/1.1 \(status)\r\nContent-Type: application/json\r\n\
            Content-Length: \(body.count)\r\nConnection: close\r\n\r\n
            """
        bodyBuffer.clear()
        giveBack()
        phase = .discarding
        isResponseQueued = true
        // The deadline stands from here on: nothing the client sends moves it.
        connection?.deadline = server.deadline(server.bodyTicks)
        guard let descriptor = connection?.descriptor else { return false }
        let message = Bytes(Array(head.utf8) + body.array)
        // Does not block: the library's sockets never do. There is room, because all earlier answers are out.
        let sent = message.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL)) }
        return sent == message.count
    }

    private func queuePending() -> Bool {
        guard let raw, let response = pendingResponse else { return false }
        if server.isDraining { response.close() }
        isResponseQueued = true
        connection?.deadline = HTTPConnection.never
        defer { pendingResponse = nil }
        return MHD_queue_response(raw, UInt32(pendingStatus), response.raw) == .YES
    }

    // MARK: Waiting

    func suspend() {
        guard let raw, let connection, !isSuspended else { return }
        isSuspended = true
        connection.deadline = HTTPConnection.never
        MHD_suspend_connection(raw)
        // A suspended connection is not polled, so that the client has gone would not be noticed.
        guard closeWatch == nil else { return }
        closeWatch = server.loop.watchClose(of: connection.descriptor) { [unowned self] in
            closeWatch?.disarm()
            if phase != .ended { end() }
        }
    }

    func resumeIfSuspended() {
        guard isSuspended, let raw else { return }
        isSuspended = false
        if phase == .body { connection?.deadline = server.deadline(server.bodyTicks) }
        MHD_resume_connection(raw)
        server.runSoon()
    }

    /// The server stops: whatever the library asks next is answered with the end.
    func end() {
        guard !isAborted else { return }
        clientLeft()
        resumeIfSuspended()
    }

    func willRead() { isWokenEarly = false }

    /// The source has nothing for now. If it was woken while it said so it is asked again at the next turn.
    func waitForSource() {
        if !isWokenEarly { suspend() }
    }

    // MARK: End

    /// The library is done with the request, one way or another.
    func finish(isComplete: Bool) {
        let stream = stream
        let upload = upload
        closeWatch = nil
        let wasOpen = !isAborted
        raw = nil
        phase = .ended
        upload?.finish(isComplete: false)
        if !isComplete, wasOpen { clientLeft() }
        stream?.source.ended(isComplete: isComplete && wasOpen)
        connection?.exchange = nil
        connection = nil
        bodyBuffer.clear()
        giveBack()
        forget()
    }

    /// Drops what the exchange holds; its memory stays for the next request.
    private func forget() {
        forgetLeaveHandler()
        context = nil
        stream = nil
        upload = nil
        pendingResponse = nil
    }

    /// Makes an ended exchange, which nobody else knows any more, fit for a new request.
    func recycle() {
        phase = .head
        targetBuffer.clear()
        isSuspended = false
        isWokenEarly = false
        isReceived = false
        isAborted = false
        isResponseQueued = false
        discardBudget = 0
    }
}
