import Core
import Synchronization

/// Tells how long the call took that was made of the upstream for one request.
final class UpstreamStopwatch: Upstream {
    private let upstream: any Upstream
    private let clock: any Clock
    /// In nanoseconds; 0 where it was not yet.
    private let started = Atomic<Int64>(0)
    private let ended = Atomic<Int64>(0)

    init(_ upstream: any Upstream, clock: any Clock) {
        self.upstream = upstream
        self.clock = clock
    }

    /// In nanoseconds, up to now where the call is still under way; nil where none was made.
    var elapsed: Int64? {
        let started = started.load(ordering: .acquiring)
        guard started > 0 else { return nil }
        let ended = ended.load(ordering: .acquiring)
        return (ended > 0 ? ended : clock.monotonic()) - started
    }

    func start(_ request: UpstreamRequest, sink: any UpstreamSink) -> any UpstreamCall {
        started.store(max(clock.monotonic(), 1), ordering: .releasing)
        return upstream.start(request, sink: Sink(stopwatch: self, sink: sink))
    }

    private func stop() { ended.store(max(clock.monotonic(), 1), ordering: .releasing) }

    private final class Sink: UpstreamSink {
        private let stopwatch: UpstreamStopwatch
        private let sink: any UpstreamSink

        init(stopwatch: UpstreamStopwatch, sink: any UpstreamSink) {
            self.stopwatch = stopwatch
            self.sink = sink
        }

        func responded(_ head: UpstreamHead) { sink.responded(head) }
        func delivered(_ bytes: UnsafeRawBufferPointer) -> SinkDemand { sink.delivered(bytes) }

        func finished(_ end: UpstreamEnd) {
            stopwatch.stop()
            sink.finished(end)
        }
    }
}
