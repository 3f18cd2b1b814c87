import Core
import Dialects
import TestKit
import Testing
import Tiers

@testable import Engine

@Suite struct LookupTests {
    private let answer = ChatAnswer(text: "it is so")

    /// A scene in which the answer to "hi" was kept in one form.
    private func scene(_ form: Form, headers: [(String, String)] = [EngineRig.credential]) throws -> Scene {
        let scene = Scene { $0.cache.staleWhileRevalidate = .zero }
        let client = try scene.ask(form: form, headers: headers)
        scene.then { scene.calls[0].answer(form, form == .whole ? [answer.whole] : answer.events) }
        #expect(client.served?.outcome == .miss)
        scene.expectQuiet([client])
        return scene
    }

    private func ask(_ scene: Scene, _ control: String? = nil, form: Form = .whole) throws -> Served? {
        let headers = [EngineRig.credential] + (control.map { [("cache-control", $0)] } ?? [])
        return try scene.ask(form: form, headers: headers).served
    }

    @Test("a repeated request is answered from memory") func hit() throws {
        let scene = try scene(.whole)
        let served = try ask(scene)
        #expect(served?.outcome == .hit(.memory))
        #expect(served?.body == answer.whole)
        #expect(served?.headers == [HeaderField("x-request-id", "r0")])
        #expect(scene.calls.count == 1)
        #expect(scene.rig.count(.tierLookups) == 1, "one hit and one miss, not a miss for each look")
    }

    @Test("usage that nobody asked for is asked for by those who want it") func unaskedUsage() throws {
        let scene = Scene { $0.cache.askForUsage = false }
        let silent = ModelAnswer.events(.chat, ["it ", "is"], reportsUsage: false)
        func ask(_ includeUsage: Bool) throws -> Client { try scene.ask(form: .stream, includeUsage: includeUsage) }
        let clients = [try ask(false), try ask(true)]
        // One that follows goes its own way when the answer begins without usage.
        scene.calls[0].respond(.stream)
        for event in silent { scene.then { scene.calls[0].deliver(event) } }
        scene.then { scene.calls[0].finish() }
        #expect(scene.calls.count == 2)
        scene.then { scene.calls[1].answer(.stream, answer.events) }
        #expect(clients[0].body == silent.joined())
        #expect(clients[1].body == answer.stream)
        // The fuller answer serves both.
        #expect(try ask(true).body == answer.stream)
        #expect(try ask(false).body == answer.streamWithoutUsage)
        #expect(scene.calls.count == 2)
        scene.expectQuiet(clients)
    }

    @Test("every dialect, in both forms, from either form", arguments: Dialect.allCases, Form.allCases)
    func forms(dialect: Dialect, origin: Form) throws {
        guard dialect != .embeddings || origin == .whole else { return }
        let scene = Scene()
        let pieces =
            origin == .whole ? [ModelAnswer.whole(dialect, "it is")] : ModelAnswer.events(dialect, ["it ", "is"])
        let headers = [EngineRig.credential]
        // The provider of the Responses API keeps what it is asked to keep; these are not.
        func ask(_ form: Form) throws -> Served? {
            let extra = dialect == .responses ? #""store":false,"# : ""
            let body = ModelRequest.body(dialect, "hi", form: form, extra: extra)
            let call = try scene.rig.admit(body, dialect, headers: headers)
            let client = Client()
            scene.stage.spawn { client.set(await scene.rig.serve(call)) }
            scene.stage.run()
            if client.served == nil { scene.then { scene.calls[scene.calls.count - 1].answer(origin, pieces) } }
            return client.served
        }
        #expect(try ask(origin)?.outcome == .miss)
        #expect(try ask(origin)?.outcome == .hit(.memory))
        guard dialect != .embeddings else { return }
        let other: Form = origin == .whole ? .stream : .whole
        let converted = try ask(other)
        #expect(converted?.outcome == .hit(.memory), "\(dialect) from \(origin)")
        #expect(converted?.body.contains("it is") == true || converted?.body.contains("is") == true)
        #expect(scene.calls.count == 1)
        scene.expectQuiet()
    }

    @Test("a form that was made once is at hand afterwards") func converted() throws {
        let scene = try scene(.stream)
        let first = try ask(scene, form: .whole)
        let call = try scene.rig.admit(ModelRequest.body(.chat, "hi"))
        let held = scene.rig.memory.peek(call.admitted.key, now: scene.rig.clock.wall())
        #expect(held?.has(.whole) == true)
        #expect(held?.has(.stream) == true)
        #expect(try ask(scene, form: .whole) == first)
        #expect(try ask(scene, form: .stream)?.body == answer.streamWithoutUsage)
    }

