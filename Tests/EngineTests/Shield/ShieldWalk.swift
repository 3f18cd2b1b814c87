import Core
import TestKit
import Tiers

@testable import Engine

/// A random walk over a shield beside the plainest bookkeeping of it, in virtual time; it gathers what is wrong.
final class ShieldWalk {
    private enum Place: Equatable {
        case waiting(Priority)
        case running(Set<Int>)
        case resting
    }

    private static let second = Duration64.nanosecondsPerSecond

    private let seed: UInt64
    private var random: SeededRandom
    private var plan: ShieldPlan
    private var state: ShieldState
    private var now: Int64 = 0
    private var places: [UInt64: Place] = [:]
    private var tried: [UInt64: Set<String>] = [:]
    private var over: Set<UInt64> = []
    private var nextTicket: UInt64 = 1
    /// Starts by the name of the upstream.
    private var starts: [String: [Int64]] = [:]
    private var retries = 0
    private var requests = 0
    private(set) var wrongs: [String] = []
    private(set) var ends = [0, 0, 0]

    init(seed: UInt64) {
        self.seed = seed
        random = SeededRandom(seed: seed)
        plan = ShieldWalk.plan(&random)
        state = ShieldState(plan, now: 0, random: seed)
    }

    private static func plan(_ random: inout SeededRandom) -> ShieldPlan {
        var plan = ShieldPlan(
            upstreams: (0..<Int.random(in: 1...4, using: &random)).map { index in
                ShieldPlan.Upstream(
                    name: "u\(index)", weight: Int.random(in: 1...3, using: &random),
                    requestsPerSecond: Bool.random(using: &random)
                        ? Double(Int.random(in: 1...40, using: &random)) : nil,
                    tokensPerMinute: Bool.random(using: &random) ? 60_000 : nil,
                    concurrency: .fixed(Int.random(in: 1...6, using: &random)), isOverflow: index == 3,
                    sharesCredential: Bool.random(using: &random))
            })
        plan.queue = Int.random(in: 0...12, using: &random)
        plan.patience = Int64.random(in: 1...20, using: &random) * second
        plan.hedges = Bool.random(using: &random)
        plan.choice = Bool.random(using: &random) ? .weighted : .leastLoaded
        plan.order = Bool.random(using: &random) ? .arrival : .latestInOverload
        plan.retryRatio = Double(Int.random(in: 0...5, using: &random)) / 10
        plan.tenantRequestsPerSecond = Bool.random(using: &random) ? 5 : nil
        plan.tenants = 4
        return plan
    }

    func run(steps: Int) {
        for _ in 0..<steps {
            step()
            check()
            if !wrongs.isEmpty { return }
        }
        drain()
        checkRates()
    }

    // MARK: Steps

