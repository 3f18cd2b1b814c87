import Core
import Dialects
import TestKit
import Testing

struct KeyTests {
    private static let body = Array(#"{"model":"m","messages":[]}"#.utf8)
    private static let tenant = CacheKey(1, 2, 3, 4)

    @Test func everyFieldCounts() {
        let scopes = [
            KeyScope(tenant: Self.tenant),
            KeyScope(tenant: CacheKey(0, 2, 3, 4)), KeyScope(tenant: CacheKey(1, 0, 3, 4)),
            KeyScope(tenant: CacheKey(1, 2, 0, 4)), KeyScope(tenant: CacheKey(1, 2, 3, 0)),
            KeyScope(tenant: Self.tenant, namespace: "a"), KeyScope(tenant: Self.tenant, namespace: "A"),
            KeyScope(tenant: Self.tenant, namespace: "ab"), KeyScope(tenant: Self.tenant, query: "a"),
            KeyScope(tenant: Self.tenant, query: "api-version=2024-10-21"),
            KeyScope(tenant: Self.tenant, headers: [HeaderField("a", "b")]),
            KeyScope(tenant: Self.tenant, headers: [HeaderField("a", "B")]),
            KeyScope(tenant: Self.tenant, headers: [HeaderField("a", "")]),
            KeyScope(tenant: Self.tenant, headers: [HeaderField("a", ""), HeaderField("a", "")]),
            KeyScope(tenant: Self.tenant, headers: [HeaderField("a", "1"), HeaderField("a", "2")]),
            KeyScope(tenant: Self.tenant, headers: [HeaderField("a", "2"), HeaderField("a", "1")]),
            // Fields that would read the same if they were joined without their lengths.
            KeyScope(tenant: Self.tenant, namespace: "ab", query: "c"),
            KeyScope(tenant: Self.tenant, namespace: "a", query: "bc"),
            KeyScope(tenant: Self.tenant, headers: [HeaderField("ab", "c")]),
            KeyScope(tenant: Self.tenant, headers: [HeaderField("a", "bc")]),
            KeyScope(tenant: Self.tenant, headers: [HeaderField("a", "b"), HeaderField("c", "d")]),
            KeyScope(tenant: Self.tenant, headers: [HeaderField("a", "b\u{0}c\u{0}d")]),
        ]
        var keys: Set<CacheKey?> = []
        for scope in scopes {
            for dialect in Dialect.allCases { keys.insert(key(Self.body, scope: scope, dialect: dialect)) }
        }
        #expect(!keys.contains(nil))
        #expect(keys.count == scopes.count * Dialect.allCases.count)
    }

    @Test func headersAreBroughtIntoOrder() {
        let one = [HeaderField("OpenAI-Beta", "x"), HeaderField("anthropic-version", "y")]
        let other = [HeaderField("Anthropic-Version", "y"), HeaderField("openai-beta", "x")]
        let keys = [one, other].map { key(Self.body, scope: KeyScope(tenant: Self.tenant, headers: $0)) }
        #expect(keys[0] != nil)
        #expect(keys[0] == keys[1])
    }

    /// What is digested, byte by byte: a change of it loses every answer that is kept.
    @Test func theFormatIsFixed() throws {
        let scope = KeyScope(
            tenant: CacheKey(0x0001_0203_0405_0607, 1, 2, 3), namespace: "né", query: "q=1",
            headers: [HeaderField("B", "v")])
        var expected: [UInt8] = [1, 0, 1, 2, 3, 4, 5, 6, 7]
        for word: UInt8 in [1, 2, 3] { expected += [0, 0, 0, 0, 0, 0, 0, word] }
        func put(_ text: String) { expected += [0, 0, 0, UInt8(text.utf8.count)] + Array(text.utf8) }
        put("né")
        put("chat")
        put("q=1")
        expected += [0, 0, 0, 1]
        put("b")
        put("v")
        put(#"{"messages":[],"model":"m"}"#)
        #expect(key(Self.body, scope: scope) == expected.withUnsafeBytes { MixingDigest().sha256($0) })
    }

    /// Fields longer than the room kept for them move the canonical form, and nothing else.
    @Test(arguments: [1, 400, 500, 513, 5000, 100_000])
    func longFields(_ length: Int) {
        let long = KeyScope(tenant: Self.tenant, namespace: String(repeating: "n", count: length))
        for body in [#"{"model":"m"}"#, #"{"stream":true,"model":"m","user":"u"}"#] {
            let bytes = Array(body.utf8)
            let reader = RequestReader(rules: RequestRules())
            let first = key(bytes, scope: long, reader: reader)
            #expect(first != nil)
            #expect(String(decoding: reader.canonical, as: UTF8.self) == #"{"model":"m"}"#)
            #expect(reader.leftOutFields.sorted() == (body.contains("user") ? ["stream", "user"] : []))
            #expect(key(bytes, scope: long, reader: reader) == first)
            #expect(key(bytes, scope: long) == first)
            #expect(key(bytes, scope: KeyScope(tenant: Self.tenant), reader: reader) != first)
        }
    }
}
