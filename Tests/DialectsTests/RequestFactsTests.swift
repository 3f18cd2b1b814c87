import Core
import Dialects
import Testing

struct RequestFactsTests {
    @Test(arguments: [
        (#"{"model":"m"}"#, false, false),
        (#"{"model":"m","stream":true}"#, true, false),
        (#"{"model":"m","stream":false}"#, false, false),
        (#"{"model":"m","stream":null}"#, false, false),
        (#"{"model":"m","str\u0065am":true}"#, true, false),
        (#"{"model":"m","x":{"stream":true},"y":[{"stream":1}]}"#, false, false),
        (#"{"model":"m","stream":true,"stream_options":null}"#, true, false),
        (#"{"model":"m","stream":true,"stream_options":{}}"#, true, false),
        (#"{"model":"m","stream":true,"stream_options":{"include_usage":true}}"#, true, true),
        (#"{"stream_options":{"a":{"include_usage":1},"include\u005fusage":true},"model":"m"}"#, false, true),
        (#"{"model":"m","stream_options":{"include_usage":false}}"#, false, false),
        (#"{"model":"m","stream_options":{"include_usage":null}}"#, false, false),
        (#"{"model":"m","stream_options":{"a":{"include_usage":true},"b":[{"include_usage":true}]}}"#, false, false),
        (#"{"model":"m","options":{"include_usage":true}}"#, false, false),
        (#"{"stream_options":{},"x":{"include_usage":true},"model":"m"}"#, false, false),
        (#"{"include_usage":true,"model":"m"}"#, false, false),
    ])
    func formAndUsage(_ body: String, _ wantsStream: Bool, _ wantsUsage: Bool) throws {
        let facts = try facts(body)
        #expect(facts.wantsStream == wantsStream)
        #expect(facts.wantsUsage == wantsUsage)
    }

    @Test(
        arguments: [
            ("", nil), (#","max_tokens":100"#, 100), (#","max_completion_tokens":7"#, 7),
            (#","max_output_tokens":9"#, 9),
            (#","max_tokens":0"#, 0), (#","max_tokens":null"#, nil), (#","max_tokens":"5""#, nil),
            (#","max_tokens":1.5"#, nil), (#","max_tokens":-4"#, nil), (#","max_tokens":99999999999"#, nil),
            (#","x":{"max_tokens":3}"#, nil), (#","max_tokens":999999999"#, 999_999_999),
        ] as [(String, Int?)])
    func longestAnswer(_ more: String, _ expected: Int?) throws {
        let body = #"{"model":"m"\#(more)}"#
        let facts = try facts(body)
        #expect(facts.maxOutput == expected)
        #expect(facts.tokenEstimate(bodyCount: 400) == 100 + min(expected ?? 256, 131_072))
        #expect(facts.tokenEstimate(bodyCount: 100 << 20) == 131_072 + min(expected ?? 256, 131_072))
        #expect(RequestFacts.tokenEstimate(unreadCount: 400) == 356)
    }

    @Test(arguments: [
        (Dialect.responses, "", true), (.responses, #","store":true"#, true), (.responses, #","store":null"#, true),
        (.responses, #","store":false"#, false), (.chat, "", false), (.chat, #","store":true"#, true),
        (.chat, #","store":null"#, false), (.completions, "", false), (.messages, "", false),
    ])
    func keepingUpstream(_ dialect: Dialect, _ more: String, _ isStored: Bool) throws {
        #expect(try facts(#"{"model":"m"\#(more)}"#, dialect).storesUpstream == isStored)
    }

    @Test(arguments: [
        "{}", #"{"messages":[]}"#, #"{"model":1}"#, #"{"model":null}"#, #"{"model":["m"]}"#, #"{"x":{"model":"m"}}"#,
        #"{"model":"m","stream":1}"#, #"{"model":"m","stream":"true"}"#, #"{"model":"m","stream":{}}"#,
        #"{"model":"m","stream_options":[]}"#, #"{"model":"m","stream_options":true}"#,
        #"{"model":"m","stream_options":"x"}"#, #"{"model":"m","stream_options":{"include_usage":1}}"#,
        #"{"model":"m","stream_options":{"include_usage":"true"}}"#,
        #"{"model":"m","stream_options":{"include_usage":{}}}"#, #"{"model":"m","store":1}"#,
        #"{"model":"m","store":"true"}"#,
    ])
    func unusableFields(_ body: String) {
        for dialect in Dialect.allCases {
            #expect(throws: BypassReason.unusableField) { try facts(body, dialect) }
        }
    }

    /// Whether a body is JSON comes before what it says, wherever the fault stands.
    @Test(arguments: [
        (#"{"stream":1,"model":"m"}x"#, BypassReason.notJSON), (#"{"stream":1,"a":01}"#, .notJSON),
        (#"{"stream":1,"stream":2,"model":"m"}"#, .duplicateMember), (#"{"model":1,"a":"\ud800"}"#, .invalidUnicode),
    ])
    func faultsOfFormComeFirst(_ body: String, _ reason: BypassReason) {
        #expect(throws: reason) { try facts(body) }
    }

    @Test(arguments: [
        (#","background":true"#, BypassReason.stateful as BypassReason?), (#","background":false"#, nil),
        (#","background":null"#, nil), (#","background":1"#, .unusableField), (#","conversation":null"#, nil),
        (#","conversation":"conv_1""#, .stateful), (#","conversation":{"id":"conv_1"}"#, .stateful),
        (#","metadata":{"background":true,"conversation":1}"#, nil),
    ])
    func stateAtTheProvider(_ more: String, _ reason: BypassReason?) {
        let body = #"{"model":"m"\#(more)}"#
        if let reason {
            #expect(throws: reason) { try facts(body, .responses) }
        } else {
            #expect(throws: Never.self) { try facts(body, .responses) }
        }
        // To the other dialects these are members like any other.
        #expect(throws: Never.self) { try facts(body, .chat) }
    }

    @Test(arguments: [
        (#""gpt-4o-mini""#, "gpt-4o-mini"), (#""""#, ""),
        (#""openai\/gpt \"4\" \u00e9\ud83d\ude02""#, #"openai/gpt "4" é😂"#),
        (#""模型""#, "模型"), (#""a\u0000\u001f\n""#, "a\u{0}\u{1F}\n"),
    ])
    func theModelIsNamed(_ written: String, _ name: String) throws {
        let body = #" {"z":{"model":"other"}, "model" : \#(written) , "a":1}"#
        let facts = try facts(body)
        #expect(Bytes(body).withUnsafeBytes { facts.model(in: $0) } == name)
    }
}
