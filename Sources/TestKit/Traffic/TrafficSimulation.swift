import Core
import Engine

/// One day of a scenario, with the shield before the servers or with what is usual without it: each request goes to the
/// next server by weight at once, and after a failure to the one after it.
package struct TrafficSimulation {
    private enum Event {
        case arrival
        case computed(attempt: Int)
        case timeout(attempt: Int)
        case leaves(request: Int)
        case hedge(attempt: Int)
        case wake
        case faults
    }

    private struct Request {
        let priority: Priority
        let arrival: Int64
        let phase: TrafficScenario.Phase
        var isOver = false
        /// Under way; two with a hedge.
        var attempts: [Int] = []
        var tried = 0
    }

    private struct Attempt {
        let request: Int
        let server: Int
        let start: Int64
        let isFailure: Bool
        var isOver = false
    }

    private static let second = Double(Duration64.nanosecondsPerSecond)

    private let scenario: TrafficScenario
    private var random: SeededRandom
    private var shield: ShieldState?
    private var servers: [ModelServer]
    private var turns = WeightedChoice()
    private var events = EventHeap<Event>()
    private var requests: [Request] = []
    private var attempts: [Attempt] = []
    private var now: Int64 = 0
    private var wakeAt: Int64?
    private var report = TrafficReport()

    package init(_ scenario: TrafficScenario, isShielded: Bool, seed: UInt64) {
        self.scenario = scenario
        random = SeededRandom(seed: seed)
        servers = scenario.servers.map { ModelServer(slots: $0.slots) }
        shield = isShielded ? ShieldState(scenario.plan, now: 0, random: seed) : nil
        for (index, server) in scenario.servers.enumerated() { turns.set(weight: server.weight, at: index) }
        report.peaks = servers.map { _ in 0 }
        report.starts = servers.map { _ in [] }
    }

    package mutating func run() -> TrafficReport {
        scheduleArrival()
        for part in 0..<400 { add(.faults, after: scenario.length * Double(part) / 400) }
        add(.faults, after: 0.70 * scenario.length + min(600, 0.15 * scenario.length))
        while let (time, event) = events.next() {
            now = time
            handle(event)
            scheduleWake()
        }
        report.attempts = attempts.count
        report.shield = shield?.report()
        return report
    }

    // MARK: Time

    private var seconds: Double { Double(now) / Self.second }

    private mutating func add(_ event: Event, after seconds: Double) {
        events.add(event, at: now + Int64(seconds * Self.second))
    }

    private mutating func scheduleArrival() {
        let wait = exponential() / scenario.rate(at: seconds)
        if seconds + wait < scenario.length { add(.arrival, after: wait) }
    }

    private mutating func scheduleWake() {
        guard let wake = shield?.nextWake, wake < wakeAt ?? Int64.max else { return }
        wakeAt = wake
        events.add(.wake, at: max(now, wake))
    }

    private mutating func handle(_ event: Event) {
        switch event {
        case .arrival:
            arrive()
            scheduleArrival()
        case .computed(let attempt):
            if !attempts[attempt].isOver { answer(attempt) }
        case .timeout(let attempt):
            if !attempts[attempt].isOver { fail(attempt, .failed) }
        case .hedge(let attempt):
            let request = UInt64(attempts[attempt].request)
            if !attempts[attempt].isOver { perform { $0.hedge(ticket: request, now: $1) } }
        case .leaves(let request):
            if !requests[request].isOver { leave(request) }
        case .wake:
            guard let wake = wakeAt, wake <= now else { return }
            wakeAt = nil
            perform { $0.tick(now: $1) }
        case .faults: setFaults()
        }
    }

    /// The first server fails, the second goes away, the third slows down.
    private mutating func setFaults() {
        let phase = scenario.phase(at: seconds)
        let faults: [ModelServer.Fault] = [
            phase == .failing ? .failing(share: 0.15) : .none, phase == .away ? .away : .none,
            phase == .slow ? .slow(factor: 10) : .none,
        ]
        for (index, fault) in faults.enumerated() where index < servers.count && servers[index].fault != fault {
            servers[index].fault = fault
            while let next = servers[index].next() { compute(next) }
        }
    }

    // MARK: Clients

    private mutating func arrive() {
        let drawn = uniform()
        let priority: Priority =
            drawn < scenario.mix[0] ? .interactive : drawn < scenario.mix[0] + scenario.mix[1] ? .standard : .batch
        let request = requests.count
        requests.append(Request(priority: priority, arrival: now, phase: scenario.phase(at: seconds)))
        add(.leaves(request: request), after: scenario.clientPatience[priority.rawValue])
        guard shield != nil else { return send(request, to: nextServer()) }
        let patience = Int64(scenario.queuePatience[priority.rawValue] * Self.second)
        let demand = UpstreamDemand(priority: priority, patience: patience)
        perform { $0.arrive(demand, ticket: UInt64(request), now: $1) }
    }

    private mutating func leave(_ request: Int) {
        over(request, .tooLate)
        for attempt in requests[request].attempts { stop(attempt) }
        perform { $0.abandon(ticket: UInt64(request), now: $1) }
    }

    private mutating func over(_ request: Int, _ end: TrafficReport.End) {
        requests[request].isOver = true
        report.note(requests[request].phase, requests[request].priority, end)
    }

    /// Seconds since its arrival.
    private func age(_ request: Int) -> Double { Double(now - requests[request].arrival) / Self.second }

    // MARK: Attempts

    private mutating func perform(_ event: (inout ShieldState, Int64) -> ShieldSteps) {
        guard shield != nil else { return }
        // Not nil: it was looked at in the line above.
        let steps = event(&shield!, now)
        for start in steps.starts { send(Int(start.ticket), to: start.upstream) }
        for shed in steps.sheds { over(Int(shed.ticket), .shed(age(Int(shed.ticket)))) }
    }

    private mutating func nextServer() -> Int {
        turns.choose(among: servers.map { _ in true }) ?? 0
    }

    private mutating func send(_ request: Int, to server: Int) {
        let attempt = attempts.count
        var isFailure = servers[server].isFull
        if case .failing(let share) = servers[server].fault { isFailure = isFailure || uniform() < share }
        attempts.append(Attempt(request: request, server: server, start: now, isFailure: isFailure))
        requests[request].attempts.append(attempt)
        requests[request].tried += 1
        report.starts[server].append(seconds)
        if isFailure { return add(.computed(attempt: attempt), after: 0.05) }
        if servers[server].take(attempt) { compute(attempt) }
        report.peaks[server] = max(report.peaks[server], servers[server].held)
        add(.timeout(attempt: attempt), after: scenario.attemptTimeout)
        if let delay = shield?.hedgeDelay(upstream: server) { events.add(.hedge(attempt: attempt), at: now + delay) }
    }

    private mutating func compute(_ attempt: Int) {
        let server = attempts[attempt].server
        var time = scenario.service * (0.4 + 0.6 * exponential())
        if case .slow(let factor) = servers[server].fault { time *= factor }
        add(.computed(attempt: attempt), after: time)
    }

    private mutating func answer(_ attempt: Int) {
        let (request, server) = (attempts[attempt].request, attempts[attempt].server)
        let status = attempts[attempt].isFailure ? 503 : 200
        let latency = now - attempts[attempt].start
        perform {
            $0.answered(ticket: UInt64(request), upstream: server, status: status, latency: latency, now: $1)
        }
        if attempts[attempt].isFailure { return fail(attempt, .cancelled) }
        for attempt in requests[request].attempts { stop(attempt) }
        over(request, .answered(age(request)))
        perform { $0.ended(ticket: UInt64(request), upstream: server, result: .complete, now: $1) }
    }

    private mutating func fail(_ attempt: Int, _ result: AttemptResult) {
        let (request, server) = (attempts[attempt].request, attempts[attempt].server)
        stop(attempt)
        requests[request].attempts.removeAll { $0 == attempt }
        if shield != nil {
            perform { $0.ended(ticket: UInt64(request), upstream: server, result: result, now: $1) }
            perform { $0.another(ticket: UInt64(request), now: $1) }
        } else if requests[request].tried < servers.count {
            send(request, to: (server + 1) % servers.count)
        } else {
            over(request, .failed)
        }
    }

    private mutating func stop(_ attempt: Int) {
        guard !attempts[attempt].isOver else { return }
        attempts[attempt].isOver = true
        guard !attempts[attempt].isFailure else { return }
        if let next = servers[attempts[attempt].server].drop(attempt) { compute(next) }
    }

    // MARK: Chance

    private mutating func uniform() -> Double { Double(random.next() >> 11) * 0x1p-53 }

    /// With mean 1, after von Neumann ("Various techniques used in connection with random digits", 1951): descending
    /// runs of uniform numbers, and no logarithm.
    private mutating func exponential() -> Double {
        var whole = 0.0
        while true {
            let first = uniform()
            var (last, length) = (first, 1)
            while true {
                let next = uniform()
                if next > last { break }
                last = next
                length += 1
            }
            if !length.isMultiple(of: 2) { return whole + first }
            whole += 1
        }
    }
}
