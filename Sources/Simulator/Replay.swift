import Core
import Foreign

/// Sends the requests of a log, a number of them at once. Belongs to the loop's thread.
final class Replay {
    struct Pace {
        /// Calls at once.
        var concurrency = 8
        /// Calls started in a second; zero: as fast as the answers come.
        var rate = 0.0
    }

    private let loop: EventLoop
    private let upstream: CurlUpstream
    private let clock: any Clock
    private let lines: [ReplayLine]
    private let pace: Pace
    private let progressed: (Int, Int) -> Void
    private let ended: (ReplayReport) -> Void
    private var report = ReplayReport()
    private var next = 0
    private var inFlight = 0
    private var started: Int64 = 0
    private var timer: LoopEvent?
    private var isStarting = false

    init(
        loop: EventLoop, upstream: CurlUpstream, clock: any Clock, lines: [ReplayLine], pace: Pace,
        progressed: @escaping (_ done: Int, _ total: Int) -> Void, ended: @escaping (ReplayReport) -> Void
    ) {
        self.loop = loop
        self.upstream = upstream
        self.clock = clock
        self.lines = lines
        self.pace = pace
        self.progressed = progressed
        self.ended = ended
    }

    func start() {
        started = clock.monotonic()
        timer = loop.timer { [unowned self] in startDue() }
        if lines.isEmpty { ended(report) } else { startDue() }
    }

    /// Starts what may be started now.
    private func startDue() {
        // A call that ends at once comes back here from within `start`.
        guard !isStarting else { return }
        isStarting = true
        defer { isStarting = false }
        while next < lines.count, inFlight < pace.concurrency {
            let due = pace.rate > 0 ? started + Int64(Double(next) / pace.rate * 1e9) : started
            let wait = due - clock.monotonic()
            guard wait <= 0 else {
                timer?.arm(after: wait)
                return
            }
            let line = lines[next]
            next += 1
            inFlight += 1
            let request = UpstreamRequest(
                method: "POST", target: line.target, headers: line.headers, body: .bytes(line.body), decodes: true)
            _ = upstream.start(request, sink: ReplaySink(self, now: clock.monotonic()))
        }
    }

    fileprivate func finished(_ head: UpstreamHead?, _ end: UpstreamEnd, since start: Int64) {
        let now = clock.monotonic()
        var call = ReplayReport.Call(
            outcome: head?.headers.first(named: "x-refrain-cache"), status: head?.status, latency: now - start)
        if case .failed(let failure) = end { call.failure = failure.message }
        report.add(call)
        report.elapsed = now - started
        inFlight -= 1
        progressed(report.calls.count, lines.count)
        if report.calls.count == lines.count {
            timer = nil
            ended(report)
        } else {
            startDue()
        }
    }
}

/// Hears of one call. Sendable because the loop's thread, where the upstream lives that calls it, is the only one that
/// ever touches its members.
private final class ReplaySink: UpstreamSink, @unchecked Sendable {
    private let replay: Replay
    private let start: Int64
    private var head: UpstreamHead?

    init(_ replay: Replay, now: Int64) {
        self.replay = replay
        start = now
    }

    func responded(_ head: UpstreamHead) { self.head = head }
    func delivered(_ bytes: UnsafeRawBufferPointer) -> SinkDemand { .more }
    func finished(_ end: UpstreamEnd) { replay.finished(head, end, since: start) }
}

/// The progress of a replay on standard error: a bar for a person, a line at each tenth for a file.
struct ProgressBar {
    private let isTerminal: Bool
    private var shown = 0

    init(isTerminal: Bool) { self.isTerminal = isTerminal }

    /// What to write now; empty where nothing changed that is worth it.
    mutating func text(done: Int, total: Int) -> String {
        let steps = isTerminal ? 100 : 10
        let step = total == 0 ? steps : done * steps / total
        guard step > shown else { return "" }
        shown = step
        guard isTerminal else { return "replayed \(done) of \(total)\n" }
        let filled = step * 40 / steps
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: 40 - filled)
        return "\r\(bar) \(done)/\(total)" + (done == total ? "\n" : "")
    }
}
