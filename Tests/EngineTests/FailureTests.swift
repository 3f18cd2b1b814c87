import Core
import TestKit
import Testing

@testable import Engine

/// What happens to everybody when the upstream does not do its work.
@Suite struct FailureTests {
    private let answer = ChatAnswer(text: "it is so")

    private func crowd(_ count: Int, in scene: Scene, form: Form = .whole) throws -> [Client] {
        let clients = try (0..<count).map { _ in try scene.start(form: form) }
        scene.stage.run()
        return clients
    }

    @Test("failing before the head: the followers try once more together", arguments: Form.allCases)
    func beforeHead(form: Form) throws {
        let scene = Scene()
        let clients = try crowd(50, in: scene, form: form)
        scene.then { scene.calls[0].fail(.connect) }
        #expect(clients[0].served?.kind == .failed(.connect))
        #expect(clients.dropFirst().allSatisfy { $0.served == nil } == true)
        #expect(scene.calls.count == 2)
        scene.then { scene.calls[1].fail(.reset) }
        #expect(clients.dropFirst().allSatisfy { $0.served?.kind == .failed(.reset) } == true)
        #expect(scene.calls.count == 2)
        #expect(scene.rig.count(.notStored, "failed") == 2)
        scene.expectQuiet(clients)
    }

    @Test("and if the second call goes well they have that answer") func secondTry() throws {
        let scene = Scene()
        let clients = try crowd(50, in: scene)
        scene.then { scene.calls[0].fail() }
        scene.then { scene.calls[1].answer(.whole, [answer.whole]) }
        #expect(clients.dropFirst().allSatisfy { $0.body == answer.whole } == true)
        #expect(scene.calls.count == 2)
        scene.expectQuiet(clients)
    }

    @Test("no second try while the sidecar shuts down") func shutdown() throws {
        let scene = Scene()
        let clients = try crowd(10, in: scene)
        scene.then { scene.calls[0].fail(.shutdown) }
        #expect(clients.allSatisfy { $0.served?.kind == .failed(.shutdown) } == true)
        #expect(scene.calls.count == 1)
        scene.expectQuiet(clients)
    }

