import Core
import Foreign
import Synchronization
import Testing

/// Records a call, and answers pieces as told.
final class RecordingSink: UpstreamSink {
    struct Record: Sendable {
        var head: UpstreamHead?
        var heads = 0
        var body: [UInt8] = []
        var pieces = 0
        var pausedPieces = 0
        var ends: [UpstreamEnd] = []
        var text: String { String(decoding: body, as: UTF8.self) }
    }

    private struct State {
        var record = Record()
        var waiters: [(until: @Sendable (Record) -> Bool, done: CheckedContinuation<Record, Never>)] = []
    }

    private let state = Mutex(State())
    private let demand: @Sendable (Record, UnsafeRawBufferPointer) -> SinkDemand

    init(demand: @escaping @Sendable (Record, UnsafeRawBufferPointer) -> SinkDemand = { _, _ in .more }) {
        self.demand = demand
    }

    var record: Record { state.withLock { $0.record } }

    func responded(_ head: UpstreamHead) {
        change {
            $0.head = head
            $0.heads += 1
        }
    }

    func delivered(_ bytes: UnsafeRawBufferPointer) -> SinkDemand {
        let answer = demand(record, bytes)
        change {
            if answer == .pause { $0.pausedPieces += 1 } else { $0.pieces += 1 }
            if answer == .more { $0.body.append(contentsOf: bytes) }
        }
        return answer
    }

    func finished(_ end: UpstreamEnd) { change { $0.ends.append(end) } }

    /// Waits for the record to be as asked, or for the end.
    func wait(until isDone: @escaping @Sendable (Record) -> Bool = { _ in false }) async -> Record {
        await withCheckedContinuation { done in
            let now = state.withLock { state -> Record? in
                if !state.record.ends.isEmpty || isDone(state.record) { return state.record }
                state.waiters.append((isDone, done))
                return nil
            }
            if let now { done.resume(returning: now) }
        }
    }

    private func change(_ body: (inout Record) -> Void) {
        let (record, ready) = state.withLock { state in
            body(&state.record)
            let record = state.record
            let ready = state.waiters.filter { !record.ends.isEmpty || $0.until(record) }
            state.waiters.removeAll { !record.ends.isEmpty || $0.until(record) }
            return (record, ready)
        }
        for waiter in ready { waiter.done.resume(returning: record) }
    }
}

/// A loop on its own thread with one upstream on it.
final class UpstreamBench: Sendable {
    let loop: EventLoop
    let upstream: CurlUpstream
    private let thread: SystemThread
    private let box = ObservationBox()

    init(_ base: String, _ change: (inout UpstreamOptions) -> Void = { _ in }) throws {
        var options = UpstreamOptions(base: UpstreamBase(try #require(UpstreamURL(base))))
        options.proxy = .none
        change(&options)
        loop = try EventLoop()
        upstream = try CurlUpstream(loop: loop, options: options) { [box] observation in
            box.values.withLock { $0.append(observation) }
        }
        thread = try loop.startThread(named: "upstream")
    }

    var observations: [UpstreamObservation] { box.values.withLock { $0 } }

    func start(_ request: UpstreamRequest, _ sink: RecordingSink) async -> any UpstreamCall {
        await withCheckedContinuation { done in
            loop.execute { [upstream] in done.resume(returning: upstream.start(request, sink: sink)) }
        }
    }

    /// The whole call.
    func call(_ request: UpstreamRequest) async -> RecordingSink.Record {
        let sink = RecordingSink()
        _ = await start(request, sink)
        return await sink.wait()
    }

    func activeCount() async -> Int {
        await withCheckedContinuation { done in
            loop.execute { [upstream] in done.resume(returning: upstream.activeCount) }
        }
    }

    /// Ends everything; each bench must be closed.
    func close() {
        loop.execute { [upstream] in upstream.close() }
        loop.stop()
        thread.join()
    }
}

private final class ObservationBox: Sendable {
    let values = Mutex<[UpstreamObservation]>([])
}

extension UpstreamRequest {
    static func get(_ target: String = "/", headers: [HeaderField] = [], decodes: Bool = false) -> UpstreamRequest {
        UpstreamRequest(method: "GET", target: target, headers: headers, body: .none, decodes: decodes)
    }

    static func post(_ body: String, _ target: String = "/v1/chat/completions", decodes: Bool = true)
        -> UpstreamRequest
    {
        UpstreamRequest(
            method: "POST", target: target, headers: [HeaderField("Content-Type", "application/json")],
            body: .bytes(Bytes(body)), decodes: decodes)
    }
}

extension UpstreamEnd {
    var failureKind: UpstreamFailure.Kind? {
        if case .failed(let failure) = self { return failure.kind }
        return nil
    }
}
