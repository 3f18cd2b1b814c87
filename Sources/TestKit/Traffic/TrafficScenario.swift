import Core
import Engine

/// A day in front of several model servers, in virtual time: who comes when, and what goes wrong.
package struct TrafficScenario: Sendable {
    /// What the day is cut into; each has a row in the report.
    package enum Phase: String, Sendable, CaseIterable {
        case calm
        case spike = "spike 300 %"
        case failing = "one fails 15 %"
        case away = "one is away"
        case slow = "one slows 10x"
    }

    package struct Server: Sendable {
        /// Requests that it computes at a time; more wait before it.
        package var slots: Int
        package var weight: Int
        package var isOverflow = false
    }

    /// Length of the day in seconds. Phases keep their lengths in relation to it, but for the ten minutes.
    package var length: Double = 86_400
    /// Requests a second when nothing is the matter, averaged over the day.
    package var rate = 5.0
    /// Of the rate, during the spike: "300 %" read as three times more.
    package var spike = 4.0
    package var servers = [
        Server(slots: 12, weight: 3), Server(slots: 8, weight: 2), Server(slots: 4, weight: 1),
    ]
    /// Mean seconds of computing.
    package var service = 2.0
    /// Shares of the classes.
    package var mix = [0.25, 0.5, 0.25]
    /// Seconds after which a client goes away, by class.
    package var clientPatience = [20.0, 30.0, 120.0]
    /// Seconds in the queue, by class.
    package var queuePatience = [5.0, 10.0, 60.0]
    /// Seconds after which an attempt that brought no answer is given up.
    package var attemptTimeout = 30.0
    /// Whether the shield knows the servers' slots, or has to find out.
    package var isAdaptive = false
    package var change: @Sendable (inout ShieldPlan) -> Void = { _ in }

    package init() {}

    /// An overload that even the urgent alone would fill, by clients that go away before the queue gives them up.
    package static var impatient: TrafficScenario {
        var scenario = TrafficScenario()
        scenario.spike = 16
        scenario.clientPatience = [8, 8, 8]
        scenario.queuePatience = [10, 10, 10]
        return scenario
    }

    /// What the shield is told.
    package var plan: ShieldPlan {
        var plan = ShieldPlan(
            upstreams: servers.enumerated().map { index, server in
                ShieldPlan.Upstream(
                    name: "server \(index)", weight: server.weight,
                    concurrency: isAdaptive ? .adaptive(min: 1, max: 64) : .fixed(server.slots),
                    isOverflow: server.isOverflow)
            })
        plan.patience = Int64(queuePatience.max() ?? 10) * Duration64.nanosecondsPerSecond
        change(&plan)
        return plan
    }

    /// By when it happens, in seconds.
    package func phase(at second: Double) -> Phase {
        switch second / length {
        case 0.10..<0.20: return .failing
        case 0.50..<0.55: return .spike
        case 0.70..<0.85: return second < 0.70 * length + min(600, 0.15 * length) ? .away : .calm
        case 0.90..<0.95: return .slow
        default: return .calm
        }
    }

    /// Requests a second at that time: less at night, more by day, and the spike.
    func rate(at second: Double) -> Double {
        let hour = second / length * 24
        let byDay = 1 - abs(hour - 13) / 13
        return rate * (0.6 + 0.8 * byDay) * (phase(at: second) == .spike ? spike : 1)
    }
}
