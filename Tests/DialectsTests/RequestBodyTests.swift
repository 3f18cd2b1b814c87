import Core
import Dialects
import Testing

struct RequestBodyTests {
    private static func upstream(_ body: String, _ dialect: Dialect, askForUsage: Bool = true) throws -> String {
        let facts = try facts(body, dialect)
        return Bytes(body).withUnsafeBytes {
            upstreamBody(original: $0, facts: facts, askForUsage: askForUsage).text
        }
    }

    @Test(arguments: [
        (
            #" { "model":"m" , "stream":true}"#,
            #" {"stream_options":{"include_usage":true}, "model":"m" , "stream":true}"#
        ),
        (
            #"{"model":"m","stream_options" : null ,"stream":true}"#,
            #"{"model":"m","stream_options" : {"include_usage":true} ,"stream":true}"#
        ),
        (
            #"{"stream":true,"stream_options": { } ,"model":"m"}"#,
            #"{"stream":true,"stream_options": {"include_usage":true } ,"model":"m"}"#
        ),
        (
            #"{"stream":true,"stream_options":{ "include_obfuscation" : false},"model":"m"}"#,
            #"{"stream":true,"stream_options":{"include_usage":true, "include_obfuscation" : false},"model":"m"}"#
        ),
        (
            #"{"stream":true,"stream_options":{"a":1,"include_usage": false },"model":"m"}"#,
            #"{"stream":true,"stream_options":{"a":1,"include_usage": true },"model":"m"}"#
        ),
        (
            #"{"stream":true,"stream_options":{"include\u005fusage":null,"a":{}},"model":"m"}"#,
            #"{"stream":true,"stream_options":{"include\u005fusage":true,"a":{}},"model":"m"}"#
        ),
    ])
    func usageIsAskedFor(_ body: String, _ expected: String) throws {
        for dialect in [Dialect.chat, .completions] {
            let sent = try Self.upstream(body, dialect)
            #expect(sent == expected)
            #expect(try facts(sent, dialect).wantsUsage)
            #expect(try canonical(sent).get() == canonical(body).get())
            #expect(try Self.upstream(sent, dialect) == sent)
        }
    }

    @Test(arguments: [
        (Dialect.chat, #"{ "model":"m" , "stream":false}"#, true),
        (.chat, #"{"model":"m","x":1.0}"#, true),
        (.chat, #"{"model":"m","stream":true}"#, false),
        (.chat, #"{"stream":true,"stream_options":{"include_usage":true},"model":"m"}"#, true),
        (.responses, #"{"model":"m","stream":true}"#, true),
        (.messages, #"{"model":"m","stream":true}"#, true),
        (.embeddings, #"{"model":"m","stream":true}"#, true),
    ])
    func otherBodiesStayAsTheyAre(_ dialect: Dialect, _ body: String, _ askForUsage: Bool) throws {
        #expect(try Self.upstream(body, dialect, askForUsage: askForUsage) == body)
    }
}
