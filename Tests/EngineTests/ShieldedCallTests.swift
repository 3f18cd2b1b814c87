import Core
import Synchronization
import TestKit
import Testing

@testable import Engine

/// A call behind the shield: what the one who asked is told, and what upstreams are asked.
@Suite struct ShieldedCallTests {
    /// Of the first upstream.
    enum Trouble: Sendable {
        case failure(UpstreamFailure.Kind)
        case status(Int)
        case noHead

        func befall(_ call: FakeCall) {
            switch self {
            case .failure(let kind): call.fail(kind)
            case .status(let status): call.answer(.whole, ["busy"], status: status)
            case .noHead: call.finish()
            }
        }
    }

    private static let troubles: [Trouble] =
        [UpstreamFailure.Kind.connect, .resolve, .tls, .timeout, .reset, .malformed, .tooLarge].map { .failure($0) }
        + [429, 500, 502, 503, 504, 529].map { .status($0) } + [.noHead]

    @Test(arguments: troubles) func goesOnToTheNext(trouble: Trouble) {
        let scene = ShieldScene(scripts: [{ trouble.befall($0) }, { $0.answer(.whole, ["fine"]) }])
        let (sink, _) = scene.ask()
        #expect(sink.words == ["head 200 two", "body fine", "end complete"])
        #expect(scene.upstreams.map(\.calls.count) == [1, 1])
        #expect(scene.isIdle)
        #expect(scene.shield.report.retries == 1)
    }

    @Test(arguments: [200, 204, 304, 400, 401, 404, 413, 422]) func otherAnswersArePassedOn(status: Int) {
        let scene = ShieldScene(scripts: [{ $0.answer(.whole, ["said"], status: status) }])
        let (sink, _) = scene.ask()
        #expect(sink.words == ["head \(status) one", "body said", "end complete"])
        #expect(scene.upstreams[1].calls.isEmpty)
        #expect(scene.isIdle)
    }

    @Test func theLastOneIsPassedOnAsItIs() {
        let scene = ShieldScene(
            scripts: [{ $0.fail(.connect) }, { $0.answer(.whole, ["sorry"], status: 503) }])
        let (sink, _) = scene.ask()
        #expect(sink.words == ["head 503 two", "body sorry", "end complete"])
        #expect(scene.isIdle)
    }

    @Test(arguments: [1, 2]) func whenNoneIsLeftItsFailureIsTold(count: Int) {
        let scene = ShieldScene(count, scripts: [{ $0.fail(.timeout) }, { $0.fail(.connect) }])
        let (sink, _) = scene.ask()
        #expect(sink.words == [count == 1 ? "end timeout" : "end connect"])
        #expect(scene.isIdle)
        #expect(scene.shield.report.sheds.joined().allSatisfy { $0 == 0 })
    }

    @Test(arguments: [UpstreamFailure.Kind.reset, .timeout, .malformed]) func neverAgainBehindTheHead(
        kind: UpstreamFailure.Kind
    ) {
        let scene = ShieldScene(scripts: [
            {
                $0.respond(.whole); $0.fail(kind)
            }
        ])
        let (sink, _) = scene.ask()
        #expect(sink.words == ["head 200 one", "end \(kind.rawValue)"])
        #expect(scene.upstreams[1].calls.isEmpty)
        #expect(scene.isIdle)
    }

    @Test(arguments: [UpstreamFailure.Kind.cancelled, .shutdown, .unsendable])
    func whatIsNotItsFaultIsNotTriedElsewhere(
        kind: UpstreamFailure.Kind
    ) {
        let scene = ShieldScene(scripts: [{ $0.fail(kind) }])
        let (sink, _) = scene.ask()
        #expect(sink.words == ["end \(kind.rawValue)"])
        #expect(scene.upstreams[1].calls.isEmpty)
        #expect(scene.shield.report.upstreams.allSatisfy { $0.breaker == .closed })
        #expect(scene.isIdle)
    }

