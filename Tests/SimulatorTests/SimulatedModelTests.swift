import Core
import Dialects
import Foreign
import Synchronization
import Testing

@testable import Simulator

/// Records one call.
private final class Recorder: UpstreamSink {
    struct Record {
        var head: UpstreamHead?
        var body: [UInt8] = []
        var end: UpstreamEnd?
        var text: String { String(decoding: body, as: UTF8.self) }
    }
    private let record = Mutex(Record())
    private let done: CheckedContinuation<Record, Never>

    init(_ done: CheckedContinuation<Record, Never>) { self.done = done }
    func responded(_ head: UpstreamHead) { record.withLock { $0.head = head } }
    func delivered(_ bytes: UnsafeRawBufferPointer) -> SinkDemand {
        record.withLock { $0.body.append(contentsOf: bytes) }
        return .more
    }
    func finished(_ end: UpstreamEnd) {
        done.resume(
            returning: record.withLock { record in
                record.end = end
                return record
            })
    }
}

/// A model and a client on one loop of their own.
///
/// Sendable because `parts` is made before the loop runs and afterwards used on its thread only, where `execute` runs.
private final class ModelBench: @unchecked Sendable {
    private struct Parts {
        var model: SimulatedModel
        var server: HTTPServer
        var upstream: CurlUpstream
        var replay: Replay?
    }
    let loop: EventLoop
    private var parts: Parts
    private let thread: SystemThread

    init(_ change: (inout SimulatorOptions) -> Void = { _ in }) throws {
        var options = SimulatorOptions()
        options.firstToken = .zero
        options.tokensPerSecond = 0
        options.tokens = 8
        change(&options)
        loop = try EventLoop()
        let model = SimulatedModel(loop: loop, clock: SystemClock(), options: options)
        let server = try HTTPServer(loop: loop, options: HTTPServerOptions(), handler: model)
        let base = UpstreamBase(UpstreamURL(isTLS: false, host: "127.0.0.1", port: server.boundPort, path: ""))
        var upstreamOptions = UpstreamOptions(base: base)
        upstreamOptions.proxy = .none
        let upstream = try CurlUpstream(loop: loop, options: upstreamOptions)
        parts = Parts(model: model, server: server, upstream: upstream)
        thread = try loop.startThread(named: "simulator")
    }

    func call(_ target: String, _ body: String?, fault: String? = nil) async -> Recorder.Record {
        let request = UpstreamRequest(
            method: body == nil ? "GET" : "POST", target: target,
            headers: fault.map { [HeaderField("x-sim-fail", $0)] } ?? [],
            body: body.map { .bytes(Bytes($0)) } ?? .none, decodes: true)
        return await withCheckedContinuation { done in
            loop.execute { [self] in _ = parts.upstream.start(request, sink: Recorder(done)) }
        }
    }

    func replay(_ lines: [ReplayLine], _ pace: Replay.Pace) async -> ReplayReport {
        await withCheckedContinuation { done in
            loop.execute { [self] in
                parts.replay = Replay(
                    loop: loop, upstream: parts.upstream, clock: SystemClock(), lines: lines, pace: pace,
                    progressed: { _, _ in }, ended: { done.resume(returning: $0) })
                parts.replay?.start()
            }
        }
    }

    func close() {
        loop.execute { [self] in
            parts.upstream.close()
            parts.server.stop()
            parts.replay = nil
        }
        loop.stop()
        thread.join()
    }
}

