import Core
import Synchronization
import TestKit
import Testing
import Tiers

@testable import Engine

/// Clients that leave, answers that are too large, and purges, while an answer is on its way.
@Suite struct AbortTests {
    private let answer = ChatAnswer(text: "it is so")

    @Test("nobody waits any more: the answer is finished and kept", arguments: Form.allCases) func finish(form: Form)
        throws
    {
        let scene = Scene()
        let clients = try (0..<3).map { _ in try scene.ask(form: form) }
        let call = scene.calls[0]
        call.respond(form)
        if form == .stream { scene.then { call.deliver(answer.events[0]) } }
        for client in clients { scene.then { client.leave() } }
        #expect(!call.isCancelled)
        #expect(scene.rig.scheduler.nextDue != nil, "it does not go on without a limit")
        let rest = form == .whole ? [answer.whole] : Array(answer.events.dropFirst())
        for piece in rest { scene.then { call.deliver(piece) } }
        scene.then { call.finish() }
        scene.expectQuiet()
        #expect(try scene.ask(form: form).served?.outcome == .hit(.memory))
        #expect(scene.calls.count == 1)
    }

    @Test("but no longer than abortTimeout") func abortTimeout() throws {
        let scene = Scene { $0.cache.abortTimeout = .seconds(30) }
        let client = try scene.ask()
        let call = scene.calls[0]
        scene.then { client.leave() }
        scene.advance(.milliseconds(29_999))
        #expect(!call.isCancelled)
        scene.advance(.milliseconds(1))
        #expect(call.isCancelled)
        #expect(scene.rig.count(.notStored, "abandoned") == 1)
        scene.expectQuiet()
    }

    @Test("the time counts from when the last one left") func abortTimeoutRestarts() throws {
        let scene = Scene { $0.cache.abortTimeout = .seconds(30) }
        let first = try scene.ask()
        scene.then { first.leave() }
        scene.advance(.seconds(20))
        let second = try scene.ask()
        #expect(scene.calls.count == 1, "it joined")
        scene.advance(.seconds(20))
        #expect(!scene.calls[0].isCancelled)
        scene.then { second.leave() }
        scene.advance(.seconds(20))
        #expect(!scene.calls[0].isCancelled)
        scene.advance(.seconds(10))
        #expect(scene.calls[0].isCancelled)
        scene.expectQuiet()
    }

    @Test("onAbort cancel: the call ends, and a newcomer makes its own") func cancel() throws {
        let scene = Scene { $0.cache.onAbort = .cancel }
        let clients = try (0..<3).map { _ in try scene.ask(form: .stream) }
        scene.calls[0].respond(.stream)
        scene.then { scene.calls[0].deliver(answer.events[0]) }
        scene.then { clients[0].leave() }
        scene.then { clients[1].leave() }
        #expect(!scene.calls[0].isCancelled)
        scene.then { clients[2].leave() }
        #expect(scene.calls[0].isCancelled)
        let newcomer = try scene.ask(form: .stream)
        #expect(scene.calls.count == 2)
        scene.then { scene.calls[1].answer(.stream, answer.events) }
        #expect(newcomer.body == answer.streamWithoutUsage)
        scene.expectQuiet([newcomer])
    }

    @Test("an answer beyond maxAnswer reaches its client whole, at the client's pace", arguments: Form.allCases)
    func tooLarge(form: Form) throws {
        let scene = Scene { $0.cache.maxAnswer = .kibibytes(64) }
        let call = try scene.rig.admit(ModelRequest.body(.chat, "hi", form: form))
        let flight = Client()
        var seat: SeatReader?
        let holder = SeatHolder()
        scene.stage.spawn {
            guard case .live(_, let seat, _) = await scene.rig.engine.answer(call, via: scene.rig.ports) else { return }
            holder.hold(SeatReader(seat, readSize: 32 << 10))
            flight.noteOpened()
        }
        scene.stage.run()
        let other = try scene.ask(form: form == .whole ? .stream : .whole)
        let upstream = scene.calls[0]
        upstream.respond(form)
        let piece =
            form == .whole ? String(repeating: "x", count: 9_999) : ": " + String(repeating: "x", count: 9_995) + "\n\n"
        for _ in 0..<500 { scene.then { upstream.deliver(piece) } }
        upstream.finish()
        scene.stage.run()
        #expect(flight.isOpened)
        #expect(scene.calls.count == 2, "whoever wanted the other form was released")
        seat = holder.take()
        var total = 0
        reading: while let reader = seat {
            let (bytes, result) = reader.read()
            // What the upstream is ahead of the reader is never more than the window and a piece.
            #expect(upstream.delivered - total - bytes.count <= (1 << 20) + piece.utf8.count)
            switch result {
            case .bytes: total += bytes.count
            case .later: scene.stage.run()
            case .end: break reading
            case .broken:
                Issue.record("broken")
                break reading
            }
        }
        #expect(total == 500 * piece.utf8.count)
        #expect(upstream.pauses > 0)
        seat = nil
        scene.then { scene.calls[1].answer(.whole, [answer.whole]) }
        scene.expectQuiet([other])
    }

