import Core
import Foreign
import TestKit
import Testing
import Tiers

/// Leases of calls on a real server. Each test has sidecars that differ in the seed of their owner.
@Suite(.serialized, .timeLimit(.minutes(1))) struct RedisLeaseTests {
    private static let key = CacheKey(1, 2, 3, 4)
    private static let name = "refrain:v1:lease:" + key.hex

    private func leases(
        _ bench: RedisBench, seed: UInt64, _ change: (inout RedisCallLeases.Options) -> Void = { _ in }
    ) -> RedisCallLeases {
        var options = RedisCallLeases.Options()
        options.deadline = 10 * Duration64.nanosecondsPerSecond
        // Longer than any test, where it is not about that.
        options.lease = 60_000
        options.fruitless = 60_000
        change(&options)
        let breaker = SharedBreaker(target: "redis", clock: SystemClock(), log: bench.log)
        return RedisCallLeases(
            store: bench.store, options: options, clock: SystemClock(), random: SeededSource(seed: seed),
            log: bench.log, breaker: breaker)
    }

    private enum Step {
        case take(Int, LeaseState)
        case state(Int, LeaseState)
        case renew(Int)
        case release(Int, isKept: Bool)
    }

    /// What sidecars 1 and 2 do, and what they are to see.
    private static let plays: [(String, [Step])] = [
        (
            "one has it, the other knows",
            [
                .state(1, .free), .take(1, .taken), .take(2, .elsewhere), .state(2, .elsewhere), .state(1, .taken),
            ]
        ),
        ("taking again what one has", [.take(1, .taken), .take(1, .taken), .take(2, .elsewhere)]),
        (
            "given back with an entry",
            [
                .take(1, .taken), .release(1, isKept: true), .state(2, .free), .take(2, .taken), .take(1, .elsewhere),
            ]
        ),
        (
            "given back without one",
            [
                .take(1, .taken), .release(1, isKept: false), .state(2, .fruitless), .take(2, .fruitless),
                .state(1, .fruitless),
            ]
        ),
        (
            "what another has cannot be given back or kept",
            [
                .take(1, .taken), .release(2, isKept: true), .state(1, .taken), .release(2, isKept: false),
                .state(1, .taken), .renew(2), .state(1, .taken), .state(2, .elsewhere),
            ]
        ),
        (
            "what nobody has cannot be given back or kept",
            [
                .renew(1), .state(2, .free), .release(1, isKept: false), .state(2, .free), .release(1, isKept: true),
                .take(2, .taken),
            ]
        ),
        (
            "twice given back",
            [
                .take(1, .taken), .release(1, isKept: true), .take(2, .taken), .release(1, isKept: true),
                .release(1, isKept: false), .state(1, .elsewhere),
            ]
        ),
    ]

    @Test(arguments: plays.indices) func play(_ index: Int) async throws {
        let server = try await RedisServer()
        let bench = try RedisBench(server.url)
        defer { bench.close() }
        let sidecars = [leases(bench, seed: 1), leases(bench, seed: 2)]
        let (title, steps) = Self.plays[index]
        for (number, step) in steps.enumerated() {
            switch step {
            case .take(let sidecar, let state):
                #expect(await sidecars[sidecar - 1].take(Self.key) == state, "\(title): step \(number)")
            case .state(let sidecar, let state):
                #expect(await sidecars[sidecar - 1].state(of: Self.key) == state, "\(title): step \(number)")
            case .renew(let sidecar): await sidecars[sidecar - 1].renew(Self.key)
            case .release(let sidecar, let isKept):
                await sidecars[sidecar - 1].release(Self.key, isKept: isKept)
            }
        }
    }

    @Test func aDeadHoldersLeaseEnds() async throws {
        let server = try await RedisServer()
        let bench = try RedisBench(server.url)
        defer { bench.close() }
        let dead = leases(bench, seed: 1) { $0.lease = 100 }
        let other = leases(bench, seed: 2)
        #expect(await dead.take(Self.key) == .taken)
        #expect(await eventually { await other.take(Self.key) == .taken })
        // It comes back to life, and disturbs nobody.
        await dead.renew(Self.key)
        await dead.release(Self.key, isKept: false)
        #expect(await other.state(of: Self.key) == .taken)
    }

    @Test func aRenewedLeaseLivesOnAndAFruitlessOneDoesNot() async throws {
        let server = try await RedisServer()
        let bench = try RedisBench(server.url)
        defer { bench.close() }
        let holder = leases(bench, seed: 1) {
            $0.lease = 50_000
            $0.fruitless = 100
        }
        let other = leases(bench, seed: 2)
        #expect(await holder.take(Self.key) == .taken)
        server.cli("pexpire \(Self.name) 5000")
        await holder.renew(Self.key)
        let left = Int(server.cli("pttl \(Self.name)").dropLast()) ?? 0
        #expect((10_000...50_000).contains(left))
        await holder.release(Self.key, isKept: false)
        #expect(await eventually { await other.take(Self.key) == .taken })
    }

    @Test func oneOfManyGetsIt() async throws {
        let server = try await RedisServer()
        let bench = try RedisBench(server.url)
        defer { bench.close() }
        let sidecars = (1...50).map { leases(bench, seed: UInt64($0)) }
        let states = await withTaskGroup(of: LeaseState.self) { tasks in
            for sidecar in sidecars { tasks.addTask { await sidecar.take(Self.key) } }
            return await tasks.reduce(into: []) { $0.append($1) }
        }
        #expect(states.count { $0 == .taken } == 1)
        #expect(states.count { $0 == .elsewhere } == 49)
    }

    @Test func withoutRedisNobodyKnows() async throws {
        let server = try await RedisServer()
        let bench = try RedisBench(server.url)
        defer { bench.close() }
        let leases = leases(bench, seed: 1)
        #expect(await leases.take(Self.key) == .taken)
        server.kill()
        #expect(await eventually { !canConnect(server.port) })
        #expect(await eventually { await leases.take(Self.key) == .unknown })
        #expect(await leases.state(of: Self.key) == .unknown)
        await leases.renew(Self.key)
        await leases.release(Self.key, isKept: true)
        await leases.release(Self.key, isKept: false)
    }

    /// A user who may not run scripts: the lease ends by itself.
    @Test func withoutScripts() async throws {
        let server = try await RedisServer([
            "--user", "cache", "on", ">pw", "~refrain:*", "+get", "+set", "+unlink", "--user", "default", "off",
        ])
        let bench = try RedisBench("redis://cache:pw@127.0.0.1:\(server.port)")
        defer { bench.close() }
        let holder = leases(bench, seed: 1) { $0.lease = 100 }
        let other = leases(bench, seed: 2)
        #expect(await holder.take(Self.key) == .taken)
        await holder.renew(Self.key)
        await holder.release(Self.key, isKept: true)
        #expect(await eventually { await other.take(Self.key) == .taken })
        let refusals = bench.events("leases-refused")
        #expect(refusals.count == 1 && refusals[0].contains("NOPERM"))
    }
}