@Suite(.timeLimit(.minutes(1))) struct SimulatedModelTests {
    private static let chat = #"{"model":"m","messages":[{"role":"user","content":"hello"}]}"#
    private static let stream = #"{"model":"m","messages":[{"role":"user","content":"hello"}],"stream":true}"#

    @Test func answersEveryEndpointAndCounts() async throws {
        let bench = try ModelBench()
        let bodies = [
            Self.chat, #"{"model":"m","prompt":"x"}"#, #"{"model":"m","input":"x"}"#, #"{"model":"m","input":"x"}"#,
            #"{"model":"m","max_tokens":9,"messages":[]}"#,
        ]
        for (dialect, body) in zip(Dialect.allCases, bodies) {
            let record = await bench.call(dialect.path, body)
            #expect(record.end == .complete)
            #expect(record.head?.status == 200)
            #expect(record.head?.headers.first(named: "Server") == SimulatedModel.serverName)
        }
        let stats = try JSONValue.parse(await bench.call("/sim/stats", nil).text)
        #expect(stats["calls"] == .number(5))
        #expect(stats["endpoints"]?.object?.members.allSatisfy { $0.value == .number(1) } == true)
        #expect(await bench.call("/sim/reset", "").text.contains(#""calls":0"#))
        #expect(await bench.call("/v1/models", nil).text.contains("simulated-chat"))
        #expect(await bench.call("/nothing", nil).head?.status == 404)
        bench.close()
    }

    @Test(arguments: [
        ("reset", true, UpstreamFailure.Kind.reset), ("reset", false, .reset), ("half-event", true, .reset),
        ("half-event", false, .reset), ("short-body", false, .reset), ("short-body", true, .reset),
    ]) func breaksConnections(fault: String, isStream: Bool, kind: UpstreamFailure.Kind) async throws {
        let bench = try ModelBench()
        let record = await bench.call("/v1/chat/completions", isStream ? Self.stream : Self.chat, fault: fault)
        bench.close()
        guard case .failed(let failure) = record.end else {
            Issue.record("the answer was complete")
            return
        }
        #expect(failure.kind == kind)
    }

    @Test(arguments: [
        ("gzip", true, true), ("no-done", false, true), ("truncated", false, false), ("error-event", false, false),
    ]) func spoilsStreams(fault: String, hasDone: Bool, hasFinish: Bool) async throws {
        let bench = try ModelBench()
        let record = await bench.call("/v1/chat/completions", Self.stream, fault: fault)
        bench.close()
        #expect(record.end == .complete)
        #expect(record.text.contains("[DONE]") == hasDone)
        #expect(record.text.contains(#""finish_reason":"stop""#) == hasFinish)
        #expect(record.text.contains("error") == (fault == "error-event"))
    }

    @Test func failsWithAStatus() async throws {
        let bench = try ModelBench()
        let told = await bench.call("/v1/messages", #"{"model":"m","messages":"[sim-fail:status=529]"}"#)
        #expect(told.head?.status == 529)
        #expect(told.text.contains(#""type":"error""#))
        let limited = await bench.call("/v1/chat/completions", Self.chat, fault: "status=429;retry-after=2")
        #expect(limited.head?.headers.first(named: "Retry-After") == "2")
        #expect(await bench.call("/v1/chat/completions", Self.chat, fault: "nonsense").head?.status == 400)
        #expect(await bench.call("/v1/chat/completions", "{").head?.status == 400)
        #expect(await bench.call("/sim/set", #"{"fail-rate":1,"fail-status":500}"#).head?.status == 200)
        #expect(await bench.call("/v1/chat/completions", Self.chat).head?.status == 500)
        #expect(await bench.call("/sim/set", #"{"fail-rate":2}"#).head?.status == 400)
        bench.close()
    }

    @Test func keepsBusyClientsWaiting() async throws {
        let bench = try ModelBench { $0.isBusy = true }
        let whole = await bench.call("/v1/chat/completions", Self.chat).text
        let stream = await bench.call("/v1/chat/completions", Self.stream).text
        bench.close()
        #expect(whole.hasPrefix("\n\n\n\n{"))
        #expect(stream.hasPrefix(": keep-alive\n\n: keep-alive\n\n"))
    }

    @Test func refusesMoreCallsThanItsLimit() async throws {
        let bench = try ModelBench {
            $0.concurrency = 1
            $0.firstToken = .milliseconds(200)
        }
        let records = await withTaskGroup(of: Int?.self) { group in
            for _ in 0..<2 { group.addTask { await bench.call("/v1/chat/completions", Self.chat).head?.status } }
            return await group.reduce(into: [Int]()) { $0.append($1 ?? 0) }
        }
        bench.close()
        #expect(records.sorted() == [200, 429])
    }

    // MARK: Replay

    @Test func replaysALog() async throws {
        let log = """
            {"model":"m","messages":[{"role":"user","content":"a"}]}

            {"model":"m","messages":[{"role":"user","content":"b"}],"stream":true}
            {"custom_id":"1","url":"/v1/completions","body":{"model":"m","prompt":"c"}}
            {"model":"m-embed","input":"d"}
            {"model":"m","messages":[{"role":"user","content":"[sim-fail:status=500]"}]}
            {"model":"m","messages":[{"role":"user","content":"[sim-fail:reset]"}]}
            """
        let lines = try ReplayLine.read(Array(log.utf8), credential: "secret")
        #expect(
            lines.map(\.target) == [
                "/v1/chat/completions", "/v1/chat/completions", "/v1/completions", "/v1/embeddings",
                "/v1/chat/completions", "/v1/chat/completions",
            ])
        let bench = try ModelBench()
        let report = await bench.replay(lines, Replay.Pace(concurrency: 2, rate: 200))
        let stats = try JSONValue.parse(await bench.call("/sim/stats", nil).text)
        bench.close()
        #expect(report.calls.count == 6)
        #expect(report.errors == 2)
        #expect(report.hitRate == 0)
        #expect((stats["most_in_flight"]?.integer ?? 9) <= 2)
    }

    @Test(arguments: ["x", "[]", #"{"model":"m"}"#, #"{"url":"http://h","body":{}}"#])
    func refusesWhatIsNoLog(line: String) {
        #expect(throws: ReplayLine.Invalid.self) { try ReplayLine.read(Array(line.utf8), credential: nil) }
    }

    @Test func reports() {
        var report = ReplayReport()
        for (outcome, milliseconds) in [("miss", 100), ("hit", 1), ("hit", 2), ("hit", 3), ("coalesced", 4)] {
            report.add(.init(outcome: outcome, status: 200, latency: Int64(milliseconds) * 1_000_000))
        }
        report.add(.init(outcome: "miss", status: 503, latency: 1))
        #expect(report.errors == 1)
        #expect(report.savedCount == 4)
        #expect(report.outcomes.map(\.word) == ["hit", "coalesced", "miss", "error"])
        #expect(report.latency(50) { $0 != "miss" } == 2)
        #expect(report.latency(95) { $0 != "miss" } == 4)
        #expect(report.latency(95) { $0 == "miss" } == 100)
        #expect(report.table.contains("66.67 %"))
    }
}
