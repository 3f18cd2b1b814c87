import Core
import Dialects
import TestKit
import Testing

@testable import Engine

/// A remembered key must be the key that reading the request would give, for every request.
@Suite struct RequestMemoTests {
    private struct Asked {
        var body: String
        var credential: String
        var namespace: String
        var query: String
        var version: String
        var dialect: Dialect
    }

    private func admit(_ asked: Asked, with admission: Admission, remembers: Bool) throws -> Admitted {
        let lines = [
            ("authorization", asked.credential), ("x-refrain-namespace", asked.namespace),
            ("anthropic-version", asked.version),
        ].filter { !$0.1.isEmpty }.map { (Array($0.0.utf8), Array($0.1.utf8)) }
        return try withExtendedLifetime(lines) {
            var head = RequestHead()
            // The head borrows the lines, which the caller's closure keeps alive.
            for (name, value) in lines {
                name.withUnsafeBytes { name in value.withUnsafeBytes { admission.note(name, $0, in: &head) } }
            }
            return try Array(asked.body.utf8).withUnsafeBytes { body in
                try Array(asked.query.utf8).withUnsafeBytes { query in
                    let admitted = try admission.admit(
                        head, body: body, dialect: asked.dialect, query: query, now: 0,
                        trust: Trust(lifetime: 1_000_000_000))
                    if remembers { admission.remember(admitted, body: body) }
                    return admitted
                }
            }
        }
    }

    @Test(arguments: [UInt64](1...20))
    func aRememberedKeyIsTheKeyThatReadingGives(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let remembering = Admission(settings: Settings(), digest: FakeDigest())
        let reading = Admission(settings: Settings(), digest: FakeDigest())
        var known = 0
        for _ in 0..<300 {
            let word = ["a", "b", "long " + String(repeating: "x", count: 40)].randomElement(using: &random) ?? ""
            let asked = Asked(
                body:
                    #"{"model":"m","messages":[{"role":"user","content":"\#(word)"}],"stream":\#(Bool.random(using: &random))}"#,
                credential: ["", "Bearer a", "Bearer b"].randomElement(using: &random) ?? "",
                namespace: ["", "n", "nn"].randomElement(using: &random) ?? "",
                query: ["", "a=1", "n"].randomElement(using: &random) ?? "",
                version: ["", "1", "2"].randomElement(using: &random) ?? "",
                dialect: [Dialect.chat, .messages].randomElement(using: &random) ?? .chat)
            let mine = try admit(asked, with: remembering, remembers: true)
            let plain = try admit(asked, with: reading, remembers: false)
            #expect(mine.key == plain.key)
            #expect(mine.facts == plain.facts)
            #expect(mine.tenant == plain.tenant)
            if mine.isRemembered { known += 1 }
        }
        #expect(known > 0, "nothing was remembered, so nothing was tested")
    }

    @Test func aLongBodyIsReadAnew() throws {
        let admission = Admission(settings: Settings(), digest: FakeDigest())
        let long = String(repeating: "y", count: 20_000)
        let asked = Asked(
            body: #"{"model":"m","input":"\#(long)"}"#, credential: "", namespace: "", query: "", version: "",
            dialect: .embeddings)
        for _ in 0..<3 { #expect(try admit(asked, with: admission, remembers: true).isRemembered == false) }
    }
}
