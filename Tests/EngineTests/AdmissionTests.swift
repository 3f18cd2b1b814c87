import Core
import Dialects
import TestKit
import Testing

@testable import Engine

@Suite struct AdmissionTests {
    private static let plain = ModelRequest.body(.chat, "hi")

    struct Refusal: Sendable, CustomTestStringConvertible {
        let reason: BypassReason
        var body = AdmissionTests.plain
        var headers: [(String, String)] = []
        var dialect = Dialect.chat
        var change: @Sendable (inout Settings) -> Void = { _ in }
        var testDescription: String { "\(reason.word) \(headers)" }
    }

    private static let refusals: [Refusal] = [
        Refusal(reason: .disabled) { $0.cache.enabled = false },
        Refusal(reason: .noStore, headers: [("cache-control", "no-store")]),
        Refusal(reason: .badControl, headers: [("Cache-Control", "max-age=soon")]),
        Refusal(reason: .badControl, headers: [("x-refrain-ttl", "soon")]),
        Refusal(reason: .badControl, headers: [("x-refrain-priority", "9")]),
        Refusal(reason: .badControl, headers: [("x-refrain-semantic", "on")]),
        Refusal(reason: .badControl, headers: [("x-refrain-namespace", String(repeating: "n", count: 1025))]),
        Refusal(reason: .badControl, headers: [("x-refrain-tags", "a\0b")]),
        Refusal(reason: .contentType, headers: [("Content-Type", "text/plain")]),
        Refusal(reason: .contentType, headers: [("Content-Type", "")]),
        Refusal(reason: .contentType, headers: [("Content-Type", "+json")]),
        Refusal(reason: .contentEncoding, headers: [("Content-Encoding", "gzip")]),
        Refusal(reason: .duplicateHeader, headers: [("Authorization", "Bearer a"), ("authorization", "Bearer a")]),
        Refusal(reason: .duplicateHeader, headers: [("x-api-key", "a"), ("X-API-Key", "b")]),
        Refusal(reason: .duplicateHeader, headers: [("api-key", "a"), ("api-key", "b")]),
        Refusal(
            reason: .duplicateHeader,
            headers: [("content-type", "application/json"), ("content-type", "application/json")]),
        Refusal(reason: .duplicateHeader, headers: [("content-encoding", "identity"), ("content-encoding", "gzip")]),
        Refusal(reason: .duplicateHeader, headers: [("x-refrain-namespace", "a"), ("x-refrain-namespace", "b")]),
        Refusal(reason: .duplicateHeader, headers: [("x-team", "a"), ("X-Team", "a")]) {
            $0.cache.partition = .header("x-team")
        },
        Refusal(
            reason: .duplicateHeader,
            headers: [("ocp-apim-subscription-key", "a"), ("Ocp-Apim-Subscription-Key", "a")]),
        Refusal(reason: .connectionOption, headers: [("Connection", "keep-alive, anthropic-beta")]),
        Refusal(reason: .requestTooLarge) { $0.cache.maxRequest = ByteCount(bytes: 10) },
        Refusal(reason: .notJSON, body: "{"), Refusal(reason: .notJSON, body: "[]"),
        Refusal(reason: .notJSON, body: ""),
        Refusal(reason: .duplicateMember, body: #"{"model":"m","model":"n"}"#),
        Refusal(reason: .invalidUnicode, body: #"{"model":"\ud800"}"#),
        Refusal(reason: .tooDeep, body: #"{"model":"m","x":"# + String(repeating: "[", count: 100) + "}"),
        Refusal(reason: .unusableField, body: #"{"messages":[]}"#),
        Refusal(reason: .unusableField, body: #"{"model":"m","stream":"yes"}"#),
        Refusal(reason: .stateful, body: #"{"model":"m","input":"x","background":true}"#, dialect: .responses),
        Refusal(reason: .untrusted) { $0.cache.partition = .shared },
        Refusal(reason: .untrusted) { $0.cache.partition = .header("x-team") },
    ]

    @Test("why a request is passed on", arguments: refusals) func refused(_ refusal: Refusal) {
        let rig = EngineRig(change: refusal.change)
        #expect(throws: refusal.reason) {
            try rig.admit(refusal.body, refusal.dialect, headers: refusal.headers)
        }
    }

    @Test("every reason that admission can give is in the table") func complete() {
        let elsewhere: Set<BypassReason> = [.endpoint]
        #expect(Set(Self.refusals.map(\.reason)).union(elsewhere) == Set(BypassReason.allCases))
    }

    @Test(
        "content types that are JSON",
        arguments: [
            "application/json", "Application/JSON; charset=utf-8", " application/json ;x", "application/problem+json",
        ])
    func json(type: String) throws {
        _ = try EngineRig().admit(Self.plain, headers: [("content-type", type), ("content-encoding", "identity")])
    }

    private func key(
        _ headers: [(String, String)], query: String = "", _ change: (inout Settings) -> Void = { _ in }
    ) throws -> CacheKey {
        try EngineRig(change: change).admit(Self.plain, headers: headers, query: query).admitted.key
    }

    @Test("what tells two requests with one body apart") func scope() throws {
        let keys = try [
            key([]), key([("authorization", "Bearer a")]), key([("authorization", "Bearer b")]),
            key([("x-api-key", "Bearer a")]), key([("api-key", "Bearer a")]), key([("authorization", "")]),
            key([("authorization", "Bearer a"), ("x-api-key", "b")]), key([("x-refrain-namespace", "n")]),
            key([], query: "api-version=1"), key([("openai-organization", "o")]), key([("openai-project", "o")]),
            key([("anthropic-beta", "a"), ("anthropic-beta", "b")]),
            key([("anthropic-beta", "b"), ("anthropic-beta", "a")]),
            key([("x-portkey-provider", "a")]), key([("x-portkey-provider", "b")]), key([("x-portkey-config", "a")]),
            key([("Ocp-Apim-Subscription-Key", "a")]), key([("Ocp-Apim-Subscription-Key", "b")]),
            key([("x-goog-api-key", "a")]), key([("cf-aig-authorization", "a"), ("x-goog-api-key", "a")]),
        ]
        #expect(Set(keys).count == keys.count)
    }

    /// The key of a request with one header whose value is these bytes, and the same bytes as its query.
    private func key(_ name: String, _ bytes: [UInt8]) throws -> CacheKey {
        let rig = EngineRig()
        let admission = Admission(settings: rig.settings, digest: FakeDigest())
        let (name, value, body) = (Bytes(name), Bytes(bytes), Bytes(Self.plain))
        return try name.withUnsafeBytes { name in
            try value.withUnsafeBytes { value in
                try body.withUnsafeBytes { body in
                    var head = RequestHead()
                    admission.note(name, value, in: &head)
                    let query = name.isEmpty ? value : BytesView(rebasing: value[..<0])
                    return try admission.admit(
                        head, body: body, dialect: .chat, query: query, now: 0, trust: rig.engine.trust
                    ).key
                }
            }
        }
    }

    @Test("bytes that are no text are not all the same", arguments: ["x-refrain-namespace", "anthropic-beta", ""])
    func rawBytes(name: String) throws {
        let values: [[UInt8]] = [[0xE9], [0xE8], [0xE9, 0xE9], Array("\u{FFFD}".utf8), Array("é".utf8), [0xC3]]
        #expect(Set(try values.map { try key(name, $0) }).count == values.count)
    }

    @Test("what does not") func sameKey() throws {
        let plain = try key([])
        #expect(try key([("x-refrain-ttl", "5"), ("x-refrain-tags", "a, b"), ("user-agent", "x")]) == plain)
        #expect(try key([("connection", "Keep-Alive, TE,, close"), ("Upgrade", "h2c")]) == plain)
        #expect(try key([("OpenAI-Organization", "o")]) == key([("openai-organization", " o ")]))
    }

    @Test("a shared cache serves those whom the upstream accepted") func shared() throws {
        let rig = EngineRig { $0.cache.partition = .shared }
        let admission = Admission(settings: rig.settings, digest: FakeDigest())
        for credential in ["Bearer a", "Bearer b"] {
            var head = RequestHead()
            let (name, value) = (Bytes("authorization"), Bytes(credential))
            name.withUnsafeBytes { name in
                value.withUnsafeBytes { value in
                    admission.note(name, value, in: &head)
                    rig.engine.trust.accept(admission.credentialDigest(of: head), now: rig.clock.monotonic())
                }
            }
        }
        let first = try rig.admit(Self.plain, headers: [("authorization", "Bearer a")]).admitted
        let second = try rig.admit(Self.plain, headers: [("authorization", "Bearer b")]).admitted
        #expect(first.key == second.key)
        #expect(first.credential != second.credential)
        #expect(throws: BypassReason.untrusted) { try rig.admit(Self.plain, headers: [("authorization", "Bearer c")]) }
        rig.clock.advance(rig.settings.cache.trustFor)
        #expect(throws: BypassReason.untrusted) { try rig.admit(Self.plain, headers: [("authorization", "Bearer a")]) }
    }

    @Test("tags and namespace") func labels() throws {
        let call = try EngineRig().admit(
            Self.plain, headers: [("x-refrain-tags", " a ,, b,"), ("x-refrain-namespace", " n ")])
        #expect(call.tags == ["a", "b"])
        #expect(call.namespace == "n")
        #expect(call.model == "m")
    }
}