    @Test(arguments: [false, true]) func aBodyThatWasReadIsNotSentAgain(isRead: Bool) {
        let scene = ShieldScene(scripts: [
            { call in
                if isRead, case .stream(let source, _) = call.request.body {
                    withUnsafeTemporaryAllocation(byteCount: 8, alignment: 1) { _ = source.read(into: $0) }
                }
                call.fail(.connect)
            }, { $0.answer(.whole, ["fine"]) },
        ])
        let (sink, _) = scene.ask(ShieldScene.request(.stream(ScriptedBody(), length: nil)))
        #expect(sink.words == (isRead ? ["end connect"] : ["head 200 two", "body fine", "end complete"]))
        #expect(scene.isIdle)
    }

    @Test func retriesAreBounded() {
        let scene = ShieldScene(scripts: [{ $0.fail(.connect) }, { $0.answer(.whole, ["fine"]) }]) {
            $0.retryRatio = 0
            $0.retriesPerSecond = 0
        }
        let (sink, _) = scene.ask()
        // What the upstream said says more than that there is no budget.
        #expect(sink.words == ["end connect"])
        #expect(scene.isIdle)
    }

    @Test func aRefusalIsPassedOnWhereNoRetryIsLeft() {
        let scene = ShieldScene(scripts: [{ $0.answer(.whole, ["slowly"], status: 429) }]) {
            $0.retryRatio = 0
            $0.retriesPerSecond = 0
        }
        let (sink, _) = scene.ask()
        #expect(sink.words == ["head 429 one", "body slowly", "end complete"])
        #expect(scene.isIdle)
    }

    // MARK: Waiting

    private func oneSlot(queue: Int = 10) -> ShieldScene {
        ShieldScene(1) {
            $0.upstreams[0].concurrency = .fixed(1)
            $0.queue = queue
        }
    }

    @Test func theUrgentGoFirst() {
        let scene = oneSlot()
        let first = scene.ask()
        let order: [Priority] = [.batch, .standard, .interactive]
        let waiting = order.map { scene.ask(ShieldScene.request(.none, $0)) }
        #expect(scene.calls.count == 1)
        #expect(scene.shield.report.waiting == [1, 1, 1])
        for _ in order { scene.calls.last?.answer(.whole, ["x"]) }
        scene.calls.last?.answer(.whole, ["x"])
        #expect(scene.calls.map(\.request.demand.priority) == [.standard, .interactive, .standard, .batch])
        #expect(first.sink.ends == 1 && waiting.allSatisfy { $0.sink.ends == 1 })
        #expect(scene.isIdle)
    }

    @Test func whoBecomesUrgentGoesFirst() {
        let scene = oneSlot()
        _ = scene.ask()
        let standard = scene.ask(ShieldScene.request(.none, .standard))
        let batch = scene.ask(ShieldScene.request(.none, .batch))
        batch.call.raise(to: .interactive)
        batch.call.raise(to: .standard)
        #expect(scene.shield.report.waiting == [1, 1, 0])
        scene.calls[0].answer(.whole, ["x"])
        #expect(scene.calls.count == 2)
        scene.calls[1].answer(.whole, ["x"])
        #expect(batch.sink.ends == 1 && standard.sink.ends == 0)
        scene.calls[2].answer(.whole, ["x"])
        standard.call.raise(to: .interactive)
        #expect(scene.isIdle)
    }

    @Test func whoDoesNotFitIsShedAtOnce() {
        let scene = oneSlot(queue: 1)
        _ = scene.ask()
        let second = scene.ask()
        let third = scene.ask()
        #expect(second.sink.words.isEmpty)
        #expect(third.sink.words == ["end queue-full"])
        #expect((third.sink.failure?.retryAfter ?? 0) >= Duration64.nanosecondsPerSecond)
        // Another class has room of its own.
        let urgent = scene.ask(ShieldScene.request(.none, .interactive))
        #expect(urgent.sink.words.isEmpty)
    }

    @Test func whoWaitsTooLongIsShed() {
        let scene = oneSlot()
        let first = scene.ask()
        let second = scene.ask()
        scene.scheduler.advance(.seconds(11))
        #expect(second.sink.words == ["end deadline"])
        #expect(first.sink.words.isEmpty)
        #expect(scene.scheduler.count == 0)
        scene.calls[0].answer(.whole, ["x"])
        #expect(scene.isIdle)
    }

