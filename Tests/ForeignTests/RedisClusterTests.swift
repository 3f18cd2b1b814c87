import Core
import Foundation
import TestKit
import Testing
import Tiers

@testable import Foreign

/// Three masters and three replicas, whose slots move and whose masters die.
@Suite(.serialized, .timeLimit(.minutes(2))) struct RedisClusterTests {
    private func tier(_ bench: RedisBench) -> RedisTier {
        bench.tier {
            $0.deadline = 50 * Duration64.nanosecondsPerMillisecond
            $0.breaker.pause = 50 * Duration64.nanosecondsPerMillisecond
            $0.breaker.longestPause = 100 * Duration64.nanosecondsPerMillisecond
        }
    }

    @Test func contractReshardingAndFailover() async throws {
        let cluster = try await RedisClusterRig()
        try await keepsTheContract(cluster)
        try await announcesAcrossServers(cluster)
        try await followsSlotsThatMove(cluster)
        try await survivesAMastersDeath(cluster)
    }

    /// The stream is on one server, and who asks another one is sent there.
    private func announcesAcrossServers(_ cluster: RedisClusterRig) async throws {
        let benches = try cluster.servers.map { try FeedBench($0.url) }
        defer { for bench in benches { bench.close() } }
        #expect(
            await eventually {
                benches[0].feed.announce(Bytes("news"))
                return benches.dropFirst().allSatisfy { $0.records.contains("news") }
            })
    }

    private func keepsTheContract(_ cluster: RedisClusterRig) async throws {
        // One seed is enough, and it need not be a master.
        let bench = try RedisBench(cluster.servers[5].url)
        defer { bench.close() }
        #expect(await bench.knowsCluster())
        let faults = await contractFaults(bench.tier()) {
            for server in cluster.servers { server.cli("flushall") }
        }
        #expect(faults == [])

        // Keys of others keep their hash tags; ours have none, and so are everywhere.
        for number in 0..<300 {
            await bench.tier().store(Fixture.entry("x"), under: CacheKey(UInt64(number), 0, 0, 0))
        }
        for server in cluster.servers where server.cli("info replication").contains("role:master") {
            #expect(Int(server.cli("dbsize").dropLast()) ?? 0 > 50)
        }
        for name in ["{tag}a", "{tag}b", "plain"] {
            try await bench.store.setPX(
                Bytes(name), Bytes(name), milliseconds: 60_000, deadline: RedisBench.deadline())
            #expect(try await bench.store.get(Bytes(name), deadline: RedisBench.deadline()) == Bytes(name))
        }
        #expect(HashSlot.of(Bytes("{tag}a")) == HashSlot.of(Bytes("{tag}b")))
        await aSlotOnItsWay(cluster, bench)
    }

    /// A slot that is being moved answers ASK for keys that are gone already, and TRYAGAIN or the value for others.
    private func aSlotOnItsWay(_ cluster: RedisClusterRig, _ bench: RedisBench) async {
        let key = "{tag}moving"
        let slot = HashSlot.of(Bytes(key))
        guard let source = cluster.owner(of: slot), let target = cluster.masters.first(where: { $0 !== source }) else {
            Issue.record("no owner of slot \(slot)")
            return
        }
        #expect(target.cli("cluster setslot \(slot) importing \(source.id)") == "OK\n")
        #expect(source.cli("cluster setslot \(slot) migrating \(target.id)") == "OK\n")
        let failure = await Fixture.failure { () throws(KeyValueFailure) in
            // It is nowhere yet, so the source says ASK, and the target takes it.
            try await bench.store.setPX(Bytes(key), Bytes("v"), milliseconds: 60_000, deadline: RedisBench.deadline())
            let found = try await bench.store.get(Bytes(key), deadline: RedisBench.deadline())
            #expect(found == Bytes("v"))
            let kept = try await bench.store.get(Bytes("{tag}a"), deadline: RedisBench.deadline())
            #expect(kept == Bytes("{tag}a"))
        }
        #expect(failure == nil)
        #expect(target.cli("cluster countkeysinslot \(slot)") == "1\n")
        target.cli("cluster setslot \(slot) stable")
        source.cli("cluster setslot \(slot) stable")
        target.cli("del \(key)")
    }

    private func followsSlotsThatMove(_ cluster: RedisClusterRig) async throws {
        let bench = try RedisBench(cluster.urls)
        defer { bench.close() }
        #expect(await bench.knowsCluster())
        let tier = tier(bench)
        let load = RedisLoad(tier)
        #expect(await load.hits(more: 300))
        let masters = cluster.masters
        let said = await Shell.longOutput(
            "redis-cli --cluster reshard 127.0.0.1:\(masters[0].port) --cluster-from \(masters[0].id)"
                + " --cluster-to \(masters[1].id) --cluster-slots 400 --cluster-yes")
        #expect(said.contains("Moving slot"))
        let moved = cluster.masters.first { $0.port == masters[1].port }
        #expect(moved?.cli("cluster info").contains("cluster_state:ok") == true)
        #expect(await load.hits(more: 500))
        #expect(await load.stop().wrong == [])
        // Every redirection was followed.
        #expect(tier.statistics.failures["redirected"] == nil)
        #expect(tier.breakerState == .closed)
    }

    private func survivesAMastersDeath(_ cluster: RedisClusterRig) async throws {
        let bench = try RedisBench(cluster.urls)
        defer { bench.close() }
        #expect(await bench.knowsCluster())
        let tier = tier(bench)
        let load = RedisLoad(tier)
        #expect(await load.hits(more: 300))
        let dead = cluster.masters[0]
        let port = dead.port
        dead.kill()
        // Its replica takes over, and the client goes there.
        #expect(
            await eventually {
                let masters = await bench.onLoop { $0.masters } ?? []
                let ready = await bench.onLoop { $0.readyServers }
                return masters.count == 3 && !masters.contains(.network(host: "127.0.0.1", port: port))
                    && masters.allSatisfy { ready.contains($0) }
            })
        #expect(await load.hits(more: 300))
        #expect(await load.stop().wrong == [])
        // Its share of the keys was a miss meanwhile, the rest was served.
        #expect(tier.statistics.failures["shard-lost", default: 0] > 0)
        // All slots answer, the dead master's too.
        for number in 0..<100 {
            let key = CacheKey(UInt64(number), 9, 9, 9)
            await bench.tier().store(Fixture.entry("\(number)"), under: key)
            #expect(await bench.tier().find(key)?.text == "\(number)")
        }
    }
}
