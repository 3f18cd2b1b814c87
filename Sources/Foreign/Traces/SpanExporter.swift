import Core
import Synchronization

/// Sends one span for each recorded request to a collector: OTLP 1 over HTTP, as JSON.
///
/// Batches are sent one after the other, on a thread of their own. What waits is bounded, and a batch that the collector
/// does not take is lost and counted: traces are worth less than the memory that an absent collector would cost.
package final class SpanExporter: Sendable {
    private struct State {
        var waiting: [AccessRecord] = []
        /// A batch is under way, or its moment is set.
        var isBusy = false
        /// Batches that the collector has not answered: two at most, at the end.
        var underWay = 0
        var isClosing = false
        var isFailing = false
    }

    private let loop: EventLoop
    private let thread: SystemThread
    private let upstream: CurlUpstream
    private let scheduler: LoopScheduler
    private let log: any Log
    private let version: String
    private let state = Mutex(State())
    private let droppedSpans = Atomic(0)

    private static let mostWaiting = 4_096
    private static let batchSize = 512
    /// How long a batch is gathered, in nanoseconds.
    private static let delay = Duration64.nanosecondsPerSecond
    private static let callLimit = Duration.seconds(10)
    /// For what waits at the end.
    private static let closeLimit = Duration.seconds(2)

    /// - Parameters:
    ///   - url: the collector's; `/v1/traces` is added.
    ///   - version: of this build, as the spans' `service.version`.
    package init(url: UpstreamURL, version: String, clock: any Clock, log: any Log) throws(LoopError) {
        self.log = log
        self.version = version
        loop = try EventLoop()
        scheduler = LoopScheduler(loop: loop)
        var options = UpstreamOptions(base: UpstreamBase(url))
        options.connectTimeout = SpanExporter.callLimit
        options.firstByteTimeout = SpanExporter.callLimit
        options.totalTimeout = SpanExporter.callLimit
        options.maxConnections = 1
        upstream = try CurlUpstream(loop: loop, options: options, clock: clock)
        thread = try loop.startThread(named: "traces")
    }

    /// Spans that did not arrive.
    package var dropped: Int { droppedSpans.load(ordering: .relaxed) }

    package func send(_ record: AccessRecord) {
        enum Step { case wait, begin, drop }
        let step: Step = state.withLock { state in
            guard state.waiting.count < SpanExporter.mostWaiting, !state.isClosing else { return .drop }
            state.waiting.append(record)
            defer { state.isBusy = true }
            return state.isBusy ? .wait : .begin
        }
        switch step {
        case .wait: break
        case .begin: _ = scheduler.schedule(after: SpanExporter.delay) { [weak self] in self?.sendBatch() }
        case .drop: droppedSpans.wrappingAdd(1, ordering: .relaxed)
        }
    }

    /// Sends what waits, as far as that is quick, and ends the thread.
    package func close() {
        let isIdle = state.withLock { state in
            state.isClosing = true
            return !state.isBusy
        }
        if isIdle {
            end()
        } else {
            loop.execute { [self] in sendBatch() }
            _ = scheduler.schedule(after: SpanExporter.closeLimit.nanoseconds) { [self] in end() }
        }
        thread.join()
    }

    // MARK: On the loop's thread

    private func sendBatch() {
        let (batch, isOver) = state.withLock { state in
            let batch = Array(state.waiting.prefix(SpanExporter.batchSize))
            state.waiting.removeFirst(batch.count)
            if batch.isEmpty { state.isBusy = false } else { state.underWay += 1 }
            return (batch, state.isClosing && state.underWay == 0)
        }
        if isOver { return end() }
        guard !batch.isEmpty else { return }
        let request = UpstreamRequest(
            method: "POST", target: "/v1/traces", headers: [HeaderField("Content-Type", "application/json")],
            body: .bytes(Bytes(SpanDocument.json(batch, version: version))), decodes: true)
        _ = upstream.start(request, sink: Receipt { [self] problem in finished(batch.count, problem) })
    }

    private func finished(_ count: Int, _ problem: String?) {
        let (isNews, isClosing, isFull) = state.withLock { state in
            defer { state.isFailing = problem != nil }
            state.underWay -= 1
            return (
                problem != nil && !state.isFailing, state.isClosing, state.waiting.count >= SpanExporter.batchSize
            )
        }
        if problem != nil { droppedSpans.wrappingAdd(count, ordering: .relaxed) }
        if isNews, let problem { log.write(.warning, "traces-failed", LogField("reason", problem)) }
        if isClosing, problem != nil { return end() }
        // Where a whole batch waits already there is nothing to gather; a collector that fails is left alone for a moment.
        let isUrgent = isClosing || isFull && problem == nil
        _ = scheduler.schedule(after: isUrgent ? 0 : SpanExporter.delay) { [weak self] in self?.sendBatch() }
    }

    private func end() {
        let lost = state.withLock { state in
            defer { state.waiting = [] }
            return state.waiting.count
        }
        droppedSpans.wrappingAdd(lost, ordering: .relaxed)
        loop.execute { [self] in
            upstream.close()
            loop.stop()
        }
    }

    /// Waits for the collector's verdict: nil, or what went wrong.
    private final class Receipt: UpstreamSink {
        private let status = Atomic(0)
        private let done: @Sendable (String?) -> Void

        init(_ done: @escaping @Sendable (String?) -> Void) { self.done = done }

        func responded(_ head: UpstreamHead) { status.store(head.status, ordering: .relaxed) }
        func delivered(_ bytes: UnsafeRawBufferPointer) -> SinkDemand { .more }

        func finished(_ end: UpstreamEnd) {
            let status = status.load(ordering: .relaxed)
            switch end {
            case .failed(let failure): done(failure.message)
            case .complete: done((200..<300).contains(status) ? nil : "the collector answered \(status)")
            }
        }
    }
}
