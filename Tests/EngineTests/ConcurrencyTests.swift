import Core
import TestKit
import Testing

@testable import Engine

/// One engine and many threads, for the thread sanitizer: clients, upstream calls and purges run where they like.
@Suite struct ConcurrencyTests {
    private static let prompts = ["one", "two", "three"]

    private static func answer(_ prompt: String) -> ChatAnswer { ChatAnswer(text: "\(prompt) is so and so") }

    /// Answers each call from a task of its own, sometimes in the other form and sometimes not at all.
    private static func upstream() -> FakeUpstream {
        FakeUpstream { call in
            Task { @concurrent in
                guard case .bytes(let body) = call.request.body else { return call.fail(.malformed) }
                let text = body.text
                let answer = answer(prompts.first { text.contains("\"\($0)\"") } ?? "?")
                await Task.yield()
                if call.number % 7 == 6 { return call.fail(.connect) }
                let form: Form = (text.contains("\"stream\":true") != (call.number % 5 == 4)) ? .stream : .whole
                call.respond(form)
                for piece in form == .whole ? [answer.whole] : answer.events {
                    call.deliver(piece)
                    await Task.yield()
                }
                call.finish()
            }
        }
    }

    @Test("clients on all threads", .timeLimit(.minutes(5)), arguments: [Settings.OnAbort.finish, .cancel])
    func crowd(onAbort: Settings.OnAbort) async throws {
        let upstream = Self.upstream()
        let rig = EngineRig(upstream: upstream) { $0.cache.onAbort = onAbort }
        for round in 0..<30 {
            let calls = try (0..<48).map { index in
                let prompt = Self.prompts[index % 3]
                let form: Form = index.isMultiple(of: 2) ? .stream : .whole
                return (prompt, try rig.admit(ModelRequest.body(.chat, prompt, form: form)))
            }
            await withTaskGroup { group in
                for (index, (prompt, call)) in calls.enumerated() {
                    group.addTask { @concurrent in
                        await Self.check(await Self.client(call, rig, leaves: index % 6 == 5), prompt)
                    }
                }
                group.addTask { @concurrent in
                    await Task.yield()
                    _ = round.isMultiple(of: 2) ? rig.engine.purgeHere(.everything) : 0
                    _ = rig.engine.purgeHere(.key(calls[0].1.admitted.key))
                }
            }
        }
        while rig.engine.flights.count > 0 || !upstream.calls.allSatisfy(\.hasEnded) { await Task.yield() }
        #expect(rig.scheduler.count == 0)
        #expect(upstream.calls.count <= 30 * 48)
    }

    private static func client(_ call: Engine.Call, _ rig: EngineRig, leaves: Bool) async -> Served? {
        let task = Task { @concurrent in await rig.serve(call) }
        guard leaves else { return await task.value }
        await Task.yield()
        task.cancel()
        _ = await task.value
        return nil
    }

    /// Nobody is ever told what another asked for.
    private static func check(_ served: Served?, _ prompt: String) async {
        guard let served else { return }
        switch served.kind {
        case .answer:
            #expect(served.status == 200)
            #expect(served.body.contains(prompt), "\(prompt): \(served.body)")
            for other in prompts where other != prompt { #expect(!served.body.contains("\(other) ")) }
        case .failed(let kind): #expect(kind == .connect)
        case .broken, .notCached: Issue.record("\(served)")
        }
    }
}