    @Test("an answer that grows too large for nobody is given up") func tooLargeForNobody() throws {
        let scene = Scene { $0.cache.maxAnswer = .kibibytes(1) }
        let client = try scene.ask()
        scene.calls[0].respond(.whole)
        scene.then { client.leave() }
        scene.then { scene.calls[0].deliver(String(repeating: "x", count: 2000)) }
        #expect(scene.calls[0].isCancelled)
        scene.expectQuiet()
    }

    @Test("a purge while an answer is on its way", arguments: [true, false], [true, false])
    func purge(all: Bool, alone: Bool) throws {
        let scene = Scene()
        let headers = [EngineRig.credential] + (alone ? [("cache-control", "no-cache")] : [])
        let early = try (0..<3).map { _ in try scene.ask(headers: headers) }
        let before = scene.calls.count
        #expect(before == (alone ? 3 : 1))
        let key = try scene.rig.admit(ModelRequest.body(.chat, "hi")).admitted.key
        if all { _ = scene.rig.engine.purgeHere(.everything) } else { _ = scene.rig.engine.purgeHere(.key(key)) }
        let late = try scene.ask()
        #expect(scene.calls.count == before + 1, "it must not join an answer from before the purge")
        for call in scene.calls.prefix(before) { scene.then { call.answer(.whole, [ModelAnswer.whole(.chat, "old")]) } }
        #expect(early.allSatisfy { $0.body == ModelAnswer.whole(.chat, "old") } == true)
        #expect(early[0].served?.notStored == .purged)
        #expect(late.served == nil)
        #expect(try scene.ask("hi").served == nil, "nothing was kept")
        scene.then { scene.calls[before].answer(.whole, [answer.whole]) }
        #expect(late.body == answer.whole)
        #expect(try scene.ask().body == answer.whole)
        scene.expectQuiet(early + [late])
    }

    @Test("a purged answer does not come back when somebody wants it in its other form") func purgedConversion() throws
    {
        let scene = Scene()
        let follower = try scene.start(form: .whole)
        let other = try scene.start(form: .stream)
        scene.stage.run()
        // Landed and purged before the follower goes on.
        scene.calls[0].answer(.whole, [answer.whole])
        #expect(scene.rig.engine.purgeHere(.everything) == 1)
        scene.stage.run()
        #expect(other.served?.outcome == .coalesced)
        let call = try scene.rig.admit(ModelRequest.body(.chat, "hi"))
        #expect(scene.rig.memory.peek(call.admitted.key, now: scene.rig.clock.wall()) == nil)
        scene.expectQuiet([follower, other])
    }

    @Test("a request that is passed on: both ways as it is, and cancelled with its client") func relay() throws {
        let scene = Scene()
        let request = UpstreamRequest(method: "GET", target: "/v1/models", headers: [], body: .none, decodes: false)
        let first = Client()
        let second = Client()
        for client in [first, second] {
            client.task = scene.stage.spawn {
                let reply = await scene.rig.engine.relay(request, reason: .endpoint, via: scene.rig.ports)
                client.set(await Served.read(reply, nil))
            }
        }
        scene.stage.run()
        #expect(scene.calls.count == 2)
        scene.then { scene.calls[0].answer(.whole, ["not ", "json"], status: 404) }
        #expect(first.body == "not json")
        #expect(first.served?.outcome == .bypass(.endpoint))
        scene.then { second.leave() }
        #expect(scene.calls[1].isCancelled)
        #expect(NotStored.allCases.allSatisfy { scene.rig.count(.notStored, $0.word) == 0 } == true)
        scene.expectQuiet([first, second])
    }
}

/// Hands a reader from a task to its test.
private final class SeatHolder: Sendable {
    private let reader = Mutex<SeatReader?>(nil)
    func hold(_ new: SeatReader) { reader.withLock { $0 = new } }
    func take() -> SeatReader? { reader.withLock { $0.take() } }
}