    @Test("an error is shared and not kept", arguments: [400, 401, 404, 429, 500, 503]) func status(status: Int) throws
    {
        let scene = Scene()
        let clients = try crowd(50, in: scene)
        scene.then { scene.calls[0].answer(.whole, [#"{"error":{}}"#], status: status) }
        #expect(clients.allSatisfy { $0.served?.status == status && $0.body == #"{"error":{}}"# } == true)
        #expect(clients[1].served?.notStored == .status)
        #expect(scene.calls.count == 1)
        scene.expectQuiet(clients)
        _ = try scene.ask()
        #expect(scene.calls.count == 2, "an error is never replayed")
    }

    @Test("one credential's refusal is not another's", arguments: [(401, 3), (403, 3), (429, 3), (500, 1)])
    func otherCredential(status: Int, calls: Int) throws {
        let scene = Scene { $0.cache.partition = .shared }
        for number in 0..<3 { scene.trust("Bearer \(number)") }
        let clients = try (0..<3).map { try scene.ask(headers: [("authorization", "Bearer \($0)")]) }
        #expect(scene.calls.count == 1)
        scene.then { scene.calls[0].answer(.whole, ["{}"], status: status) }
        #expect(scene.calls.count == calls)
        for call in scene.calls.dropFirst() { scene.then { call.answer(.whole, [answer.whole]) } }
        #expect(clients.dropFirst().allSatisfy { $0.served?.status == (calls == 1 ? status : 200) } == true)
        scene.expectQuiet(clients)
    }

    @Test("a complete answer that may not be kept sends the followers their own way", arguments: 0..<4)
    func uncacheable(kind: Int) throws {
        let scene = Scene()
        let clients = try crowd(10, in: scene)
        let reason: NotStored
        switch kind {
        case 0:
            reason = .finishReason
            scene.then { scene.calls[0].answer(.whole, [ModelAnswer.whole(.chat, "x", finish: "content_filter")]) }
        case 1:
            reason = .upstreamNoStore
            let header = HeaderField("Cache-Control", "private, No-Store")
            scene.then { scene.calls[0].answer(.whole, [answer.whole], headers: [header]) }
        case 2:
            reason = .malformed
            scene.then { scene.calls[0].answer(.whole, ["{"]) }
        default:
            reason = .contentEncoding
            scene.then { scene.calls[0].answer(.whole, ["?"], headers: [HeaderField("content-encoding", "br")]) }
        }
        #expect(clients[0].served?.notStored == reason)
        #expect(scene.calls.count == 10)
        for call in scene.calls.dropFirst() { scene.then { call.answer(.whole, [answer.whole]) } }
        #expect(clients.dropFirst().allSatisfy { $0.body == answer.whole && $0.served?.outcome == .miss } == true)
        #expect(scene.rig.count(.notStored, reason.word) == 1)
        scene.expectQuiet(clients)
    }

    @Test("a stream that turns out uncacheable: listeners read on, the others go alone") func filteredStream() throws {
        let scene = Scene()
        let leader = try scene.ask(form: .stream)
        let listener = try scene.ask(form: .stream)
        let other = try scene.ask(form: .whole)
        let call = scene.calls[0]
        let events = ModelAnswer.events(.chat, ["so"], finish: "content_filter", reportsUsage: false)
        call.respond(.stream)
        for event in events { scene.then { call.deliver(event) } }
        #expect(scene.calls.count == 2, "the one in the other form was released")
        scene.then { call.finish() }
        scene.then { scene.calls[1].answer(.whole, [answer.whole]) }
        #expect(leader.body == events.joined())
        #expect(listener.body == events.joined())
        #expect(other.body == answer.whole)
        scene.expectQuiet([leader, listener, other])
        #expect(try scene.ask().body == answer.whole, "and what is kept is the other answer")
    }

    @Test(
        "a malformed stream is passed through byte for byte and not kept",
        arguments: [
            ["data: nonsense\n\n", "garbage", "\0\u{FF}"], ["data: {}"], ["<html>", "\r", "\n"],
            [": only comments\n\n"],
            ["data: {\"error\":{}}\n\n", "data: [DONE]\n\n"],
        ])
    func malformed(pieces: [String]) throws {
        let scene = Scene()
        let clients = try crowd(3, in: scene, form: .stream)
        scene.calls[0].respond(.stream)
        for piece in pieces { scene.then { scene.calls[0].deliver(piece) } }
        scene.then { scene.calls[0].finish() }
        #expect(clients[0].body == pieces.joined())
        for index in 1..<max(1, scene.calls.count) { scene.then { scene.calls[index].answer(.stream, answer.events) } }
        scene.expectQuiet(clients)
        let before = scene.calls.count
        _ = try scene.ask("hi", form: .stream, headers: [EngineRig.credential])
        #expect(before > 1 || scene.calls.count == 2, "nothing malformed was kept")
    }

    @Test("a stream that breaks off is broken for all and kept for none", arguments: [false, true])
    func midStream(halfEvent: Bool) throws {
        let scene = Scene()
        let clients = try crowd(5, in: scene, form: .stream)
        let other = try scene.ask(form: .whole)
        let call = scene.calls[0]
        call.respond(.stream)
        scene.then { call.deliver(answer.events[0]) }
        if halfEvent { scene.then { call.deliver(String(answer.events[1].prefix(9))) } }
        scene.then { call.fail(.reset) }
        #expect(clients.allSatisfy { $0.served?.kind == .broken } == true)
        #expect(clients.allSatisfy { $0.body == answer.events[0] } == true)
        #expect(scene.calls.count == 2, "the one in the other form tries again")
        scene.then { scene.calls[1].answer(.whole, [answer.whole]) }
        #expect(other.body == answer.whole)
        scene.expectQuiet(clients + [other])
    }

    @Test("a follower waits no longer than it may") func followerTimeout() throws {
        let scene = Scene { $0.cache.followerTimeout = .seconds(5) }
        let leader = try scene.ask()
        let follower = try scene.ask()
        scene.advance(.milliseconds(4_999))
        #expect(scene.calls.count == 1)
        scene.advance(.milliseconds(1))
        #expect(scene.calls.count == 2)
        scene.then { scene.calls[1].answer(.whole, [answer.whole]) }
        #expect(follower.body == answer.whole)
        #expect(follower.served?.outcome == .miss)
        #expect(leader.served == nil)
        scene.then { scene.calls[0].answer(.whole, [ModelAnswer.whole(.chat, "late")]) }
        #expect(leader.body == ModelAnswer.whole(.chat, "late"))
        scene.expectQuiet([leader, follower])
    }

    @Test("no stale answer for who wants none, not even at the moment of its expiry") func noStale() throws {
        let scene = Scene {
            $0.cache.ttl = .seconds(10)
            $0.cache.staleWhileRevalidate = .zero
        }
        try scene.ask()
        scene.then { scene.calls[0].answer(.whole, [ModelAnswer.whole(.chat, "old")]) }
        scene.rig.clock.advance(.seconds(10))
        let strict = try scene.ask(headers: [EngineRig.credential, ("cache-control", "stale-if-error=0")])
        scene.then { scene.calls[1].answer(.whole, ["{}"], status: 500) }
        #expect(strict.served?.status == 500)
        let lax = try scene.ask()
        scene.then { scene.calls[2].answer(.whole, ["{}"], status: 500) }
        #expect(lax.served?.outcome == .stale(.memory))
        scene.expectQuiet([strict, lax])
    }

    @Test("an answer that was purged while the upstream was asked is not served") func purgedStale() throws {
        let scene = Scene {
            $0.cache.ttl = .seconds(10)
            $0.cache.staleWhileRevalidate = .zero
        }
        try scene.ask()
        scene.then { scene.calls[0].answer(.whole, [ModelAnswer.whole(.chat, "old")]) }
        scene.rig.clock.advance(.seconds(20))
        let client = try scene.ask()
        let key = try scene.rig.admit(ModelRequest.body(.chat, "hi")).admitted.key
        scene.then { _ = scene.rig.engine.purgeHere(.key(key)) }
        scene.then { scene.calls[1].fail() }
        #expect(client.served?.kind == .failed(.reset))
        scene.expectQuiet([client])
    }

    @Test("a stale answer is served when the upstream cannot", arguments: [0, 429, 500, 503, 400])
    func staleIfError(status: Int) throws {
        let scene = Scene { $0.cache.staleWhileRevalidate = .zero }
        let first = try scene.ask(headers: [EngineRig.credential, ("x-refrain-ttl", "10")])
        scene.then { scene.calls[0].answer(.whole, [answer.whole]) }
        #expect(first.body == answer.whole)
        scene.advance(.seconds(60))
        let clients = try crowd(5, in: scene)
        let strict = try scene.ask(headers: [EngineRig.credential, ("cache-control", "stale-if-error=49")])
        let lax = try scene.ask(headers: [EngineRig.credential, ("cache-control", "stale-if-error=50")])
        for _ in 0..<2 {
            for call in scene.calls where !call.hasEnded {
                scene.then { if status == 0 { call.fail() } else { call.answer(.whole, ["{}"], status: status) } }
            }
        }
        let servesStale = status != 400
        #expect(clients.allSatisfy { ($0.served?.outcome == .stale(.memory)) == servesStale } == true)
        #expect(clients.allSatisfy { ($0.body == answer.whole) == servesStale } == true)
        #expect(lax.served?.outcome == (servesStale ? .stale(.memory) : .coalesced))
        // After a failure any follower may lead the second attempt, and this one has no stale answer to hide it.
        #expect(strict.served?.outcome == .coalesced || status == 0 && strict.served?.outcome == .miss)
        scene.expectQuiet(clients + [strict, lax])
    }
}
