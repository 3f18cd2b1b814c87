import Core
import Synchronization

/// Asks one server many times, each time for a whole answer, on a loop of its own: for commands. Connections are kept
/// from call to call. `close` it.
package final class AnswerClient: Sendable {
    package struct Answer: Sendable {
        package var head: UpstreamHead
        package var body: Bytes

        package init(head: UpstreamHead, body: Bytes) {
            self.head = head
            self.body = body
        }
    }

    /// More than this is not read.
    private static let limit = 64 << 20

    private let loop: EventLoop
    private let upstream: CurlUpstream
    private let thread: SystemThread

    /// `timeout` bounds each exchange. In the background it lets all other threads go first.
    package init(_ url: UpstreamURL, timeout: Duration, isBackground: Bool = false) throws(LoopError) {
        loop = try EventLoop()
        var options = UpstreamOptions(base: UpstreamBase(url))
        options.connectTimeout = min(timeout, .seconds(5))
        options.firstByteTimeout = timeout
        options.totalTimeout = timeout
        // What runs beside us is not behind a proxy.
        options.proxy = .none
        upstream = try CurlUpstream(loop: loop, options: options)
        thread = try loop.startThread(named: "client", isBackground: isBackground)
    }

    package func fetch(_ request: UpstreamRequest) async throws(UpstreamFailure) -> Answer {
        let result: Result<Answer, UpstreamFailure> = await withCheckedContinuation { done in
            let sink = Collector(limit: AnswerClient.limit) { done.resume(returning: $0) }
            loop.execute { [upstream] in _ = upstream.start(request, sink: sink) }
        }
        return try result.get()
    }

    /// Ends what is under way, and the loop's thread.
    package func close() {
        loop.execute { [upstream] in upstream.close() }
        loop.stop()
        thread.join()
    }

    private final class Collector: UpstreamSink {
        private struct State {
            var head: UpstreamHead?
            var body: [UInt8] = []
            var isTooLarge = false
        }

        private let state = Mutex(State())
        private let limit: Int
        private let done: @Sendable (Result<Answer, UpstreamFailure>) -> Void

        init(limit: Int, done: @escaping @Sendable (Result<Answer, UpstreamFailure>) -> Void) {
            self.limit = limit
            self.done = done
        }

        func responded(_ head: UpstreamHead) { state.withLock { $0.head = head } }

        func delivered(_ bytes: UnsafeRawBufferPointer) -> SinkDemand {
            state.withLock { state in
                state.isTooLarge = state.body.count + bytes.count > limit
                if state.isTooLarge { return .stop }
                state.body += bytes
                return .more
            }
        }

        func finished(_ end: UpstreamEnd) {
            let state = state.withLock { $0 }
            switch end {
            case .failed where state.isTooLarge:
                done(.failure(UpstreamFailure(.tooLarge, "the answer is larger than \(limit >> 20) MiB")))
            case .failed(let failure): done(.failure(failure))
            case .complete:
                guard let head = state.head else {
                    return done(.failure(UpstreamFailure(.malformed, "the server ended without an answer")))
                }
                done(.success(Answer(head: head, body: Bytes(state.body))))
            }
        }
    }
}
