import Core
import TestKit
import Testing

@testable import Engine

/// Many ask for the same at the same time.
@Suite struct CoalescingTests {
    private let answer = ChatAnswer(text: "it is so and not otherwise")

    /// Sends requests of all forms at once.
    private func crowd(_ count: Int, in scene: Scene, _ prompt: String = "hi") throws -> [Client] {
        let clients = try (0..<count).map { index in
            try scene.start(
                prompt, form: index.isMultiple(of: 2) ? .stream : .whole, includeUsage: index.isMultiple(of: 4),
                readSize: 1 + index)
        }
        scene.stage.run()
        return clients
    }

    @Test("200 at once cost one call", arguments: Form.allCases) func crowd(origin: Form) throws {
        let scene = Scene()
        let clients = try crowd(200, in: scene)
        #expect(scene.calls.count == 1)
        // The upstream may answer in another form than it was asked for.
        scene.calls[0].respond(origin)
        for piece in origin == .whole ? [answer.whole] : answer.events { scene.then { scene.calls[0].deliver(piece) } }
        scene.then { scene.calls[0].finish() }
        #expect(scene.calls.count == 1)
        scene.expectQuiet(clients)
        // The leader takes what the upstream gives; it did not ask for usage to be left out of a whole answer.
        for (form, usage) in [(Form.whole, false), (.stream, true), (.stream, false)] {
            let bodies = clients.indices.dropFirst().filter { index in
                (index.isMultiple(of: 2) ? Form.stream : .whole) == form
                    && (form == .whole || index.isMultiple(of: 4) == usage)
            }.compactMap { clients[$0].body }
            #expect(bodies.count >= 49)
            #expect(Set(bodies).count == 1, "\(form) \(usage)")
            if form == origin {
                #expect(
                    bodies.first == (form == .whole ? answer.whole : usage ? answer.stream : answer.streamWithoutUsage))
            }
        }
        #expect(clients.allSatisfy { $0.served?.kind == .answer && $0.replies == 1 } == true)
        #expect(clients.dropFirst().allSatisfy { $0.served?.outcome == .coalesced } == true)
        #expect(scene.rig.count(.coalesced) == 199)
        // And whoever comes later is answered from memory.
        #expect(try scene.ask(form: .stream).body == clients[2].body)
        #expect(scene.calls.count == 1)
    }

    @Test("a call is as urgent as the most urgent one who waits for it") func urgency() throws {
        let scene = Scene()
        func ask(_ priority: String) throws -> Client {
            try scene.ask(headers: [EngineRig.credential, ("x-refrain-priority", priority)])
        }
        let clients = try ["2", "2", "0", "1"].map { try ask($0) }
        #expect(scene.calls.count == 1)
        #expect(scene.calls[0].request.demand.priority == .batch)
        #expect(scene.calls[0].raises == [.interactive])
        scene.then { scene.calls[0].answer(.whole, [answer.whole]) }
        #expect(clients.allSatisfy { $0.served?.kind == .answer } == true)
    }

    @Test("what a call took is told to whoever rations it, once") func settling() throws {
        let scene = Scene()
        _ = try scene.ask()
        scene.then { scene.calls[0].answer(.whole, [answer.whole]) }
        #expect(scene.calls[0].settled == [5])
        _ = try scene.ask("other")
        scene.then { scene.calls[1].answer(.whole, ["no"], status: 500) }
        #expect(scene.calls[1].settled.isEmpty)
    }

    @Test("a follower has none of the lines that were meant for the leader", arguments: [200, 500])
    func leadersLines(status: Int) throws {
        let scene = Scene()
        let leader = try scene.ask(form: .stream)
        let follower = try scene.ask(form: .stream)
        let lines = [
            HeaderField("Set-Cookie", "session=1"), HeaderField("openai-organization", "leader"),
            HeaderField("Retry-After", "3"),
        ]
        scene.calls[0].respond(.stream, status: status, headers: lines)
        for event in answer.events { scene.then { scene.calls[0].deliver(event) } }
        scene.then { scene.calls[0].finish() }
        if status == 200 {
            #expect(leader.served?.headers.first(named: "set-cookie") == "session=1")
            #expect(follower.served?.headers.map(\.name) == ["Content-Type", "x-request-id", "Retry-After"])
        }
        #expect(follower.served?.outcome == .coalesced)
        scene.expectQuiet([leader, follower])
    }

    @Test("who wants the provider to keep the answer does not follow who does not", arguments: [true, false])
    func storedUpstream(leaderStores: Bool) throws {
        let scene = Scene()
        func ask(stores: Bool) throws -> Client {
            let body = ModelRequest.body(.responses, "hi", form: .stream, extra: #""store":\#(stores),"#)
            let call = try scene.rig.admit(body, .responses)
            let client = Client()
            client.task = scene.stage.spawn { client.set(await scene.rig.serve(call)) }
            scene.stage.run()
            return client
        }
        let leader = try ask(stores: leaderStores)
        let follower = try ask(stores: !leaderStores)
        let events = ModelAnswer.events(.responses, ["it ", "is"])
        scene.then { scene.calls[0].answer(.stream, events) }
        #expect(scene.calls.count == (leaderStores ? 1 : 2))
        if !leaderStores { scene.then { scene.calls[1].answer(.stream, events) } }
        #expect(follower.served?.outcome == (leaderStores ? .coalesced : .miss))
        scene.expectQuiet([leader, follower])
    }

    @Test("a late follower of a stream has the past, then the live rest") func lateFollower() throws {
        let scene = Scene()
        let leader = try scene.ask(form: .stream)
        let call = scene.calls[0]
        call.respond(.stream)
        for event in answer.events.prefix(3) { scene.then { call.deliver(event) } }
        #expect(leader.isOpened)
        let follower = try scene.ask(form: .stream)
        #expect(follower.isOpened, "it begins with what has come")
        for event in answer.events.dropFirst(3) { scene.then { call.deliver(event) } }
        #expect(follower.served == nil)
        scene.then { call.finish() }
        #expect(follower.body == answer.streamWithoutUsage)
        #expect(leader.body == answer.streamWithoutUsage)
        #expect(scene.calls.count == 1)
        scene.expectQuiet([leader, follower])
    }

    @Test("a follower in the other form has it when the answer is complete", arguments: Form.allCases)
    func otherForm(origin: Form) throws {
        let scene = Scene()
        let leader = try scene.ask(form: origin)
        let follower = try scene.ask(form: origin == .whole ? .stream : .whole)
        let call = scene.calls[0]
        call.respond(origin)
        for piece in origin == .whole ? [answer.whole] : answer.events { scene.then { call.deliver(piece) } }
        #expect(!follower.isOpened)
        scene.then { call.finish() }
        #expect(follower.served?.kind == .answer)
        #expect(follower.served?.outcome == .coalesced)
        #expect(follower.body?.contains("otherwise") == true)
        #expect(scene.calls.count == 1)
        scene.expectQuiet([leader, follower])
    }

    @Test(
        "the leader leaves half-way and all others have everything", arguments: Form.allCases,
        [Settings.OnAbort.finish, .cancel])
    func leaderLeaves(form: Form, onAbort: Settings.OnAbort) throws {
        let scene = Scene { $0.cache.onAbort = onAbort }
        let leader = try scene.ask(form: form)
        let followers = try (0..<20).map { _ in try scene.ask(form: form) }
        let call = scene.calls[0]
        let pieces =
            form == .whole ? [String(answer.whole.prefix(40)), String(answer.whole.dropFirst(40))] : answer.events
        call.respond(form)
        scene.then { call.deliver(pieces[0]) }
        scene.then { leader.leave() }
        for piece in pieces.dropFirst() { scene.then { call.deliver(piece) } }
        scene.then { call.finish() }
        let expected = form == .whole ? answer.whole : answer.streamWithoutUsage
        #expect(followers.allSatisfy { $0.body == expected } == true)
        #expect(!call.isCancelled)
        #expect(scene.calls.count == 1)
        scene.expectQuiet(followers)
    }

    @Test("keep-alives go to those who listen, and are not kept") func keepAlives() throws {
        let scene = Scene()
        let first = try scene.ask(form: .stream)
        let call = scene.calls[0]
        call.respond(.stream)
        scene.then { call.deliver(": keep-alive\n\n") }
        #expect(first.isOpened, "the client must see that the server lives")
        let second = try scene.ask(form: .stream)
        for event in answer.events { call.deliver(event) }
        scene.then { call.finish() }
        #expect(first.body == ": keep-alive\n\n" + answer.streamWithoutUsage)
        #expect(second.body == answer.streamWithoutUsage)
        #expect(try scene.ask(form: .stream).body == answer.streamWithoutUsage)
        scene.expectQuiet([first, second])
    }

    @Test("blank lines before a whole answer are passed on and not kept") func blankLines() throws {
        let scene = Scene()
        let first = try scene.ask()
        let call = scene.calls[0]
        call.respond(.whole)
        scene.then { call.deliver("\n\n") }
        #expect(first.isOpened)
        let second = try scene.ask()
        scene.then { call.deliver("\n" + answer.whole) }
        scene.then { call.finish() }
        #expect(first.body == "\n\n\n" + answer.whole)
        #expect(second.body?.drop { $0 == "\n" } == answer.whole[...])
        #expect(try scene.ask().body == answer.whole)
        scene.expectQuiet([first, second])
    }

    @Test("an entry that lands between looking and boarding is found in the flight") func lookAgain() throws {
        let scene = Scene()
        let leader = try scene.start()
        // Everything that happens while `leader` is on its way from the lookup to the board.
        let call = try scene.rig.admit(ModelRequest.body(.chat, "hi"))
        let late = Client()
        scene.stage.spawn {
            _ = scene.rig.engine.lookup(call.admitted, metrics: scene.rig.ports.metrics)
            await Task.yield()
            late.set(await Served.read(await scene.rig.engine.answer(call, via: scene.rig.ports), call))
        }
        scene.stage.spawn { scene.calls[0].answer(.whole, [ModelAnswer.whole(.chat, "first")]) }
        scene.stage.run()
        #expect(leader.body == ModelAnswer.whole(.chat, "first"))
        #expect(late.served?.outcome == .hit(.memory))
        #expect(scene.calls.count == 1)
        scene.expectQuiet([leader, late])
    }

    @Test("what memory does not take is shared all the same", arguments: Form.allCases) func noRoom(form: Form) throws {
        let scene = Scene(capacity: 1 << 10)
        let clients = try (0..<10).map { _ in try scene.ask(form: form) }
        let other = try scene.ask(form: form == .whole ? .stream : .whole)
        let text = String(repeating: "word ", count: 200)
        let large = ChatAnswer(text: text)
        scene.then { scene.calls[0].answer(form, form == .whole ? [large.whole] : large.events) }
        #expect(scene.calls.count == 1)
        #expect(Set(clients.map(\.body)).count == 1)
        #expect(other.served?.outcome == .coalesced)
        #expect(scene.rig.count(.notStored, "too-large") == 1)
        scene.expectQuiet(clients + [other])
    }

    @Test("an upstream that answers inside the call to it") func atOnce() throws {
        let answer = answer
        let scene = Scene(upstream: FakeUpstream { $0.answer(.stream, answer.events) })
        let clients = try crowd(20, in: scene)
        #expect(scene.calls.count == 1)
        #expect(clients.allSatisfy { $0.served?.kind == .answer } == true)
        scene.expectQuiet(clients)
    }
}