    @Test func cancelledWhileWaiting() {
        let scene = oneSlot()
        _ = scene.ask()
        let second = scene.ask()
        second.call.cancel()
        second.call.cancel()
        #expect(second.sink.words == ["end cancelled"])
        scene.calls[0].answer(.whole, ["x"])
        #expect(scene.calls.count == 1)
        #expect(scene.isIdle)
    }

    @Test func oneTenantDoesNotTakeAll() {
        let scene = ShieldScene(1) { $0.tenantRequestsPerSecond = 1 }
        var words: [String] = []
        for _ in 0..<3 { words += scene.ask(ShieldScene.request(.none, tenant: 7)).sink.words }
        #expect(words.contains("end tenant-limit"))
        let other = scene.ask(ShieldScene.request(.none, tenant: 8))
        #expect(other.sink.words.isEmpty)
    }

    @Test func aBrokenUpstreamIsLeftAlone() {
        let scene = ShieldScene(1, scripts: [{ $0.fail(.connect) }])
        var words: [String] = []
        for _ in 0..<10 { words += scene.ask().sink.words }
        #expect(words.prefix(5).allSatisfy { $0 == "end connect" })
        #expect(words.suffix(5).allSatisfy { $0 == "end no-upstream" })
        #expect(scene.calls.count == 5)
        #expect(scene.log.lines.filter { $0.event == "breaker" }.count == 1)
        scene.scheduler.advance(.seconds(1))
        #expect(scene.ask().sink.words == ["end connect"])
        #expect(scene.calls.count == 6)
    }

    // MARK: Cancelling, pausing

    @Test func cancelBeforeTheHead() {
        let scene = ShieldScene()
        let (sink, call) = scene.ask()
        call.cancel()
        #expect(sink.words == ["end cancelled"])
        #expect(scene.calls.allSatisfy { $0.isCancelled })
        #expect(scene.isIdle)
    }

    @Test func cancelBehindTheHead() {
        let scene = ShieldScene()
        let (sink, call) = scene.ask()
        scene.calls[0].respond(.whole)
        call.cancel()
        call.cancel()
        #expect(sink.words == ["head 200 one", "end cancelled"])
        #expect(scene.isIdle)
        #expect(scene.shield.report.upstreams[0].breaker == .closed)
    }

    @Test func pausesReachTheUpstream() {
        let scene = ShieldScene()
        let (sink, call) = scene.ask(sink: RecordingSink(demands: [.more, .pause, .stop]))
        scene.calls[0].respond(.stream)
        scene.calls[0].deliver("a")
        scene.calls[0].deliver("b")
        #expect(scene.calls[0].isPaused)
        call.resume()
        #expect(sink.words == ["head 200 one", "body a", "end cancelled"])
        #expect(scene.calls[0].pauses == 1)
        #expect(scene.isIdle)
    }

    @Test func whatItTookIsSettled() {
        let scene = ShieldScene(1) { $0.upstreams[0].tokensPerMinute = 6_000 }
        let (_, call) = scene.ask()
        scene.calls[0].answer(.whole, ["x"])
        call.settle(tokens: 600)
        let next = scene.ask()
        // Three seconds' worth were there at the start; more than that is owed now.
        #expect(scene.calls.count == 1)
        scene.scheduler.advance(.seconds(6))
        #expect(scene.calls.count == 2)
        #expect(next.sink.words.isEmpty)
    }

    // MARK: Hedges

    /// A scene in which a hedge is worth it after about 100 ms.
    private func hedging() -> ShieldScene {
        let scene = ShieldScene {
            $0.hedges = true
            $0.retryRatio = 1
        }
        for _ in 0..<60 {
            let before = scene.calls.count
            _ = scene.ask()
            let call = scene.calls.first { !$0.hasEnded }
            #expect(scene.calls.count == before + 1)
            scene.clock.advance(.milliseconds(100))
            call?.answer(.whole, ["x"])
        }
        return scene
    }

