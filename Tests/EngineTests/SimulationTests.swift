import FoundationEssentials
import Testing

/// `REFRAIN_SEED=n` replays one run, `REFRAIN_ROUNDS=n` makes that many.
@Suite struct SimulationTests {
    private static func number(_ name: String) -> UInt64? {
        ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) }
    }

    private static var seeds: Range<UInt64> {
        if let seed = number("REFRAIN_SEED") { return seed..<(seed + 1) }
        return 0..<(number("REFRAIN_ROUNDS") ?? 200)
    }

    @Test("nobody hangs and nobody is told what another asked for") func simulation() {
        for seed in Self.seeds {
            let simulation = Simulation(seed: seed)
            simulation.run()
            for wrong in simulation.wrongs { Issue.record("\(wrong)") }
            if !simulation.wrongs.isEmpty { return }
        }
    }

    @Test("two sidecars over tiers that fail: nobody hangs and nothing purged comes back") func shared() {
        for seed in Self.seeds {
            let simulation = SharedSimulation(seed: seed)
            simulation.run()
            for wrong in simulation.wrongs { Issue.record("\(wrong)") }
            if !simulation.wrongs.isEmpty { return }
        }
    }
}
