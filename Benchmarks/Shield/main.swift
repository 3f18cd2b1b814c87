import Core
import Engine
import TestKit

// A simulated day before three model servers, with the shield and without it, and what the shield costs.
// Usage: ShieldBench [seed | cost [requests]]

let seed = CommandLine.arguments.dropFirst().first.flatMap { UInt64($0) } ?? 1

func padded(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
}

func rounded(_ value: Double, _ digits: Int) -> String {
    let scale = digits == 2 ? 100.0 : 10.0
    let whole = Int((value * scale).rounded())
    let rest = String(whole % Int(scale))
    return "\(whole / Int(scale))." + String(repeating: "0", count: digits - rest.count) + rest
}

let heading = "                          good %   p50 s   p99 s  shed %  late %  fail %  told s"

func show(_ title: String, _ report: TrafficReport) {
    print("\n\(title): \(report.attempts) calls, peaks \(report.peaks)")
    print(heading)
    for phase in TrafficScenario.Phase.allCases {
        for priority in Priority.allCases { show(phase.rawValue, priority, report.row(phase, priority)) }
    }
}

func show(_ name: String, _ priority: Priority, _ row: TrafficReport.Row) {
    func percent(_ count: Int) -> String { padded(rounded(100 * Double(count) / Double(max(1, row.arrived)), 2), 7) }
    print(
        name + String(repeating: " ", count: 15 - name.count), "P\(priority.rawValue)", padded(String(row.arrived), 6),
        percent(row.answered), padded(rounded(row.latency(0.5), 2), 7), padded(rounded(row.latency(0.99), 2), 7),
        percent(row.shed), percent(row.tooLate), percent(row.failed),
        padded(rounded(row.timeToShed, 2), 7))
}

/// The spike under each way to choose who is served and who is shed.
func compareOrders(_ title: String, _ scenario: TrafficScenario) {
    print("\n\(title), by order of the queue")
    print(heading)
    for (name, order, patience) in [
        ("arrival", ShieldPlan.Order.arrival, 1.0), ("latest", .latestInOverload, 1),
        ("latest, 1/2", .latestInOverload, 0.5),
        ("latest, 1/3", .latestInOverload, 0.33),
    ] {
        var scenario = scenario
        scenario.change = { plan in
            plan.order = order
            plan.overloadPatience = patience
        }
        var simulation = TrafficSimulation(scenario, isShielded: true, seed: seed)
        let report = simulation.run()
        for priority in Priority.allCases { show(name, priority, report.row(.spike, priority)) }
    }
}

/// `cost N` measures nothing but the cost: for tools that count instructions or allocations.
if CommandLine.arguments.dropFirst().first == "cost" {
    Cost(rounds: CommandLine.arguments.dropFirst(2).first.flatMap { Int($0) } ?? 1_000_000).measure()
} else {
    compare()
    Cost(rounds: 1_000_000).measure()
}

/// A day without the shield and with it; then its spike under each order of the queue.
func compare() {
    func run(_ title: String, _ isShielded: Bool, _ change: (inout TrafficScenario) -> Void = { _ in }) {
        var scenario = TrafficScenario()
        change(&scenario)
        var simulation = TrafficSimulation(scenario, isShielded: isShielded, seed: seed)
        show(title, simulation.run())
    }
    run("without", false)
    run("with the shield", true)
    run("with the shield, limits found", true) { $0.isAdaptive = true }
    run("with the shield, hedging", true) { $0.change = { $0.hedges = true } }
    var scenario = TrafficScenario()
    scenario.length = 7200
    compareOrders("spike, two hours", scenario)
    scenario.spike = 2
    compareOrders("twofold, two hours", scenario)
    scenario = .impatient
    scenario.length = 7200
    compareOrders("16-fold, clients that leave after 8 s, two hours", scenario)
}
