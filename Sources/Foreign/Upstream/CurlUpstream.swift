import CCurl
import Core

/// A model server reached through libcurl: one object a worker, living on that worker's loop.
///
/// Redirects are not followed. A request that goes out on a kept connection which the server closes without a byte of
/// an answer is sent once more on another; libcurl does so where the body can be sent again.
///
/// Sendable because `start` and `close` check that they are on the loop's thread, and nothing else of it is reachable
/// from another one; `CurlTransfer` hops to the loop.
package final class CurlUpstream: Upstream, @unchecked Sendable {
    let loop: EventLoop
    let options: UpstreamOptions
    let clock: any Clock
    /// Called once for each call, on the loop's thread, just before `finished`.
    let observer: (@Sendable (UpstreamObservation) -> Void)?
    /// Nil after `close`.
    private var multi: CurlMulti?
    private var active: [UnsafeMutableRawPointer: CurlTransfer] = [:]
    private var idle: [CurlEasy] = []
    /// Handles whose transfers are over, still to be taken from libcurl.
    private var done: [CurlEasy] = []
    /// Whether the last answer came over HTTP/1, where a connection carries one call at a time.
    var speaksHTTP1 = false

    /// Easy handles kept for the next call; each holds a receive buffer of 16 KiB.
    private static let idleLimit = 64

    package init(
        loop: EventLoop, options: UpstreamOptions, clock: any Clock = SystemClock(),
        observer: (@Sendable (UpstreamObservation) -> Void)? = nil
    ) throws(LoopError) {
        self.loop = loop
        self.options = options
        self.clock = clock
        self.observer = observer
        multi = try CurlMulti(loop: loop, options: options) { [unowned self] easy, code in
            active[easy]?.ended(with: code)
        }
    }

    /// Calls under way.
    package var activeCount: Int { active.count }

    /// On the loop's thread.
    package func start(_ request: UpstreamRequest, sink: any UpstreamSink) -> any UpstreamCall {
        loop.checkIsolated()
        let transfer = CurlTransfer(upstream: self, request: request, sink: sink)
        guard let multi else {
            transfer.end(.failed(CurlUpstream.shutdown))
            return transfer
        }
        guard multi.isInside else {
            begin(transfer, request)
            return transfer
        }
        // Called from a sink: libcurl is on the stack and takes no new transfer.
        loop.execute { [self] in begin(transfer, request) }
        return transfer
    }

    /// Ends every call with `shutdown` and closes all connections. On the loop's thread, and before it stops.
    package func close() {
        loop.checkIsolated()
        guard let multi else { return }
        guard !multi.isInside else { return loop.execute { [self] in close() } }
        releaseDone()
        self.multi = nil
        for transfer in Array(active.values) {
            if let easy = transfer.easy { multi.remove(easy.handle) }
            transfer.end(.failed(CurlUpstream.shutdown))
        }
        active = [:]
        idle = []
        multi.close()
    }

    private static let shutdown = UpstreamFailure(.shutdown, "the sidecar is shutting down")

    func inside<Result>(_ body: () -> Result) -> Result? { multi.map { $0.inside(body) } }

    /// Takes the handle of a transfer that libcurl is done with, after what this turn of the loop has to do at once.
    func releaseSoon(_ easy: CurlEasy) {
        active[easy.handle] = nil
        done.append(easy)
        if done.count == 1 { loop.execute { [self] in releaseDone() } }
    }

    private func releaseDone() {
        while let easy = done.popLast() { release(easy) }
    }

    /// Takes the handle of a transfer that ended.
    func release(_ easy: CurlEasy) {
        multi?.remove(easy.handle)
        active[easy.handle] = nil
        keep(easy)
    }

    private func keep(_ easy: CurlEasy) {
        easy.reset()
        if idle.count < CurlUpstream.idleLimit { idle.append(easy) }
    }

    /// Whether a kept HTTP/1 connection, told by its local port, has something to say before it was asked.
    func hasStrayBytes(localPort: Int) -> Bool {
        speaksHTTP1 && multi?.sockets.hasUnreadBytes(localPort: localPort) == true
    }

    /// Makes the call of `easy` once more.
    func again(_ easy: CurlEasy) {
        multi?.remove(easy.handle)
        if multi?.add(easy.handle) != true { active[easy.handle]?.ended(with: CURLE_COULDNT_CONNECT) }
    }

    private func begin(_ transfer: CurlTransfer, _ request: UpstreamRequest) {
        guard !transfer.hasEnded else { return }
        guard let multi else { return transfer.end(.failed(CurlUpstream.shutdown)) }
        guard let easy = idle.popLast() ?? CurlEasy(loop: loop) else {
            return transfer.end(.failed(UpstreamFailure(.connect, "libcurl is out of memory")))
        }
        if let failure = easy.configure(request, options) {
            keep(easy)
            return transfer.end(.failed(failure))
        }
        multi.sockets.attach(to: easy)
        easy.connect(to: transfer)
        guard multi.add(easy.handle) else {
            keep(easy)
            return transfer.end(.failed(UpstreamFailure(.connect, "libcurl did not take the call")))
        }
        active[easy.handle] = transfer
        transfer.easy = easy
        transfer.armFirstByteTimer()
        // A body that is still arriving may prove broken in this very turn: then the upstream need not hear of it.
        if case .stream = request.body { return }
        multi.proceed()
    }
}
