import Core
import Engine
import TestKit
import Testing

/// A day in two hours of virtual time, before three servers that share 24 slots.
@Suite struct ShieldTrafficTests {
    private static let scenario: TrafficScenario = {
        var scenario = TrafficScenario()
        scenario.length = 7200
        return scenario
    }()

    private static let seed: UInt64 = 11
    private static let shielded: TrafficReport = {
        var simulation = TrafficSimulation(scenario, isShielded: true, seed: seed)
        return simulation.run()
    }()
    private static let plain: TrafficReport = {
        var simulation = TrafficSimulation(scenario, isShielded: false, seed: seed)
        return simulation.run()
    }()

    @Test func theUrgentHardlyNoticeTheSpike() {
        let calm = Self.shielded.row(.calm, .interactive)
        let spike = Self.shielded.row(.spike, .interactive)
        #expect(spike.arrived > 1500 && calm.arrived > 5000)
        #expect(spike.goodput > 0.99)
        #expect(spike.latency(0.99) <= 2 * calm.latency(0.99))
        // Without it nearly all of them go away in vain.
        #expect(Self.plain.row(.spike, .interactive).goodput < 0.3)
    }

    @Test func theCapacityIsUsedInTheSpike() {
        let rows = Priority.allCases.map { Self.shielded.row(.spike, $0) }
        // 360 seconds of 24 slots that take two seconds each.
        #expect(rows.reduce(0) { $0 + $1.answered } > Int(0.95 * 360 * 12))
        #expect(rows[2].answered > 50, "the batch is not starved")
        #expect(rows[1].latency(0.5) < 4, "who is served is served soon")
        #expect(rows[1].timeToShed < 6, "who is not, is told before its time is over")
    }

    @Test func noServerIsAboveItsLimit() {
        for (peak, server) in zip(Self.shielded.peaks, Self.scenario.servers) {
            #expect(peak <= server.slots)
        }
        #expect(Self.plain.peaks.contains { $0 > 100 })
    }

    @Test(arguments: [TrafficScenario.Phase.failing, .away, .slow])
    func troubleOfOneIsNoTroubleOfAll(_ phase: TrafficScenario.Phase) {
        for priority in Priority.allCases {
            #expect(Self.shielded.row(phase, priority).goodput > 0.97, "\(phase), \(priority)")
            #expect(Self.shielded.row(.calm, priority).goodput > 0.998, "\(priority)")
        }
    }

    @Test func withoutItOneIsTroubleOfAll() {
        #expect(Self.plain.row(.away, .interactive).goodput < 0.8)
        #expect(Self.plain.row(.slow, .interactive).goodput < 0.95)
    }

    @Test func rateLimitsHoldInEveryPhase() {
        var scenario = Self.scenario
        scenario.length = 1800
        let rates = [3.0, 2, 1]
        scenario.change = { plan in
            for (index, rate) in rates.enumerated() { plan.upstreams[index].requestsPerSecond = rate }
        }
        var simulation = TrafficSimulation(scenario, isShielded: true, seed: Self.seed)
        let report = simulation.run()
        for (rate, starts) in zip(rates, report.starts) {
            for span in [1.0, 10, 60, 600] {
                var first = 0
                var most = 0
                for (last, time) in starts.enumerated() {
                    while starts[first] <= time - span { first += 1 }
                    most = max(most, last - first + 1)
                }
                #expect(Double(most) <= max(1.05 * rate * span, rate * span + 1), "\(rate)/s in \(span) s: \(most)")
            }
        }
    }

    @Test func aShieldThatHasToFindTheSlotsDoesNotOverrunThem() {
        var scenario = Self.scenario
        scenario.length = 1800
        scenario.isAdaptive = true
        var simulation = TrafficSimulation(scenario, isShielded: true, seed: Self.seed)
        let report = simulation.run()
        #expect(report.row(.spike, .interactive).goodput > 0.95)
        #expect(report.peaks.reduce(0, +) < 200, "\(report.peaks)")
    }

    @Test func theSameSeedGivesTheSameDay() {
        var scenario = Self.scenario
        scenario.length = 600
        func run(_ seed: UInt64) -> [Double] {
            var simulation = TrafficSimulation(scenario, isShielded: true, seed: seed)
            return simulation.run().starts[0]
        }
        #expect(run(5) == run(5) && run(5) != run(6))
    }
}
