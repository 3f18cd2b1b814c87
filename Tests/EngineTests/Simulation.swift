import Core
import Synchronization
import TestKit
import Tiers

@testable import Engine

/// One run of clients, upstream, purges and clock steps drawn from a seed, in virtual time; it gathers what is wrong.
final class Simulation {
    private struct Visitor {
        let client: Client
        let tenant: String
        let prompt: String
        let control: String?
        /// The first call that may answer it: later than the last purge before it came, or its own if it wants one.
        let firstCall: Int
        var hasLeft = false
    }

    private let seed: UInt64
    private var random: SeededRandom
    private let scene: Scene
    private let model: SimulatedModel
    /// Timers of the world around the engine, so that the engine's own can be counted.
    private let world: ManualScheduler
    private let capacity: Int
    private var visitors: [Visitor] = []
    private var purgedAt: [String: Int] = [:]
    private(set) var wrongs: [String] = []

    init(seed: UInt64) {
        self.seed = seed
        var random = SeededRandom(seed: seed)
        let box = ModelBox()
        let capacity = [4 << 10, 32 << 10, 1 << 20].randomElement(using: &random) ?? 1 << 20
        scene = Scene(capacity: capacity, upstream: FakeUpstream { box.model?.take($0) }, seed: seed) { settings in
            settings.cache.onAbort = Bool.random(using: &random) ? .finish : .cancel
            settings.cache.abortTimeout = .seconds(Int.random(in: 1...30, using: &random))
            settings.cache.followerTimeout = .seconds(Int.random(in: 1...30, using: &random))
            settings.cache.maxAnswer = Bool.random(using: &random) ? .mebibytes(1) : .kibibytes(2)
            settings.cache.ttl = .seconds(Int.random(in: 0...600, using: &random))
            settings.cache.staleWhileRevalidate = .seconds(Bool.random(using: &random) ? 0 : 300)
            settings.limits.revalidations = Int.random(in: 1...4, using: &random)
            settings.limits.revalidationQueue = Int.random(in: 0...2, using: &random)
        }
        world = ManualScheduler(clock: scene.rig.clock)
        model = SimulatedModel(seed: random.next(), timers: world)
        box.model = model
        self.capacity = capacity
        self.random = random
    }

    func run() {
        for _ in 0..<50 {
            step()
            // Not after every step: what comes together is left to the stage, which draws the order.
            if Bool.random(using: &random) { scene.stage.run() }
            check(scene.rig.memory.statistics.bytes <= capacity, "memory holds more than its capacity")
        }
        var rounds = 0
        while visitors.contains(where: { $0.client.served == nil }) || scene.calls.contains(where: { !$0.hasEnded }),
            rounds < 1000
        {
            advance(milliseconds: 1000)
            rounds += 1
        }
        for (index, visitor) in visitors.enumerated() { judge(visitor, "client \(index)") }
        check(scene.rig.engine.flights.count == 0, "a flight is left")
        let revalidations = scene.rig.engine.revalidations
        check(revalidations.running + revalidations.waiting == 0, "an answer is still to be fetched anew")
        check(scene.rig.scheduler.count == 0, "a timer is left")
        check(!scene.calls.contains(where: \.isSinkAlive), "somebody still holds a flight")
        check(scene.calls.count <= visitors.count, "\(scene.calls.count) calls for \(visitors.count) requests")
    }

    private func check(_ isRight: Bool, _ wrong: @autoclosure () -> String) {
        if !isRight { wrongs.append("seed \(seed): " + wrong()) }
    }

    private func step() {
        switch Int.random(in: 0..<20, using: &random) {
        case 0..<9: arrive()
        case 9..<11:
            guard let index = visitors.indices.randomElement(using: &random) else { break }
            if visitors[index].client.served == nil { visitors[index].hasLeft = true }
            visitors[index].client.leave()
        case 11: purge()
        case 12: scene.rig.clock.stepWall(milliseconds: Int64.random(in: -7_200_000...7_200_000, using: &random))
        case 13: advance(milliseconds: .random(in: 0...60_000, using: &random))
        default: advance(milliseconds: .random(in: 0...500, using: &random))
        }
    }