    private func open(_ scene: ShieldScene) -> [FakeCall] { scene.calls.filter { !$0.hasEnded } }

    @Test(arguments: [0, 1]) func theFirstToAnswerIsTaken(winner: Int) throws {
        let scene = hedging()
        let (sink, _) = scene.ask()
        let slow = try #require(open(scene).first)
        scene.scheduler.advance(.milliseconds(500))
        let both = open(scene)
        #expect(both.count == 2)
        let fast = try #require(both.first { $0 !== slow })
        (winner == 0 ? slow : fast).answer(.whole, ["won"])
        #expect(sink.words.count == 3 && sink.words[1] == "body won" && sink.ends == 1)
        #expect((winner == 0 ? fast : slow).isCancelled)
        #expect(scene.isIdle)
        #expect(scene.shield.report.hedges == 1)
        #expect(scene.scheduler.count == 0)
    }

    @Test func aHedgeThatFailsHarmsNobody() throws {
        let scene = hedging()
        let (sink, _) = scene.ask()
        let slow = try #require(open(scene).first)
        scene.scheduler.advance(.milliseconds(500))
        let fast = try #require(open(scene).first { $0 !== slow })
        fast.answer(.whole, ["busy"], status: 503)
        #expect(fast.isCancelled || fast.hasEnded)
        #expect(sink.words.isEmpty)
        slow.answer(.whole, ["x"])
        #expect(sink.words.last == "end complete" && sink.ends == 1)
        #expect(scene.isIdle)
    }

    @Test func cancellingEndsBoth() throws {
        let scene = hedging()
        let (sink, call) = scene.ask()
        scene.scheduler.advance(.milliseconds(500))
        #expect(open(scene).count == 2)
        call.cancel()
        #expect(sink.words == ["end cancelled"])
        #expect(scene.isIdle)
    }

    // MARK: Threads

    /// Calls on many threads, cancelled and resumed from others, for the thread sanitizer: each ends exactly once, and
    /// nothing is left.
    @Test(.timeLimit(.minutes(5))) func everyCallEndsOnce() async {
        let scene = ShieldScene(3) {
            for index in $0.upstreams.indices { $0.upstreams[index].concurrency = .fixed(8) }
            $0.queue = 16
        }
        let sinks = await withTaskGroup(of: [RecordingSink].self) { group in
            for worker in 0..<4 {
                group.addTask { @concurrent in
                    var sinks: [RecordingSink] = []
                    for number in 0..<200 {
                        let sink = RecordingSink(demands: number % 3 == 0 ? [.pause] : [])
                        let call = scene.origin.start(ShieldScene.request(), sink: sink)
                        sinks.append(sink)
                        await withTaskGroup { inner in
                            inner.addTask { @concurrent in call.resume() }
                            if number % 5 == worker { inner.addTask { @concurrent in call.cancel() } }
                            inner.addTask { @concurrent in Self.play(scene, number) }
                        }
                    }
                    return sinks
                }
            }
            return await group.reduce(into: []) { $0 += $1 }
        }
        // What still waits or runs is brought to its end; those who wait for a slowed upstream start as time passes.
        for _ in 0..<60 {
            while let call = scene.calls.first(where: { !$0.hasEnded }) {
                call.resume()
                call.answer(.whole, ["x"])
                await Task.yield()
            }
            scene.scheduler.advance(.seconds(1))
        }
        #expect(sinks.allSatisfy { $0.ends == 1 })
        #expect(sinks.allSatisfy { $0.words.filter { $0.hasPrefix("head") }.count <= 1 })
        #expect(scene.isIdle)
    }

    private static let turn = Mutex(Set<ObjectIdentifier>())

    /// Brings one call that nobody else plays to some end.
    private static func play(_ scene: ShieldScene, _ number: Int) {
        let mine = scene.calls.first { call in
            !call.hasEnded && turn.withLock { $0.insert(ObjectIdentifier(call)).inserted }
        }
        switch number % 4 {
        case 0: mine?.fail(.connect)
        case 1: mine?.answer(.whole, ["busy"], status: 503)
        default: mine?.answer(.stream, ["a", "b"])
        }
    }
}
