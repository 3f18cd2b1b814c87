import Core
import Dialects
import TestKit
import Tiers

@testable import Engine

/// Two sidecars over tiers that fail and dawdle, with purges on either, calls that are shared and restarts, drawn from a
/// seed, in virtual time; it gathers what is wrong.
final class SharedSimulation {
    private struct Visitor {
        let client: Client
        let sidecar: Int
        let tenant: String
        let prompt: String
        let isOwn: Bool
        let isCacheOnly: Bool
        /// The first call that may answer it, in the order in which all calls were made.
        let firstCall: Int
        var hasLeft = false
    }

    private static let tenants = ["Bearer 0", "Bearer 1"]
    private static let prompts = (0..<3).map { "prompt-\($0)" }

    private let seed: UInt64
    private var random: SeededRandom
    private let clock = ManualClock()
    private let world: ManualScheduler
    private let scheduler: ManualScheduler
    private let stage: Stage
    private let tiers = [FakeTier(.redis), FakeTier(.objects)]
    private let home: FakePurgeHome
    private let table: FakeLeaseTable
    private let upstream: FakeUpstream
    private let model: SimulatedModel
    private var scenes: [Scene] = []
    private var retired: [Scene] = []
    private var owners = 0
    private var visitors: [Visitor] = []
    /// By sidecar, tenant and prompt: the first call that may answer there.
    private var purgedAt: [[String: Int]] = [[:], [:]]
    /// The same for purges that all sidecars were told of, which hold after any restart.
    private var sharedAt: [String: Int] = [:]
    private(set) var wrongs: [String] = []

    init(seed: UInt64) {
        self.seed = seed
        random = SeededRandom(seed: seed)
        stage = Stage(seed: seed)
        world = ManualScheduler(clock: clock)
        scheduler = ManualScheduler(clock: clock)
        home = FakePurgeHome(clock: clock)
        table = FakeLeaseTable(clock: clock)
        model = SimulatedModel(seed: random.next(), timers: world)
        upstream = FakeUpstream { [model] in model.take($0) }
        for tier in tiers { dawdle(tier) }
        scenes = [makeScene(), makeScene()]
    }

    private func makeScene() -> Scene {
        owners += 1
        var lower = FakeLower(tiers, home: home, leases: FakeCallLeases(table, owner: owners))
        lower.fill.mostItems = Int.random(in: 1...20, using: &random)
        let scene = Scene(
            on: stage, clock: clock, scheduler: scheduler, upstream: upstream,
            capacity: [4 << 10, 1 << 20].randomElement(using: &random) ?? 1 << 20, lower: lower
        ) { [ttl = Int.random(in: 1...600, using: &random)] settings in
            settings.cache.ttl = .seconds(ttl)
            settings.cache.staleWhileRevalidate = .seconds(ttl % 2 * 300)
            settings.limits.revalidations = 1 + ttl % 3
            settings.cache.followerTimeout = .seconds(20)
            settings.cache.abortTimeout = .seconds(10)
        }
        scene.rig.sync?.refresh()
        return scene
    }

    /// Each call to a tier takes a time that the seed says.
    private func dawdle(_ tier: FakeTier) {
        let delays = SeededSource(seed: random.next())
        tier.during = { [world] _, _ in
            let drawn = delays.next() % 100
            let milliseconds = Int64(drawn < 40 ? 0 : drawn < 95 ? drawn : drawn * 30)
            guard milliseconds > 0 else { return }
            await withCheckedContinuation { waiter in
                _ = world.schedule(after: milliseconds * Duration64.nanosecondsPerMillisecond) { waiter.resume() }
            }
        }
    }

    func run() {
        for _ in 0..<60 {
            step()
            if Bool.random(using: &random) { stage.run() }
        }
        // What is broken is mended, so that everything can come to its end.
        for tier in tiers { tier.isFailing = false }
        home.failure = nil
        table.isFailing = false
        var rounds = 0
        while visitors.contains(where: { $0.client.served == nil }) || upstream.calls.contains(where: { !$0.hasEnded }),
            rounds < 1000
        {
            advance(milliseconds: 1000)
            rounds += 1
        }
        advance(milliseconds: 120_000)
        for (index, visitor) in visitors.enumerated() { judge(visitor, "client \(index)") }
        for scene in scenes + retired { scene.rig.sync?.close() }
        advance(milliseconds: 10_000)
        for scene in scenes + retired {
            check(scene.rig.engine.flights.count == 0, "a flight is left")
            for tier in tiers {
                check(scene.rig.engine.fill?.statistics(of: tier.name).depth == 0, "an entry still waits")
            }
        }
        check(scheduler.count == 0, "\(scheduler.count) timers are left")
        check(!upstream.calls.contains(where: \.isSinkAlive), "somebody still holds a flight")
        check(upstream.calls.count <= visitors.count, "\(upstream.calls.count) calls for \(visitors.count) requests")
    }

    private func check(_ isRight: Bool, _ wrong: @autoclosure () -> String) {
        if !isRight { wrongs.append("seed \(seed): " + wrong()) }
    }

    private func step() {
        switch Int.random(in: 0..<40, using: &random) {
        case 0..<18: arrive()
        case 18..<20:
            guard let index = visitors.indices.randomElement(using: &random) else { break }
            if visitors[index].client.served == nil { visitors[index].hasLeft = true }
            visitors[index].client.leave()
        case 20..<23: purge()
        case 23: restart()
        case 24..<26: tiers[Int.random(in: 0..<2, using: &random)].isFailing.toggle()
        case 26: home.failure = home.failure == nil ? PurgeHomeFailure("as drawn") : nil
        case 27: table.isFailing.toggle()
        case 28: advance(milliseconds: .random(in: 0...60_000, using: &random))
        default: advance(milliseconds: .random(in: 0...500, using: &random))
        }
    }

