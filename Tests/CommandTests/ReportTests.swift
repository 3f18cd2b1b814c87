import Core
import Testing

@testable import refrain

@Suite struct ReportTests {
    private let plain = TerminalStyle(isOn: false)

    @Test func tablesAlign() {
        var table = TextTable([.init(title: "A"), .init(title: "N", isNumber: true), .init(title: "LAST")])
        table.add(["long", "1", "x"])
        table.add(["é", "100", "yy"])
        #expect(table.text(plain) == "A       N  LAST\nlong    1  x\né     100  yy\n")
    }

    @Test func coloursAreForTerminalsOnly() {
        #expect(plain.bold("x") + plain.coloured("y", .red) == "xy")
        #expect(TerminalStyle(isOn: true).coloured("y", .red) == "\u{1B}[31my\u{1B}[0m")
        #expect(!TerminalStyle.detect(environment: [(name: "NO_COLOR", value: "1")]).isOn)
    }

    @Test(arguments: [
        (0, "0.0 µs"), (15.04e-6, "15.0 µs"), (0.0025, "2.5 ms"), (1.25, "1.3 s"), (119.9, "119.9 s"),
        (600, "10.0 min"), (7_200, "2.0 h"), (1e6, "11.6 d"), (.infinity, "? d"),
    ])
    func durations(seconds: Double, text: String) {
        #expect(StatsReport.duration(seconds) == text)
    }

    @Test(arguments: [(0, "0 B"), (1_023, "1023 B"), (1_536, "1.5 KiB"), (1 << 30, "1.0 GiB"), (1 << 51, "2048.0 TiB")])
    func sizes(bytes: Int, text: String) {
        #expect(StatsReport.size(bytes) == text)
    }

    private func tally() -> UsageTally {
        var tally = UsageTally(prices: ModelPrices(own: []))
        let model: StaticString = "gpt-4o"
        let name = UnsafeRawBufferPointer(start: model.utf8Start, count: model.utf8CodeUnitCount)
        let none = UnsafeRawBufferPointer(start: nil, count: 0)
        for (outcome, saved) in [(Outcome.Kind.hit, (30, 60)), (.miss, nil)] as [(Outcome.Kind, UsageTally.Tokens?)] {
            _ = tally.count(
                outcome, key: CacheKey(1, 2, 3, 4), tenant: CacheKey(5, 6, 7, 8), model: name, namespace: none,
                saved: saved)
        }
        return tally
    }

