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

    @Test func statisticsSurviveTheWay() throws {
        let registry = MetricsRegistry(version: "1.0")
        let block = registry.makeBlock()
        block.countRequest(.chat, .hit, duration: 20_000)
        block.countRequest(.chat, .miss, duration: 2_000_000)
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
        let stats = try StatsReport.decode(StatsSnapshot(registry, uptime: 90_000_000_000).json())
        #expect(
            StatsReport.text(stats, plain) == """
                refrain 1.0, up 90.0 s
                hit rate      50.0 %
                saved tokens  0 prompt, 0 completion
                coalesced     0
                now           0 requests, 0 flights, 0 connections

                ENDPOINT  OUTCOME  REQUESTS
                chat      hit             1
                chat      miss            1

                LATENCY  COUNT     MEAN      P50      P90      P99
                hit          1  20.0 µs  19.5 µs  19.5 µs  19.5 µs
                miss         1   2.0 ms   2.0 ms   2.0 ms   2.0 ms

                TIER     LOOKUPS  HITS  STALE  MISSES  HIT SHARE  ENTRIES    BYTES  CAPACITY
                memory         1     1      0       0    100.0 %        3  2.0 KiB   4.0 KiB
                redis          1     0      0       1      0.0 %        -        -         -
                objects        0     0      0       0          -        -        -         -

                LOWER TIER  BREAKER        P50      P99  STORED  REFUSED  FAILED  FAILURES  QUEUED  BYTES  DROPPED
                redis       half-open  99.5 µs  99.5 µs       7        0       0         0       0    0 B        0
                objects     closed           -        -       0        0       0         0       0    0 B        0

                COUNT OF  WHAT      NUMBER
                bypasses  too-deep       1

                """)
    }

    @Test(arguments: ["", "{}", "<html>", "[1]"])
    func otherAnswersAreRefused(text: String) {
        let failure = #expect(throws: CommandFailure.self) { try StatsReport.decode([UInt8](text.utf8)) }
        #expect(failure == .failed("the answer is not that of a Refrain admin port; check --admin"))
    }
}
