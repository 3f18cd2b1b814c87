import Core
import TestKit
import Testing
import Tiers

@testable import Engine

@Suite struct FillTests {
    /// One way into one tier, on a stage.
    private struct Lane {
        let tier = FakeTier(.redis)
        let clock = ManualClock()
        let scheduler: ManualScheduler
        let stage = Stage()
        let fill: Fill

        init(
            mostItems: Int = 100, mostBytes: Int = 1 << 20, workers: Int = 4, attempts: Int = 8,
            tiers: [FakeTier] = [], isWanted: @escaping @Sendable (Entry, CacheKey) -> Bool = { _, _ in true }
        ) {
            scheduler = ManualScheduler(clock: clock)
            var options = Fill.Options(mostItems: mostItems, mostBytes: mostBytes)
            options.workers = workers
            options.attempts = attempts
            fill = Fill(
                [tier] + tiers, options: options, scheduler: scheduler, random: SeededSource(seed: 7), executor: stage,
                isWanted: isWanted)
        }

        var statistics: Fill.Statistics { fill.statistics(of: .redis) }

        func offer(_ number: UInt64, version: Int64 = 0) {
            fill.offer(FillTests.entry(version), under: FillTests.key(number))
            stage.run()
        }

        func advance(_ duration: Duration) {
            scheduler.advance(duration) { stage.run() }
            stage.run()
        }

        /// In milliseconds from now.
        var nextTimer: Int64? {
            scheduler.nextDue.map { ($0 - clock.monotonic()) / Duration64.nanosecondsPerMillisecond }
        }
    }

    fileprivate static func key(_ number: UInt64) -> CacheKey { CacheKey(number, 0, 0, 0) }

    fileprivate static func entry(_ version: Int64 = 0) -> Entry {
        Entry(
            facts: Entry.Facts(createdAt: version, ttl: 1, dialect: .chat, origin: .whole), whole: Bytes("text"),
            stream: nil)
    }

    @Test("every tier is written, or those that are named") func tiers() {
        let objects = FakeTier(.objects)
        let lane = Lane(tiers: [objects])
        lane.offer(1)
        lane.fill.offer(Self.entry(), under: Self.key(2), to: [.objects])
        lane.stage.run()
        #expect(lane.tier.stored.map(\.key) == [Self.key(1)])
        #expect(objects.stored.map(\.key) == [Self.key(1), Self.key(2)])
        #expect(lane.fill.tiers == [.redis, .objects])
        #expect(lane.statistics == Fill.Statistics(depth: 0, bytes: 0, dropped: [.full: 0]))
    }

    @Test("a tier that is held up holds up no other") func independence() {
        let objects = FakeTier(.objects)
        let lane = Lane(tiers: [objects])
        let gate = Gate()
        lane.tier.during = { _, _ in await gate.pass() }
        for number: UInt64 in 1...9 { lane.offer(number) }
        #expect(objects.stored.count == 9)
        #expect(lane.statistics.depth == 9)
        #expect(gate.waiting == 4, "as many as there are workers")
        gate.open()
        lane.stage.run()
        #expect(lane.tier.stored.count == 9)
        #expect(lane.statistics.depth == 0)
    }

    @Test("what failed is tried again after a time that doubles, up to the longest") func backoff() {
        let lane = Lane(attempts: 12)
        lane.tier.isFailing = true
        lane.offer(1)
        for whole: Int64 in [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000] {
            let wait = lane.nextTimer ?? 0
            #expect(wait >= whole / 2 && wait <= whole, "\(wait) of \(whole)")
            lane.advance(.milliseconds(wait + 1))
        }
        lane.tier.isFailing = false
        lane.advance(.seconds(10))
        #expect(lane.tier.stored.count == 1)
        #expect(lane.tier.count(of: .store) == 11)
        #expect(lane.scheduler.count == 0)
    }

    @Test("other workers do not use up the attempts of an entry that failed") func attemptsAreSpread() {
        let lane = Lane(attempts: 8)
        lane.tier.isFailing = true
        for number: UInt64 in 1...20 { lane.offer(number) }
        lane.advance(.seconds(2))
        #expect(lane.statistics.dropped[.failed] == nil)
        lane.tier.isFailing = false
        lane.advance(.seconds(10))
        #expect(Set(lane.tier.stored.map(\.key)).count == 20)
        #expect(lane.statistics.depth == 0)
    }

    @Test("an entry is given up after so many attempts, and the next one goes on") func attempts() {
        let lane = Lane(workers: 1, attempts: 3)
        lane.tier.results = [.failed, .failed, .failed, .stored, .failed, .stored]
        for number: UInt64 in 1...3 { lane.offer(number) }
        lane.advance(.seconds(5))
        #expect(lane.tier.stored.map(\.key) == [Self.key(2), Self.key(3)])
        #expect(lane.statistics.dropped == [.full: 0, .failed: 1])
        #expect(lane.tier.count(of: .store) == 6)
    }