    @Test("a form that does not fit beside the other leaves that one in place") func tooLargeTogether() throws {
        // A shard takes entries of up to a quarter of it.
        let scene = Scene(capacity: 16 << 10)
        let text = String(repeating: "word ", count: 500)
        let client = try scene.ask()
        scene.then { scene.calls[0].answer(.whole, [ModelAnswer.whole(.chat, text)]) }
        #expect(client.served?.notStored == nil)
        #expect(try ask(scene, form: .stream)?.outcome == .hit(.memory))
        #expect(try ask(scene, form: .whole)?.outcome == .hit(.memory))
        #expect(scene.calls.count == 1)
    }

    @Test("usage goes to those who asked for it") func usage() throws {
        let scene = try scene(.stream)
        #expect(try ask(scene, form: .stream)?.body == answer.streamWithoutUsage)
        #expect(try scene.ask(form: .stream, includeUsage: true).body == answer.stream)
    }

    @Test("age limits", arguments: [("max-age=5", 5, true), ("max-age=5", 6, false), ("max-age=0", 0, true)])
    func maxAge(control: String, seconds: Int, isHit: Bool) throws {
        let scene = try scene(.whole)
        scene.advance(.seconds(seconds))
        #expect((try ask(scene, control)?.outcome == .hit(.memory)) == isHit)
    }

    @Test("past its lifetime it is asked for again") func expiry() throws {
        let scene = try scene(.whole, headers: [EngineRig.credential, ("x-refrain-ttl", "10")])
        scene.advance(.milliseconds(9_999))
        #expect(try ask(scene)?.outcome == .hit(.memory))
        scene.advance(.milliseconds(1))
        #expect(try ask(scene) == nil)
        #expect(scene.calls.count == 2)
    }

    @Test("no-cache asks, and what comes takes the old one's place") func noCache() throws {
        let scene = try scene(.whole)
        let clients = try (0..<3).map { _ in
            try scene.ask(headers: [EngineRig.credential, ("cache-control", "no-cache")])
        }
        #expect(scene.calls.count == 4, "each of them wants an answer of its own")
        for index in 1...3 {
            scene.then { scene.calls[index].answer(.whole, [ModelAnswer.whole(.chat, "new \(index)")]) }
        }
        #expect(clients.map(\.body) == (1...3).map { ModelAnswer.whole(.chat, "new \($0)") })
        #expect(try ask(scene)?.body == ModelAnswer.whole(.chat, "new 3"))
        scene.expectQuiet(clients)
    }

    @Test("only-if-cached never asks") func onlyIfCached() throws {
        let scene = try scene(.whole)
        #expect(try ask(scene, "only-if-cached")?.outcome == .hit(.memory))
        #expect(try scene.ask("other", headers: [("cache-control", "only-if-cached")]).served?.kind == .notCached)
        #expect(scene.calls.count == 1)
    }

    @Test("another credential has another answer") func tenants() throws {
        let scene = try scene(.whole)
        #expect(try scene.ask(headers: [("authorization", "Bearer two")]).served == nil)
        #expect(scene.calls.count == 2)
    }

    @Test("a wall clock that is set back neither loses answers nor keeps them for good") func clockBackwards() throws {
        let scene = try scene(.whole)
        scene.rig.clock.stepWall(milliseconds: -3_600_000)
        #expect(try ask(scene)?.outcome == .hit(.memory))
        let call = try scene.rig.admit(ModelRequest.body(.chat, "hi"))
        guard case .fresh(let found) = scene.rig.engine.lookup(call.admitted, metrics: scene.rig.ports.metrics) else {
            Issue.record("not found")
            return
        }
        #expect(found.age == 0)
        scene.rig.clock.stepWall(milliseconds: -40 * 24 * 3_600_000)
        #expect(try ask(scene) == nil, "an answer from so far in the future is none")
    }

    @Test("an answer that the provider was to keep is served only if it did") func storedUpstream() throws {
        let scene = Scene()
        let first = try scene.ask("hi", .responses)
        // The provider said `store: false`.
        scene.then { scene.calls[0].answer(.whole, [ModelAnswer.whole(.responses, "it is")]) }
        #expect(first.served?.outcome == .miss)
        #expect(try scene.ask("hi", .responses).served == nil)
        #expect(scene.calls.count == 2)
    }

    @Test("zeros in labels and headers stay within them") func zeros() throws {
        let scene = Scene()
        let call = try scene.rig.admit(#"{"model":"m\u0000n\u0000t","messages":[]}"#)
        let client = Client()
        scene.stage.spawn { client.set(await scene.rig.serve(call)) }
        scene.stage.run()
        scene.then { scene.calls[0].answer(.whole, [answer.whole], headers: [HeaderField("request-id", "a\0b")]) }
        let held = scene.rig.memory.peek(call.admitted.key, now: scene.rig.clock.wall())
        #expect(held?.namespace == "")
        #expect(held?.tags == [])
        #expect(held?.headers == [HeaderField("x-request-id", "r0"), HeaderField("request-id", "ab")])
        #expect(client.served?.outcome == .miss)
    }
}
