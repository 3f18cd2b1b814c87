import Core
import Engine
import FoundationEssentials

/// What the shield costs a request that goes to a model: arrival, head and end, without a lock and without I/O.
struct Cost {
    private let rounds: Int

    init(rounds: Int) { self.rounds = rounds }

    func measure() {
        print("\ncost of a request (arrive, answered, ended), \(rounds) requests")
        print("                               ns   bytes kept")
        for (name, upstreams, waiting) in [
            ("1 upstream, room", 1, 0), ("4 upstreams, room", 4, 0), ("4 upstreams, 200 waiting", 4, 200),
        ] {
            var state = ShieldState(plan(upstreams), now: 0, random: 1)
            var driver = Driver()
            driver.fill(&state, waiting: waiting)
            // The tables get their sizes.
            driver.serve(&state, 20_000)
            let memory = residentBytes()
            let time = ContinuousClock().measure { driver.serve(&state, rounds) }
            let nanoseconds =
                (Double(time.components.attoseconds) / 1e9 + Double(time.components.seconds) * 1e9) / Double(rounds)
            let kept = Double(residentBytes() - memory) / Double(rounds)
            precondition((driver.wakes > 0) == (waiting > 0), "ShieldBench: who waits is woken")
            print(
                name + String(repeating: " ", count: 26 - name.count), padded(rounded(nanoseconds, 1), 8),
                padded(rounded(kept, 2), 8))
        }
    }

    private func plan(_ upstreams: Int) -> ShieldPlan {
        var plan = ShieldPlan(
            upstreams: (0..<upstreams).map {
                ShieldPlan.Upstream(
                    name: "u\($0)", weight: $0 + 1, requestsPerSecond: 1e9, tokensPerMinute: 1e12,
                    concurrency: .fixed(8))
            })
        plan.tenantRequestsPerSecond = 1e9
        plan.patience = 1 << 60
        return plan
    }

    private func residentBytes() -> Int {
        guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8) else { return 0 }
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        return (line?.split(whereSeparator: { !$0.isNumber }).first.flatMap { Int($0) } ?? 0) * 1024
    }
}

/// Requests one after the other, each answered as soon as it is started.
private struct Driver {
    private var now: Int64 = 1
    private var ticket: UInt64 = 0
    private var started: [ShieldSteps.Start] = []
    /// How often time was waited for: what the holder of a shield asks after each event.
    private(set) var wakes = 0

    /// All slots are taken, and so many wait behind them.
    mutating func fill(_ state: inout ShieldState, waiting: Int) {
        guard waiting > 0 else { return }
        while state.report().waiting.reduce(0, +) < waiting { arrive(&state) }
    }

    mutating func serve(_ state: inout ShieldState, _ count: Int) {
        for _ in 0..<count {
            arrive(&state)
            wakes += state.nextWake == nil ? 0 : 1
            guard let start = started.popLast() else { continue }
            now += 1000
            note(
                state.answered(
                    ticket: start.ticket, upstream: start.upstream, status: 200, latency: 50_000_000, now: now))
            now += 1000
            note(state.ended(ticket: start.ticket, upstream: start.upstream, result: .complete, now: now))
            wakes += state.nextWake == nil ? 0 : 1
        }
    }

    private mutating func arrive(_ state: inout ShieldState) {
        ticket += 1
        now += 1000
        let priority = Priority(rawValue: Int(ticket % 3)) ?? .standard
        let demand = UpstreamDemand(priority: priority, tenant: CacheKey(ticket % 64 + 1, 0, 0, 0), tokens: 500)
        note(state.arrive(demand, ticket: ticket, now: now))
    }

    private mutating func note(_ steps: ShieldSteps) {
        for start in steps.starts { started.append(start) }
    }
}
