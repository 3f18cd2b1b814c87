import CCurl
import Core
import Synchronization

/// One call: libcurl's callbacks come here and go on to the sink.
///
/// Sendable because other threads call `cancel` and `resume` only, which touch `isCancelled` (atomic) and immutable
/// members and then hop to the loop; everything else is used on the loop's thread.
final class CurlTransfer: UpstreamCall, @unchecked Sendable {
    private let upstream: CurlUpstream
    private let sink: any UpstreamSink
    private let body: UpstreamRequest.Body
    private let isCancelled = Atomic(false)
    private let started: Int64
    private var head: ResponseHead
    /// Nil before libcurl has the call, and after the end.
    var easy: CurlEasy?
    private(set) var hasEnded = false
    /// What a callback or the timer found wrong; it says more than the code libcurl then ends with.
    private(set) var failure: UpstreamFailure?
    private var status: Int?
    private var firstByte: Int64?
    private var lastProgress: Int64
    private var isReceivePaused = false
    private var isSendPaused = false
    private var bytesSent: Int64 = 0
    /// The kept connection that libcurl chose cannot be trusted; the call is to be made again on a new one.
    private var needsFreshConnection = false

    init(upstream: CurlUpstream, request: UpstreamRequest, sink: any UpstreamSink) {
        self.upstream = upstream
        self.sink = sink
        body = request.body
        started = upstream.clock.monotonic()
        lastProgress = started
        head = ResponseHead(maxBytes: upstream.options.maxHeadBytes, decodes: request.decodes)
    }

    func cancel() {
        guard !isCancelled.exchange(true, ordering: .relaxed) else { return }
        upstream.loop.execute { [self] in end(.failed(CurlTransfer.cancelled)) }
    }

    func resume() {
        upstream.loop.execute { [self] in
            guard isReceivePaused else { return }
            isReceivePaused = false
            applyPauses()
        }
    }

    private static let cancelled = UpstreamFailure(.cancelled, "the call was cancelled")

    // MARK: The end

    /// The only way a call ends; what comes after the first time is without effect. Where libcurl `isDone` with it,
    /// cleaning up can wait until the answer is out.
    func end(_ end: UpstreamEnd, isDone: Bool = false) {
        guard !hasEnded else { return }
        hasEnded = true
        let now = upstream.clock.monotonic()
        var reused = false
        if let easy {
            reused = easy.information(CURLINFO_NUM_CONNECTS) == 0 && firstByte != nil
            self.easy = nil
            if isDone { upstream.releaseSoon(easy) } else { upstream.release(easy) }
        }
        upstream.observer?(
            UpstreamObservation(
                timeToFirstByte: firstByte.map { $0 - started }, total: now - started, status: status, end: end,
                reusedConnection: reused))
        sink.finished(end)
    }

    /// libcurl is done with it.
    func ended(with code: CURLcode) {
        if needsFreshConnection, let easy, !isCancelled.load(ordering: .relaxed) {
            needsFreshConnection = false
            easy.set(CURLOPT_FRESH_CONNECT, true)
            upstream.again(easy)
        } else if let failure {
            end(.failed(failure))
        } else if code != CURLE_OK {
            let message = easy?.message(for: code) ?? String(cString: curl_easy_strerror(code))
            end(.failed(UpstreamFailure(code, upstream.options.base.origin + ": " + message)))
        } else if status == nil {
            end(.failed(describe(.malformed, "the answer has no head")))
        } else {
            end(.complete, isDone: true)
        }
    }

    private func describe(_ kind: UpstreamFailure.Kind, _ message: String) -> UpstreamFailure {
        UpstreamFailure(kind, upstream.options.base.origin + ": " + message)
    }

    // MARK: What libcurl calls

    /// Asked when there is a connection, before the request goes out.
    ///
    /// Bytes that wait on a kept HTTP/1 connection were asked for by nobody; libcurl 7.88 would take them for the
    /// answer to this request.
    func mayUseConnection(localPort: Int) -> Bool {
        guard let easy, easy.information(CURLINFO_NUM_CONNECTS) == 0 else { return true }
        needsFreshConnection = upstream.hasStrayBytes(localPort: localPort)
        return !needsFreshConnection
    }