    private func arrive() {
        let sidecar = Int.random(in: 0..<2, using: &random)
        let tenant = Self.tenants.randomElement(using: &random) ?? ""
        let prompt = Self.prompts.randomElement(using: &random) ?? ""
        let control = Int.random(in: 0..<12, using: &random)
        let word: String? = control == 0 ? "no-cache" : control == 1 ? "only-if-cached" : nil
        let form = Form.allCases.randomElement(using: &random) ?? .whole
        let body = ModelRequest.body(.chat, prompt, form: form, includeUsage: Bool.random(using: &random))
        let headers = [("authorization", tenant)] + (word.map { [("cache-control", $0)] } ?? [])
        let rig = scenes[sidecar].rig
        guard let call = SimulatedCalls.admit(body, headers, rig) else {
            wrongs.append("seed \(seed): not admitted")
            return
        }
        let client = Client()
        visitors.append(
            Visitor(
                client: client, sidecar: sidecar, tenant: tenant, prompt: prompt, isOwn: word == "no-cache",
                isCacheOnly: word == "only-if-cached",
                firstCall: word == "no-cache" ? upstream.calls.count : purgedAt[sidecar][tenant + prompt] ?? 0))
        client.task = stage.spawn { client.set(await rig.serve(call, readSize: 200)) }
    }

    /// A purge holds on a sidecar once it has returned there, and on the other once it has heard of it.
    private func purge() {
        // A request that has not begun to look is not yet on its way, whatever its turn on the stage.
        stage.run()
        let sidecar = Int.random(in: 0..<2, using: &random)
        let tenant = Self.tenants.randomElement(using: &random) ?? ""
        let prompt = Self.prompts.randomElement(using: &random) ?? ""
        let body = ModelRequest.body(.chat, prompt)
        guard let call = SimulatedCalls.admit(body, [("authorization", tenant)], scenes[sidecar].rig) else { return }
        let group: PurgeGroup
        let names: [String]
        switch Int.random(in: 0..<4, using: &random) {
        case 0: (group, names) = (.everything, Self.tenants.flatMap { tenant in Self.prompts.map { tenant + $0 } })
        case 1: (group, names) = (.tenant(call.admitted.tenant.word0), Self.prompts.map { tenant + $0 })
        case 2: (group, names) = (.model("m"), Self.tenants.flatMap { tenant in Self.prompts.map { tenant + $0 } })
        default: (group, names) = (.key(call.admitted.key), [tenant + prompt])
        }
        let report = Box<PurgeReport?>(nil)
        let first = upstream.calls.count
        let rig = scenes[sidecar].rig
        stage.spawn { report.value = await rig.engine.purge(group, sync: rig.sync) }
        stage.run()
        var rounds = 0
        // Removing it below takes its time; meanwhile others come.
        while report.value == nil, rounds < 100 {
            advance(milliseconds: 100)
            rounds += 1
        }
        guard let report = report.value else {
            wrongs.append("seed \(seed): a purge does not return")
            return
        }
        check(report.isShared != (report.failure != nil), "a purge was neither shared nor refused")
        for name in names { purgedAt[sidecar][name] = max(first, purgedAt[sidecar][name] ?? 0) }
        guard report.isShared else { return }
        for name in names { sharedAt[name] = max(first, sharedAt[name] ?? 0) }
        guard Bool.random(using: &random) else { return }
        scenes[1 - sidecar].rig.engine.heard(report.mark)
        stage.run()
        for name in names { purgedAt[1 - sidecar][name] = max(first, purgedAt[1 - sidecar][name] ?? 0) }
    }

    /// One sidecar loses its memory; its clients have gone elsewhere.
    private func restart() {
        let sidecar = Int.random(in: 0..<2, using: &random)
        for index in visitors.indices where visitors[index].sidecar == sidecar && visitors[index].client.served == nil {
            visitors[index].hasLeft = true
            visitors[index].client.leave()
        }
        stage.run()
        scenes[sidecar].rig.sync?.close()
        retired.append(scenes[sidecar])
        scenes[sidecar] = makeScene()
        purgedAt[sidecar] = sharedAt
    }

    /// Lets time pass for the engines and the world alike.
    private func advance(milliseconds: Int64) {
        let end = clock.monotonic() + milliseconds * Duration64.nanosecondsPerMillisecond
        while let due = [scheduler.nextDue, world.nextDue].compactMap({ $0 }).min(), due <= end {
            let next = scheduler.nextDue == due ? scheduler : world
            next.advance(.nanoseconds(max(0, due - clock.monotonic()))) { stage.run() }
        }
        clock.advance(nanoseconds: max(0, end - clock.monotonic()))
        stage.run()
    }

    // MARK: What a client may be told

    private func judge(_ visitor: Visitor, _ name: String) {
        check(visitor.client.replies == 1, "\(name) \(visitor) had \(visitor.client.replies) replies")
        guard let served = visitor.client.served, !visitor.hasLeft else { return }
        let records = model.records(visitor.tenant, visitor.prompt).filter { $0.number >= visitor.firstCall }
        let body = SimulatedModel.stripped(served.body)
        let isTrue =
            switch served.kind {
            case .answer: records.contains { $0.status == served.status && $0.tellings.contains(body) }
            case .broken: records.contains { $0.fragment.map { SimulatedModel.isBeginning(body, of: $0) } ?? false }
            case .failed: records.contains { $0.failed || $0.fragment != nil }
            case .notCached: visitor.isCacheOnly
            }
        check(isTrue, "\(name) \(visitor) was told \(served)")
        check(!visitor.isOwn || served.outcome == .miss, "\(name) wanted an answer of its own")
    }
}