    @Test("what a tier refuses is not tried again") func refused() {
        let lane = Lane()
        lane.tier.results = [.refused]
        lane.offer(1)
        #expect(lane.tier.calls == [.store])
        #expect(lane.statistics == Fill.Statistics(depth: 0, bytes: 0, dropped: [.full: 0]))
        #expect(lane.scheduler.count == 0)
    }

    @Test("the oldest of too many are dropped and counted") func full() {
        let lane = Lane(mostItems: 3, workers: 1)
        let gate = Gate()
        lane.tier.during = { _, _ in await gate.pass() }
        for number: UInt64 in 0...6 { lane.offer(number) }
        #expect(lane.statistics.dropped[.full] == 3)
        #expect(lane.statistics.depth == 4)
        gate.open()
        lane.stage.run()
        #expect(lane.tier.stored.map(\.key.word0) == [0, 4, 5, 6])
    }

    @Test("one version of a key at a time, and the newest is the last") func versions() {
        let lane = Lane()
        let gate = Gate()
        let busy = Box((now: 0, most: 0))
        lane.tier.during = { _, _ in
            busy.change {
                $0.now += 1
                $0.most = max($0.most, $0.now)
            }
            await gate.pass()
            busy.change { $0.now -= 1 }
        }
        for version: Int64 in 1...5 { lane.offer(1, version: version) }
        gate.open()
        lane.stage.run()
        #expect(busy.value.most == 1)
        #expect(lane.tier.stored.map(\.entry.facts.createdAt) == [1, 5])
    }

    @Test("a version that failed gives way to a newer one") func newerWins() {
        let lane = Lane()
        lane.tier.results = [.failed]
        lane.offer(1, version: 1)
        lane.offer(1, version: 2)
        lane.advance(.seconds(1))
        #expect(lane.tier.stored.map(\.entry.facts.createdAt) == [2])
        #expect(lane.tier.calls.count == 2)
    }

    @Test("what is not wanted any more is not written, nor tried again") func unwanted() {
        let isWanted = Box(true)
        let lane = Lane { _, _ in isWanted.value }
        lane.tier.isFailing = true
        lane.offer(1)
        isWanted.value = false
        lane.tier.isFailing = false
        lane.advance(.seconds(1))
        lane.offer(2)
        #expect(lane.tier.stored.isEmpty)
        #expect(lane.tier.calls.count == 1)
        #expect(lane.statistics.depth == 0)
    }

    @Test("withdrawn entries are not written") func withdraw() {
        let lane = Lane(workers: 1)
        let gate = Gate()
        lane.tier.during = { _, _ in await gate.pass() }
        for number: UInt64 in 1...3 { lane.offer(number) }
        lane.fill.withdraw(Self.key(2))
        gate.open()
        lane.stage.run()
        #expect(lane.tier.stored.map(\.key.word0) == [1, 3])
        #expect(lane.statistics.dropped[.full] == 0)
    }

    @Test("who waits for a key is told once nothing is left to do for it, whatever became of it")
    func whenWritten() {
        let lane = Lane(mostItems: 2, workers: 1, attempts: 2)
        let told = Box<[String]>([])
        func wait(_ number: UInt64, _ name: String, for tier: TierName = .redis) {
            lane.fill.whenWritten(Self.key(number), to: tier) { told.change { $0.append(name) } }
        }
        func takeTold() -> [String] {
            told.change { told in
                defer { told = [] }
                return told
            }
        }
        wait(1, "nothing waits")
        wait(1, "no such tier", for: .objects)
        #expect(takeTold() == ["nothing waits", "no such tier"])

        let gate = Gate()
        lane.tier.during = { _, _ in await gate.pass() }
        lane.offer(1)
        wait(1, "written")
        lane.offer(1, version: 2)
        lane.offer(2)
        wait(2, "dropped")
        #expect(takeTold() == [])
        lane.offer(2)
        lane.offer(3)
        wait(3, "withdrawn")
        lane.offer(4)
        #expect(takeTold() == ["dropped"])
        lane.fill.withdraw(Self.key(3))
        #expect(takeTold() == ["withdrawn"])
        gate.open()
        lane.stage.run()
        #expect(takeTold() == ["written"])
        lane.tier.isFailing = true
        lane.offer(5)
        wait(5, "failed")
        #expect(takeTold() == [])
        lane.advance(.seconds(1))
        #expect(takeTold() == ["failed"])
    }

    // MARK: The end

    private func flush(_ lane: Lane, limit: Duration) -> Box<Int?> {
        let lost = Box<Int?>(nil)
        lane.stage.spawn { lost.value = await lane.fill.flush(limit: limit.nanoseconds) }
        lane.stage.run()
        return lost
    }

    @Test("flushing waits until everything is written") func flushes() {
        let lane = Lane()
        #expect(flush(lane, limit: .seconds(5)).value == 0)
        let gate = Gate()
        lane.tier.during = { _, _ in await gate.pass() }
        for number: UInt64 in 1...10 { lane.offer(number) }
        let lost = flush(lane, limit: .seconds(5))
        let again = flush(lane, limit: .seconds(5))
        #expect(lost.value == nil)
        gate.open()
        lane.stage.run()
        #expect((lost.value, again.value) == (0, 0))
        #expect(lane.tier.stored.count == 10)
        #expect(lane.scheduler.count == 0)
    }