    private func step() {
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<35: arrive()
        case 35..<50: answer()
        case 50..<75: end()
        case 75..<79: withTicket { $0.hedge(ticket: $1, now: $2) }
        case 79..<83: abandon()
        case 83..<85:
            let upstream = Int.random(in: 0..<5, using: &random)
            let isHealthy = Int.random(in: 0..<3, using: &random) > 0
            perform { $0.probed(upstream: upstream, isHealthy: isHealthy, now: $1) }
        case 85:
            if Int.random(in: 0..<5, using: &random) == 0 { replan() }
        case 86..<90: perform { $0.tick(now: $1) }
        default: pass(Int64.random(in: 0...(ShieldWalk.second / 4), using: &random))
        }
    }

    /// Lets time go by, and calls where it was asked for.
    private func pass(_ time: Int64) {
        let end = now + time
        while let wake = state.nextWake, wake <= end {
            check(wake > now, "the wake at \(wake) is not after \(now)")
            now = max(now, wake)
            perform { $0.tick(now: $1) }
        }
        now = end
    }

    private func arrive() {
        let ticket = nextTicket
        nextTicket += 1
        let priority = Priority.allCases.randomElement(using: &random) ?? .standard
        places[ticket] = .waiting(priority)
        tried[ticket] = []
        requests += 1
        let demand = UpstreamDemand(
            priority: priority, tenant: CacheKey(UInt64.random(in: 0...8, using: &random), 0, 0, 0),
            tokens: Int.random(in: 0...400, using: &random),
            patience: Bool.random(using: &random) ? Int64.random(in: 0...(5 * ShieldWalk.second), using: &random) : nil)
        perform { $0.arrive(demand, ticket: ticket, now: $1) }
    }

    private func runningOne() -> (ticket: UInt64, upstream: Int)? {
        let running = places.keys.sorted().compactMap { ticket -> (UInt64, Int)? in
            guard case .running(let upstreams)? = places[ticket], let upstream = upstreams.min() else { return nil }
            return (ticket, upstream)
        }
        return running.randomElement(using: &random)
    }

    private func answer() {
        guard let (ticket, upstream) = runningOne() else { return }
        let status = [200, 200, 200, 200, 200, 400, 429, 500, 502, 503].randomElement(using: &random) ?? 200
        let isTold = Bool.random(using: &random)
        let news = RateNews(retryAfter: isTold ? Int64.random(in: 0...3, using: &random) * ShieldWalk.second : nil)
        perform {
            $0.answered(
                ticket: ticket, upstream: upstream, status: status, news: news, latency: ShieldWalk.second / 2, now: $1)
        }
    }

    private func end() {
        guard let (ticket, upstream) = runningOne(), case .running(var upstreams)? = places[ticket] else { return }
        let results: [AttemptResult] = [.complete, .complete, .complete, .failed, .unreachable, .cancelled]
        let result = results.randomElement(using: &random) ?? .complete
        upstreams.remove(upstream)
        if result == .complete {
            finish(ticket, 0)
        } else {
            places[ticket] = upstreams.isEmpty ? .resting : .running(upstreams)
        }
        perform { $0.ended(ticket: ticket, upstream: upstream, result: result, now: $1) }
        guard places[ticket] == .resting else { return }
        if Int.random(in: 0..<4, using: &random) > 0 { another(ticket) } else { abandon(ticket) }
    }

    private func another(_ ticket: UInt64) {
        // The class is looked up when it is shed; it is not counted against the bound.
        places[ticket] = .waiting(.interactive)
        perform { $0.another(ticket: ticket, now: $1) }
    }

    private func withTicket(_ event: (inout ShieldState, UInt64, Int64) -> ShieldSteps) {
        guard let ticket = places.keys.sorted().randomElement(using: &random) else { return }
        let isHedge = if case .running? = places[ticket] { true } else { false }
        let steps = event(&state, ticket, now)
        check(isHedge || steps.starts.isEmpty, "a hedge of a ticket that is not running")
        note(steps)
    }

    private func abandon() {
        guard let ticket = places.keys.sorted().randomElement(using: &random) else { return }
        abandon(ticket)
    }

    private func abandon(_ ticket: UInt64) {
        finish(ticket, 1)
        perform { $0.abandon(ticket: ticket, now: $1) }
    }

    private func replan() {
        plan = ShieldWalk.plan(&random)
        // The order of the queue is not what a reload changes.
        perform { [plan] in $0.replan(plan, now: $1) }
        starts = [:]
    }

    /// Everything under way ends, time goes on, and nothing may be left.
    private func drain() {
        for _ in 0..<10_000 {
            if let (ticket, upstream) = runningOne() {
                finish(ticket, 0)
                perform { $0.ended(ticket: ticket, upstream: upstream, result: .complete, now: $1) }
            } else if let wake = state.nextWake {
                now = max(now, wake)
                perform { $0.tick(now: $1) }
            } else {
                break
            }
        }
        let report = state.report()
        check(places.isEmpty, "tickets are lost: \(places)")
        check(report.tickets == 0 && report.waiting == [0, 0, 0], "the shield still knows \(report.tickets) tickets")
        check(report.upstreams.allSatisfy { $0.inFlight == 0 }, "slots are lost")
        check(UInt64(over.count) == nextTicket - 1, "\(over.count) of \(nextTicket - 1) tickets ended")
    }

    // MARK: Bookkeeping

    private func perform(_ event: (inout ShieldState, Int64) -> ShieldSteps) { note(event(&state, now)) }

    private func finish(_ ticket: UInt64, _ end: Int) {
        check(over.insert(ticket).inserted, "ticket \(ticket) ended twice")
        places[ticket] = nil
        ends[end] += 1
    }

    private func note(_ steps: ShieldSteps) {
        for start in steps.starts {
            let name = state.names[start.upstream]
            switch places[start.ticket] {
            case .waiting: places[start.ticket] = .running([start.upstream])
            case .running(let upstreams) where upstreams.count == 1:
                places[start.ticket] = .running(upstreams.union([start.upstream]))
            default:
                check(false, "ticket \(start.ticket) was started, which is \(String(describing: places[start.ticket]))")
            }
            check(tried[start.ticket]?.insert(name).inserted == true, "\(start.ticket) was put to \(name) twice")
            check(plan.upstreams.contains { $0.name == name }, "\(name) is not in the plan")
            starts[name, default: []].append(now)
            if tried[start.ticket]?.count ?? 0 > 1 { retries += 1 }
        }
        for shed in steps.sheds {
            if case .waiting? = places[shed.ticket] {
            } else {
                check(false, "ticket \(shed.ticket) was shed while it did not wait")
            }
            check(shed.retryAfter >= ShieldWalk.second && shed.retryAfter <= 75 * ShieldWalk.second, "\(shed)")
            finish(shed.ticket, 2)
        }
    }

    private func check() {
        let report = state.report()
        for upstream in report.upstreams {
            let slot = state.names.firstIndex(of: upstream.name)
            let held = places.values.count {
                if case .running(let all) = $0 { slot.map(all.contains) ?? false } else { false }
            }
            check(upstream.inFlight == held, "\(upstream.name) has \(upstream.inFlight) in flight, not \(held)")
            // A reload may lower a limit below what is under way.
            let isNew = starts[upstream.name]?.last == now
            check(!isNew || upstream.inFlight <= upstream.limit, "\(upstream.name) is above its limit")
        }
        let waiting = places.values.count { if case .waiting = $0 { true } else { false } }
        check(report.waiting.reduce(0, +) == waiting, "\(report.waiting) wait, not \(waiting)")
        check(
            (state.nextWake == nil) == (waiting == 0), "\(waiting) wait, woken at \(String(describing: state.nextWake))"
        )
        check(report.tickets == places.count, "\(report.tickets) tickets are known, not \(places.count)")
        let allowed = 0.5 * Double(requests) + Double(now / ShieldWalk.second + 10)
        check(Double(retries) <= allowed, "\(retries) retries of \(requests) requests")
    }

    /// In no span of a second or more there are more than 5 % above the limit, or one.
    private func checkRates() {
        for upstream in plan.upstreams {
            guard let rate = upstream.requestsPerSecond, let times = starts[upstream.name] else { continue }
            for (index, first) in times.enumerated() {
                for seconds in [1, 5, 30] {
                    let count = times[index...].prefix { $0 < first + Int64(seconds) * ShieldWalk.second }.count
                    let most = max(1.05 * rate * Double(seconds), rate * Double(seconds) + 1)
                    check(Double(count) <= most + 0.001, "\(upstream.name): \(count) in \(seconds) s at \(rate)/s")
                }
            }
        }
    }

    private func check(_ isRight: Bool, _ wrong: @autoclosure () -> String) {
        if !isRight, wrongs.count < 5 { wrongs.append("seed \(seed), at \(now): " + wrong()) }
    }
}
