import Core
import Dialects
import TestKit
import Testing

/// Which text of a request may vary, and what is the same for all requests that may share answers.
struct VariableTextTests {
    private static func variable(_ body: String, _ dialect: Dialect) -> VariableText? {
        Bytes(body).withUnsafeBytes { VariableText($0, dialect: dialect) }
    }

    private static let texts: [(Dialect, String, String?)] = [
        (.chat, #"{"model":"m","messages":[{"role":"user","content":"a"}]}"#, "a"),
        (
            .chat, #"{"model":"m","messages":[{"role":"system","content":"s"},{"role":"user","content":" A\n"}]}"#,
            " A\n"
        ),
        (
            .chat, #"{"messages":[{"content":[{"type":"text","text":"d"},{"text":"q","type":"text"}],"role":"user"}]}"#,
            "q"
        ),
        (.chat, #"{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]}"#, nil),
        (.chat, #"{"messages":[{"role":"user","content":"a"},{"role":"tool","content":"b"}]}"#, nil),
        (.chat, #"{"messages":[{"role":"developer","content":"a"}]}"#, nil),
        (.chat, #"{"messages":[{"role":"user","content":""}]}"#, nil),
        (.chat, #"{"messages":[{"role":"user","content":[]}]}"#, nil),
        (.chat, #"{"messages":[{"role":"user","content":null}]}"#, nil),
        (.chat, #"{"messages":[]}"#, nil), (.chat, #"{"messages":"a"}"#, nil), (.chat, #"{"model":"m"}"#, nil),
        (
            .chat,
            #"{"messages":[{"role":"user","content":[{"type":"text","text":"a"},{"type":"image_url","image_url":{}}]}]}"#,
            nil
        ),
        (.completions, #"{"prompt":"a","suffix":"b"}"#, "a"), (.completions, #"{"prompt":["a"]}"#, nil),
        (.completions, #"{"prompt":"a","echo":true}"#, nil), (.completions, #"{"prompt":"a","echo":1}"#, nil),
        (.completions, #"{"prompt":"a","echo":false}"#, "a"), (.completions, #"{"prompt":[1,2]}"#, nil),
        (.embeddings, #"{"input":"a"}"#, nil),
        (.responses, #"{"input":"a"}"#, "a"),
        (.responses, #"{"input":[{"role":"user","content":"a"}]}"#, "a"),
        (
            .responses, #"{"input":[{"type":"message","role":"user","content":[{"type":"input_text","text":"a"}]}]}"#,
            "a"
        ),
        (.responses, #"{"input":[{"type":"function_call_output","role":"user","content":"a"}]}"#, nil),
        (.responses, #"{"input":[{"role":"user","content":[{"type":"input_image","text":"a"}]}]}"#, nil),
        (.messages, #"{"messages":[{"role":"user","content":[{"type":"text","text":"a"}]}]}"#, "a"),
        (.messages, #"{"messages":[{"role":"user","content":[{"type":"tool_result","text":"a"}]}]}"#, nil),
    ]

    @Test(arguments: texts.indices) func theLastTextOfTheUserVaries(index: Int) {
        let (dialect, body, text) = Self.texts[index]
        #expect(Self.variable(body, dialect)?.text == text, "\(body)")
    }

    // MARK: Partitions

    private static func partition(
        _ body: String, _ dialect: Dialect = .chat, scope: KeyScope = KeyScope(tenant: CacheKey(1, 2, 3, 4)),
        matcher: String = "m"
    ) throws -> CacheKey {
        let variable = try #require(Self.variable(body, dialect))
        let reader = RequestReader(rules: RequestRules())
        _ = try variable.rest.withUnsafeBytes { try reader.read($0, as: dialect) }
        return reader.partition(scope: scope, dialect: dialect, matcher: matcher, digest: MixingDigest())
    }

    private static func chat(_ text: String, _ more: String = "") -> String {
        #"{\#(more)"model":"m","messages":[{"role":"system","content":"s"},{"role":"user","content":"\#(text)"}]}"#
    }

    @Test func onlyTheTextMayVary() throws {
        let own = try Self.partition(Self.chat("one"))
        #expect(try Self.partition(Self.chat("another")) == own)
        #expect(try Self.partition(Self.chat("one", #""stream":true,"user":"u","#)) == own)
        let others = try [
            Self.partition(Self.chat("one", #""temperature":0.5,"#)),
            Self.partition(Self.chat("one", #""tools":[],"#)),
            Self.partition(Self.chat("one").replacing(#""content":"s""#, with: #""content":"S""#)),
            Self.partition(Self.chat("one").replacing(#""model":"m""#, with: #""model":"n""#)),
            Self.partition(Self.chat("one").replacing(#""role":"user","#, with: #""role":"user","name":"x","#)),
            Self.partition(#"{"model":"m","messages":[{"role":"user","content":"one"}]}"#),
            Self.partition(Self.chat("one"), scope: KeyScope(tenant: CacheKey(1, 2, 3, 5))),
            Self.partition(Self.chat("one"), scope: KeyScope(tenant: CacheKey(1, 2, 3, 4), namespace: "n")),
            Self.partition(Self.chat("one"), scope: KeyScope(tenant: CacheKey(1, 2, 3, 4), query: "q")),
            Self.partition(
                Self.chat("one"),
                scope: KeyScope(tenant: CacheKey(1, 2, 3, 4), headers: [HeaderField("openai-beta", "x")])),
            Self.partition(Self.chat("one"), matcher: "other"),
            Self.partition(Self.chat("one"), .messages),
        ]
        #expect(!others.contains(own))
        #expect(Set(others).count == others.count)
    }

    /// What a key names is never what a partition is, whatever a user writes.
    @Test func noPartitionIsAKey() throws {
        let body = Self.chat("")
        let reader = RequestReader(rules: RequestRules())
        _ = try Bytes(body).withUnsafeBytes { try reader.read($0, as: .chat) }
        let key = reader.key(scope: KeyScope(tenant: CacheKey(1, 2, 3, 4)), dialect: .chat, digest: MixingDigest())
        #expect(try Self.partition(Self.chat("one")) != key)
    }

    private static let seeds = Array(UInt64(1)...24)

    /// Of requests that end with a text of the user's: where two are one partition, they are the same but for that text.
    @Test(arguments: seeds) func whateverElseChangesIsAnotherPartition(_ seed: UInt64) throws {
        var generator = RequestGenerator(seed: seed)
        for _ in 0..<20 {
            let base = generator.body()
            let body = Self.asking("how?", base)
            let own = try #require(Self.partition(of: generator.spell(body)))
            #expect(Self.partition(of: generator.spell(Self.asking("where?", base))) == own)
            for _ in 0..<8 {
                let changed = generator.changed(body)
                guard Self.partition(of: generator.spell(changed)) == own else { continue }
                let canonical = Reference.object(changed).canonical()
                let text = try #require(Self.variable(canonical, .chat)?.text)
                #expect(canonical == Reference.object(Self.asking(text, base)).canonical())
            }
        }
    }

    private static func partition(of body: [UInt8]) -> CacheKey? {
        guard variable(String(decoding: body, as: UTF8.self), .chat) != nil else { return nil }
        return try? partition(String(decoding: body, as: UTF8.self))
    }

    /// The same with one more message, of the user's.
    private static func asking(_ text: String, _ body: [Reference.Member]) -> [Reference.Member] {
        func scalars(_ text: String) -> [UInt32] { text.unicodeScalars.map(\.value) }
        let last = Reference.object([
            Reference.Member(name: scalars("role"), value: .string("user")),
            Reference.Member(name: scalars("content"), value: .string(text)),
        ])
        return body.map { member in
            guard member.name == scalars("messages"), case .array(let messages) = member.value else { return member }
            return Reference.Member(name: member.name, value: .array(messages + [last]))
        }
    }
}