    private func arrive() {
        let tenant = "Bearer \(Int.random(in: 0..<2, using: &random))"
        let prompt = "prompt-\(Int.random(in: 0..<3, using: &random))"
        let control: String? =
            switch Int.random(in: 0..<12, using: &random) {
            case 0: "no-cache"
            case 1: "only-if-cached"
            case 2: "max-age=\(25 * Int.random(in: 0...4, using: &random))"
            case 3: "stale-if-error=\(250 * Int.random(in: 0...4, using: &random))"
            default: nil
            }
        let form = Form.allCases.randomElement(using: &random) ?? .whole
        let body = ModelRequest.body(.chat, prompt, form: form, includeUsage: Bool.random(using: &random))
        let headers = [("authorization", tenant)] + (control.map { [("cache-control", $0)] } ?? [])
        let readSize = Int.random(in: 16...400, using: &random)
        let isSlow = Int.random(in: 0..<5, using: &random) == 0
        let client = Client()
        let (rig, world) = (scene.rig, world)
        guard let call = SimulatedCalls.admit(body, headers, scene.rig) else {
            wrongs.append("seed \(seed): not admitted")
            return
        }
        let pace: Pace = {
            await withCheckedContinuation { waiter in
                _ = world.schedule(after: 50 * Duration64.nanosecondsPerMillisecond) { waiter.resume() }
            }
        }
        visitors.append(
            Visitor(
                client: client, tenant: tenant, prompt: prompt, control: control,
                firstCall: control == "no-cache" ? scene.calls.count : purgedAt[tenant + prompt] ?? 0))
        client.task = scene.stage.spawn {
            client.set(await rig.serve(call, readSize: readSize, pace: isSlow ? pace : nil))
        }
    }

    private func purge() {
        // A request that has not begun to look is not yet on its way, whatever its turn on the stage.
        scene.stage.run()
        let tenants = ["Bearer 0", "Bearer 1"]
        let prompts = (0..<3).map { "prompt-\($0)" }
        if Bool.random(using: &random) {
            _ = scene.rig.engine.purgeHere(.everything)
            for tenant in tenants { for prompt in prompts { purgedAt[tenant + prompt] = scene.calls.count } }
        } else {
            let tenant = tenants.randomElement(using: &random) ?? tenants[0]
            let prompt = prompts.randomElement(using: &random) ?? prompts[0]
            guard
                let call = SimulatedCalls.admit(
                    ModelRequest.body(.chat, prompt), [("authorization", tenant)], scene.rig)
            else { return }
            _ = scene.rig.engine.purgeHere(.key(call.admitted.key))
            purgedAt[tenant + prompt] = scene.calls.count
        }
    }

    /// Lets time pass for the engine and the world alike.
    private func advance(milliseconds: Int64) {
        let clock = scene.rig.clock
        let end = clock.monotonic() + milliseconds * Duration64.nanosecondsPerMillisecond
        while let due = [scene.rig.scheduler.nextDue, world.nextDue].compactMap({ $0 }).min(), due <= end {
            let next = scene.rig.scheduler.nextDue == due ? scene.rig.scheduler : world
            next.advance(.nanoseconds(max(0, due - clock.monotonic()))) { scene.stage.run() }
        }
        clock.advance(nanoseconds: max(0, end - clock.monotonic()))
        scene.stage.run()
    }

    // MARK: What a client may be told

    private func judge(_ visitor: Visitor, _ name: String) {
        check(visitor.client.replies == 1, "\(name) had \(visitor.client.replies) replies")
        guard let served = visitor.client.served, !visitor.hasLeft else { return }
        let records = model.records(visitor.tenant, visitor.prompt).filter { $0.number >= visitor.firstCall }
        let body = SimulatedModel.stripped(served.body)
        let isTrue =
            switch served.kind {
            case .answer: records.contains { $0.status == served.status && $0.tellings.contains(body) }
            case .broken: records.contains { $0.fragment.map { SimulatedModel.isBeginning(body, of: $0) } ?? false }
            case .failed: records.contains { $0.failed || $0.fragment != nil }
            case .notCached: visitor.control == "only-if-cached"
            }
        check(isTrue, "\(name) \(visitor) was told \(served)")
        check(visitor.control != "no-cache" || served.outcome == .miss, "\(name) wanted an answer of its own")
    }
}

/// Lets the upstream's script reach a model that is made after it.
private final class ModelBox: Sendable {
    private let held = Mutex<SimulatedModel?>(nil)
    var model: SimulatedModel? {
        get { held.withLock { $0 } }
        set { held.withLock { $0 = newValue } }
    }
}