    @Test("a tier that comes back in time has everything") func flushRetries() {
        let lane = Lane()
        lane.tier.isFailing = true
        for number: UInt64 in 1...10 { lane.offer(number) }
        let lost = flush(lane, limit: .seconds(5))
        lane.advance(.seconds(1))
        lane.tier.isFailing = false
        lane.advance(.seconds(3))
        #expect(lost.value == 0)
        #expect(lane.tier.stored.count == 10)
        #expect(lane.scheduler.count == 0)
    }

    @Test("when the time is over, the rest is lost and counted, and nobody hangs", arguments: [true, false])
    func flushGivesUp(isSlow: Bool) {
        let lane = Lane(workers: 2)
        let gate = Gate()
        if isSlow { lane.tier.during = { _, _ in await gate.pass() } }
        lane.tier.isFailing = true
        for number: UInt64 in 1...10 { lane.offer(number) }
        let told = Box(0)
        for number: UInt64 in 1...10 {
            lane.fill.whenWritten(Self.key(number), to: .redis) { told.change { $0 += 1 } }
        }
        let lost = flush(lane, limit: .milliseconds(300))
        lane.advance(.milliseconds(299))
        #expect(lost.value == nil)
        lane.advance(.milliseconds(1))
        #expect(lost.value == 10)
        #expect(told.value == 10)
        #expect(lane.statistics.dropped == [.full: 0, .stopped: 10])
        gate.open()
        lane.advance(.seconds(60))
        #expect(lane.statistics == Fill.Statistics(depth: 0, bytes: 0, dropped: [.full: 0, .stopped: 10]))
        #expect(lane.scheduler.count == 0)
        // Whoever comes later is counted as lost, and does not wait.
        lane.offer(11)
        #expect(lane.statistics.dropped[.stopped] == 11)
        #expect(flush(lane, limit: .seconds(5)).value == 11)
    }

    @Test("a limit that is over before flushing waits") func flushAtOnce() {
        /// Fires inside the call that sets the timer.
        struct Hasty: Scheduler, Scheduled {
            func schedule(after delay: Int64, _ work: @escaping @Sendable () -> Void) -> any Scheduled {
                work()
                return self
            }
            func cancel() {}
        }
        let (tier, stage, gate, lost) = (FakeTier(), Stage(), Gate(), Box<Int?>(nil))
        tier.during = { _, _ in await gate.pass() }
        let fill = Fill(
            [tier], options: Fill.Options(mostItems: 9, mostBytes: 1 << 20), scheduler: Hasty(),
            random: SeededSource(seed: 1), executor: stage, isWanted: { _, _ in true })
        fill.offer(Self.entry(), under: Self.key(1))
        stage.run()
        stage.spawn { lost.value = await fill.flush(limit: 0) }
        stage.run()
        #expect(lost.value == 1)
        gate.open()
        stage.run()
    }

    @Test("from all threads: everything is written or counted", .timeLimit(.minutes(5))) func concurrency() async {
        let clock = ManualClock()
        let scheduler = ManualScheduler(clock: clock)
        let tiers = [FakeTier(.redis), FakeTier(.objects)]
        for tier in tiers {
            tier.results = (0..<4000).map { $0 % 5 == 4 ? .failed : .stored }
            tier.during = { _, _ in await Task.yield() }
        }
        var options = Fill.Options(mostItems: 100_000, mostBytes: 1 << 30)
        // Every fifth call fails, and the threads may give them all to one entry.
        options.attempts = 1_000
        let fill = Fill(
            tiers, options: options, scheduler: scheduler,
            random: SeededSource(seed: 1), isWanted: { _, _ in true })
        let told = Box(0)
        await withTaskGroup { group in
            for client: UInt64 in 0..<8 {
                group.addTask { @concurrent in
                    for number: UInt64 in 0..<200 {
                        let key = Self.key((client % 4) << 32 | number)
                        fill.offer(Self.entry(Int64(client)), under: key)
                        fill.whenWritten(key, to: .redis) { told.change { $0 += 1 } }
                        if number % 16 == 0 { fill.withdraw(key) }
                        if number % 50 == 0 { await Task.yield() }
                    }
                }
            }
            group.addTask { @concurrent in
                for _ in 0..<200 {
                    scheduler.advance(.milliseconds(50))
                    await Task.yield()
                }
            }
        }
        let lost = Box<Int?>(nil)
        let flusher = Task { @concurrent in lost.value = await fill.flush(limit: .max >> 2) }
        while lost.value == nil {
            scheduler.advance(.milliseconds(50))
            await Task.yield()
        }
        await flusher.value
        #expect(lost.value == 0)
        #expect(told.value == 8 * 200)
        for tier in tiers {
            #expect(fill.statistics(of: tier.name) == Fill.Statistics(depth: 0, bytes: 0, dropped: [.full: 0]))
            #expect(tier.count >= 4 * 187)
        }
    }
}