    @Test(arguments: [
        (0, "$0"), (0.0000014, "$0.000001"), (0.012345, "$0.0123"), (1.5, "$1.50"), (1234.567, "$1234.57"),
        (.infinity, "$?"), (.nan, "$?"),
    ])
    func dollars(amount: Double, text: String) { #expect(StatsReport.dollars(amount) == text) }

    @Test(arguments: [
        ("gpt-4o", "gpt-4o"), ("", "(none)"), ("a\u{1B}[31mb\nc", "a?[31mb?c"), ("\u{202E}x", "?x"), ("東京", "東京"),
        (String(repeating: "x", count: 41), String(repeating: "x", count: 40) + "…"),
    ])
    func namesCannotSteerTheTerminal(name: String, text: String) { #expect(StatsReport.printable(name) == text) }

    @Test func statisticsSurviveTheWay() throws {
        let registry = MetricsRegistry(version: "1.0")
        let block = registry.makeBlock()
        block.countRequest(.chat, .hit, status: 200, duration: 20_000)
        block.countRequest(.chat, .miss, status: 200, duration: 2_000_000)
        block.countLookup(.memory, .hit)
        block.countLookup(.redis, .miss)
        block.countTierDuration(.redis, nanoseconds: 100_000)
        registry.read(.entries, TierName.memory) { 3 }
        registry.read(.tierBytes, TierName.memory) { 2_048 }
        registry.read(.tierCapacity, TierName.memory) { 4_096 }
        registry.read(.breakerState, BreakerTarget.redis) { 1 }
        registry.read(.tierWrites, TierName.redis, StoreResult.stored) { 7 }
        registry.read(.breakerState, BreakerTarget.objects) { 0 }
        block.countBypass(.tooDeep)
        block.countUpstream(duration: 10_000_000_000)
        registry.readNamed(.upstreamRequests) { [(["one", "ok"], 1)] }
        registry.readNamed(.upstreamLimit) { [(["one"], 8)] }
        registry.readNamed(.upstreamHealthy) { [(["one"], 0)] }
        registry.readNamed(.breakerState) { [(["one"], 0)] }
        registry.readNamed(.upstreamLatency) { [(["one"], 0.25)] }
        registry.read(.queueDepth, Priority.batch) { 5 }
        registry.read(.retries) { 2 }
        registry.read(.shed, ShedReason.queueFull, Priority.batch) { 3 }
        block.countSaved(promptTokens: 30, completionTokens: 60)
        block.countSaved(picodollars: 675_000_000)
        let stats = try StatsReport.decode(
            StatsSnapshot(registry, uptime: 90_000_000_000, usage: UsageReport([tally()])).json())
        #expect(
            StatsReport.text(stats, plain) == """
                refrain 1.0, up 90.0 s
                hit rate      50.0 %
                saved tokens  30 prompt, 60 completion
                saved cost    $0.000675
                saved time    about 10.0 s
                coalesced     0
                now           0 requests, 0 flights, 0 connections
                waiting       0 interactive, 0 standard, 5 batch

                ENDPOINT  REQUESTS  HIT RATE  HIT  HIT-SEMANTIC  STALE  COALESCED  MISS  BYPASS
                chat             2    50.0 %    1             0      0          0     1       0

                LATENCY   COUNT     MEAN      P50      P90      P99
                hit           1  20.0 µs  19.5 µs  19.5 µs  19.5 µs
                miss          1   2.0 ms   2.0 ms   2.0 ms   2.0 ms
                upstream      1   10.0 s   10.0 s   10.0 s   10.0 s

                TIER     LOOKUPS  HITS  STALE  MISSES  HIT SHARE  ENTRIES    BYTES  CAPACITY
                memory         1     1      0       0    100.0 %        3  2.0 KiB   4.0 KiB
                redis          1     0      0       1      0.0 %        -        -         -
                objects        0     0      0       0          -        -        -         -

                LOWER TIER  BREAKER        P50      P99  STORED  REFUSED  FAILED  FAILURES  QUEUED  BYTES  DROPPED
                redis       half-open  99.5 µs  99.5 µs       7        0       0         0       0    0 B        0
                objects     closed           -        -       0        0       0         0       0    0 B        0

                UPSTREAM  STATE      CALLS  FAILED  IN FLIGHT  LIMIT  RATE/S       P95
                one       unhealthy      1       0          0      8       -  250.0 ms

                MODEL   REQUESTS  HIT RATE  HIT  COALESCED  MISS  TOKENS SAVED  COST SAVED
                gpt-4o         2    50.0 %    1          0     1            90   $0.000675

                COUNT OF        WHAT        NUMBER
                upstream calls  ok               1
                further calls   retry            2
                shed requests   queue-full       3
                answers         2xx              2
                bypasses        too-deep         1

                """)
    }

    @Test func warmingHasALine() throws {
        let registry = MetricsRegistry(version: "1.0")
        registry.read(.warmLastRun) { 0 }
        func line(_ now: Int64) -> Substring? {
            StatsReport.text(StatsSnapshot(registry, uptime: 0), plain, now: now).split(separator: "\n")
                .first { $0.hasPrefix("warming") }
        }
        #expect(line(0) == "warming       no run yet")
        registry.read(.warmLastRun) { 1_000 }
        registry.read(.warmRuns, WarmRunEnd.complete) { 4 }
        registry.read(.warmPrompts, WarmPromptResult.refreshed) { 2 }
        #expect(
            line(1_090_000)
                == "warming       4 runs, the last 90.0 s ago: 0 were there, 0 asked, 2 refreshed, 0 failed")
    }

    @Test(arguments: ["", "{}", "<html>", "[1]"])
    func otherAnswersAreRefused(text: String) {
        let failure = #expect(throws: CommandFailure.self) { try StatsReport.decode([UInt8](text.utf8)) }
        #expect(failure == .failed("the answer is not that of a Refrain admin port; check --admin"))
    }
}
