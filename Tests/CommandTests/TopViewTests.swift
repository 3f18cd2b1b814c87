import Core
import Testing

@testable import refrain

@Suite struct TopViewTests {
    private let plain = TerminalStyle(isOn: false)

    private func snapshot(requests: Int, uptime: Int64) -> StatsSnapshot {
        let registry = MetricsRegistry(version: "1.0")
        let block = registry.makeBlock()
        for _ in 0..<requests {
            block.countRequest(.chat, .hit, status: 200, duration: 20_000)
            block.countRequest(.chat, .miss, status: 200, duration: 2_000_000)
            block.countLookup(.memory, .hit)
            block.countUpstream(duration: 2_000_000)
        }
        registry.readNamed(.upstreamRequests) { [(["one", "timeout"], Double(requests))] }
        registry.read(.entries, TierName.memory) { 3 }
        registry.read(.tierBytes, TierName.memory) { 2_048 }
        registry.read(.tierCapacity, TierName.memory) { 4_096 }
        return StatsSnapshot(registry, uptime: uptime * Duration64.nanosecondsPerSecond)
    }

    private func view(keys: Int = 40) -> TopView {
        let key = BusyKey(key: String(repeating: "ab", count: 32), requests: 12, saved: 11, model: "m\u{1B}")
        return TopView(
            stats: snapshot(requests: 30, uptime: 12), before: snapshot(requests: 10, uptime: 2),
            keys: Array(repeating: key, count: keys), place: "http://127.0.0.1:8401")
    }

    @Test func ratesAreOfTheLastInterval() {
        let lines = view().lines(columns: 80, rows: 24, plain)
        #expect(lines[0] == "refrain 1.0  http://127.0.0.1:8401  up 12.0 s")
        #expect(lines[1].hasPrefix("4.0 requests/s   hit rate 50.0 % now, 50.0 % in all"))
        #expect(lines.contains { $0.hasPrefix("memory     2.0") && $0.contains("50.0 %") })
        #expect(lines.contains { $0.hasPrefix("upstream  30 calls") && $0.hasSuffix("timeout 30") })
        #expect(lines.contains { $0.hasPrefix("abababababababab…") && $0.hasSuffix("m?") })
        #expect(lines.last == "q quits")
    }

    @Test(arguments: [(80, 24), (20, 5), (1, 1), (200, 60), (80, 2)])
    func fitsIntoTheScreen(columns: Int, rows: Int) {
        for keys in [0, 1, 50] {
            let lines = view(keys: keys).lines(columns: columns, rows: rows, plain)
            #expect(lines.count <= rows && lines.allSatisfy { $0.count <= columns && !$0.contains("\u{1B}") })
        }
    }

    @Test func aProblemStandsWhereItIsSeen() {
        var view = view()
        view.problem = "nobody answers"
        #expect(view.lines(columns: 80, rows: 24, plain).last == "! nobody answers")
        #expect(view.lines(columns: 80, rows: 24, TerminalStyle(isOn: true)).last?.contains("\u{1B}[31m") == true)
    }
}