    /// One header line; false ends the call.
    func receiveHeader(_ line: UnsafeRawBufferPointer) -> Bool {
        guard !isCancelled.load(ordering: .relaxed) else { return fail(CurlTransfer.cancelled) }
        lastProgress = upstream.clock.monotonic()
        switch head.feed(line) {
        case .incomplete: return true
        case .failed(let failure): return fail(describe(failure.kind, failure.message))
        case .complete(let status, let headers):
            self.status = status
            firstByte = lastProgress
            upstream.speaksHTTP1 = easy.map { $0.information(CURLINFO_HTTP_VERSION) < CURL_HTTP_VERSION_2_0 } ?? false
            armTimer(after: upstream.options.idleTimeout.nanoseconds)
            sink.responded(UpstreamHead(status: status, headers: headers))
            return true
        }
    }

    /// A piece of the body; the answer is the callback's.
    func receiveBody(_ bytes: UnsafeRawBufferPointer) -> Int {
        guard !isCancelled.load(ordering: .relaxed) else { return stop(CurlTransfer.cancelled) }
        guard status != nil else { return stop(describe(.malformed, "a body came without a head")) }
        lastProgress = upstream.clock.monotonic()
        switch sink.delivered(bytes) {
        case .more: return bytes.count
        case .pause:
            isReceivePaused = true
            return Int(CURL_WRITEFUNC_PAUSE)
        case .stop: return stop(CurlTransfer.cancelled)
        }
    }

    /// Fills `target` with the next piece of the request's body.
    func sendBody(_ target: UnsafeMutableRawBufferPointer) -> Int {
        guard case .stream(let source, let length) = body else { return 0 }
        // What is still to come belongs to the call that is made instead.
        guard !isCancelled.load(ordering: .relaxed) else { return Int(CURL_READFUNC_ABORT) }
        lastProgress = upstream.clock.monotonic()
        let room = length.map { min(Int64(target.count), $0 - bytesSent) } ?? Int64(target.count)
        guard room > 0 else { return 0 }
        switch source.read(into: UnsafeMutableRawBufferPointer(rebasing: target[..<Int(room)])) {
        case .bytes(let count):
            bytesSent += Int64(count)
            return count
        case .later:
            isSendPaused = true
            source.whenReady { [self] in
                upstream.loop.execute { [self] in
                    guard isSendPaused else { return }
                    isSendPaused = false
                    applyPauses()
                }
            }
            return Int(CURL_READFUNC_PAUSE)
        case .end where length == nil || length == bytesSent: return 0
        case .end, .broken:
            failure = UpstreamFailure(.cancelled, "the request's body broke off")
            return Int(CURL_READFUNC_ABORT)
        }
    }

    private func fail(_ failure: UpstreamFailure) -> Bool {
        if self.failure == nil { self.failure = failure }
        return false
    }

    /// libcurl takes any number but that of the bytes given for an error; no piece has this many.
    private func stop(_ failure: UpstreamFailure) -> Int {
        _ = fail(failure)
        return Int(CURL_WRITEFUNC_ERROR)
    }

    private func applyPauses() {
        guard let easy else { return }
        lastProgress = upstream.clock.monotonic()
        let mask = (isReceivePaused ? CURLPAUSE_RECV : 0) | (isSendPaused ? CURLPAUSE_SEND : 0)
        let code = upstream.inside { curl_easy_pause(easy.handle, mask) }
        if let code, code != CURLE_OK { ended(with: code) }
    }

    // MARK: Deadlines

    func armFirstByteTimer() { armTimer(after: upstream.options.firstByteTimeout.nanoseconds) }

    private func armTimer(after nanoseconds: Int64) {
        guard let easy else { return }
        if nanoseconds > 0 { easy.timer?.arm(after: nanoseconds) } else { easy.timer?.disarm() }
    }

    /// The timer is armed once for each phase; progress only notes its time, and the difference is waited for here.
    func timeFired() {
        let options = upstream.options
        let limit = (status == nil ? options.firstByteTimeout : options.idleTimeout).nanoseconds
        guard limit > 0 else { return }
        // Whoever paused the call has deadlines of its own.
        let rest = isReceivePaused || isSendPaused ? limit : limit - (upstream.clock.monotonic() - lastProgress)
        guard rest <= 0 else { return armTimer(after: rest) }
        let what = status == nil ? "no answer" : "nothing more of the answer"
        end(.failed(describe(.timeout, "\(what) came for \(limit / 1_000_000) ms")))
    }
}
