import Core
import TestKit

@testable import Engine

extension Scene {
    /// The call that a prompt makes.
    func call(
        _ prompt: String = "hi", form: Form = .whole, headers: [(String, String)] = [EngineRig.credential]
    ) throws -> Engine.Call {
        try rig.admit(ModelRequest.body(.chat, prompt, form: form), headers: headers)
    }

    func key(_ prompt: String = "hi", headers: [(String, String)] = [EngineRig.credential]) throws -> CacheKey {
        try call(prompt, headers: headers).admitted.key
    }

    /// The entry that another sidecar would have kept for a prompt, so many milliseconds ago.
    func entry(
        _ text: String = "kept", for prompt: String = "hi", form: Form = .whole, age: Int64 = 0,
        ttl: Int64 = 3_600_000, generation: UInt64 = 0, headers: [(String, String)] = [EngineRig.credential]
    ) throws -> Entry {
        let call = try call(prompt, headers: headers)
        var facts = Entry.Facts(createdAt: rig.clock.wall() - age, ttl: ttl, dialect: .chat, origin: form)
        facts.generation = generation
        facts.tenant = call.admitted.tenant.word0
        let content = form == .whole ? ModelAnswer.whole(.chat, text) : ModelAnswer.events(.chat, [text]).joined()
        return Entry(
            facts: facts, model: call.model, namespace: call.namespace, tags: call.tags,
            whole: form == .whole ? Bytes(content) : nil, stream: form == .stream ? Bytes(content) : nil)
    }

    /// Purges a group on this sidecar and lets everybody react.
    @discardableResult
    func purge(_ group: PurgeGroup, before moment: Int64 = 0) -> PurgeReport? {
        let report = Box<PurgeReport?>(nil)
        stage.spawn { [rig] in
            report.value = await rig.engine.purge(group, before: moment, sync: rig.sync)
        }
        stage.run()
        return report.value
    }

    /// Answers the newest call to the upstream.
    func answer(_ text: String = "fresh", _ form: Form = .whole) {
        then {
            calls.last?.answer(
                form, form == .whole ? [ModelAnswer.whole(.chat, text)] : ModelAnswer.events(.chat, [text]))
        }
    }

    /// The upstream has just accepted a credential.
    func trust(_ credential: String) {
        let admission = Admission(settings: rig.settings, digest: FakeDigest())
        Bytes("authorization").withUnsafeBytes { name in
            Bytes(credential).withUnsafeBytes { value in
                var head = RequestHead()
                admission.note(name, value, in: &head)
                rig.engine.trust.accept(admission.credentialDigest(of: head), now: rig.clock.monotonic())
            }
        }
    }
}
