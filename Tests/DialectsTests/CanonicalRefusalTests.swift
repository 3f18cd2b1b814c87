import Core
import Dialects
import Testing

struct CanonicalRefusalTests {
    @Test(arguments: [
        "", " ", "null", "1", "\"x\"", "[]", "[{\"model\":\"m\"}]", "{", "}", "{}x", "{\"model\":\"m\"}{}",
        "{\"model\":\"m\"},", "\u{FEFF}{\"model\":\"m\"}", "{\"model\":\"m\"}\u{0}", "\u{0}", "{\"model\"}",
        "{\"model\":}", "{\"model\":\"m\",}", "{,\"model\":\"m\"}", "{\"model\":\"m\" \"a\":1}", "{model:\"m\"}",
        "{'model':'m'}", "{\"model\"=\"m\"}", "{\"model\":\"m\"", "{\"model\":\"m", "{\"model\":\"m\\", "{\"mod",
        "{\"model\":\"m\"]", "{\"model\":\"m\",1:2}", "{\"model\":\"m\"/**/}", "{\u{A0}\"model\":\"m\"}",
        "{\u{C}\"model\":\"m\"}",
    ])
    func notOneObject(_ body: String) {
        #expect(canonical(body) == .failure(.notJSON))
    }

    @Test(arguments: [
        "01", "-01", "00", "+1", ".5", "1.", "1.e1", "1e", "1e+", "1e-", "-", "--1", "-a", "1.2.3", "1e1e1", "0x10",
        "NaN", "Infinity", "-Infinity", "1_000", "1e1000000000", "1e-1000000000", "0e1000000000", "١", "1a",
        "tru", "truE", "True", "nul", "nulll", "fals", "falsy", "undefined", "[", "[1", "[1,", "[1,]", "[,1]", "[1 2]",
        "[1}", "{\"b\":1]", "{\"b\"", "{\"b\":", "{\"b\":1,}", "", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"\\U0041\"",
        "\"\\", "\"\\u", "\"\\u00", "\"a\nb\"", "\"a\tb\"", "\"\u{0}\"", "\"\u{1F}\"",
    ])
    func badValues(_ value: String) {
        #expect(canonicalValue(value) == .failure(.notJSON))
    }

    @Test(arguments: [
        #"{"model":"m","model":"m"}"#, #"{"model":"m","a":1,"b":2,"a":1}"#, #"{"model":"m","a":1,"\u0061":1}"#,
        #"{"model":"m","x":[{"y":{"a":1,"a":2}}]}"#, #"{"model":"m","x":{"b":1,"a":2,"b":3}}"#,
        #"{"model":"m","x":{"":1,"":2}}"#, #"{"model":"m","é":1,"\u00e9":2}"#, #"{"model":"m","😂":1,"\ud83d\ude02":2}"#,
        #"{"model":"m","a\n":1,"a\u000a":2}"#, #"{"model":"m","\/":1,"/":2}"#,
        // Members that are left out are checked like any other.
        #"{"model":"m","user":"a","user":"b"}"#, #"{"model":"m","metadata":{"a":1,"a":2}}"#,
        #"{"model":"m","stream":true,"stre\u0061m":false}"#,
        #"{"model":"m","stream_options":{"include_usage":true,"include_usage":false}}"#,
        #"{"model":"m","long-name-that-goes-on":1,"a":0,"long-name-that-goes-on":2}"#,
    ])
    func duplicateMembers(_ body: String) {
        #expect(canonical(body) == .failure(.duplicateMember))
    }

    @Test(
        arguments: [
            [0x80], [0xBF], [0xC0, 0x80], [0xC1, 0xBF], [0xC2], [0xC2, 0x41], [0xE0, 0x80, 0x80], [0xE0, 0x9F, 0xBF],
            [0xE2, 0x82], [0xE2, 0x28, 0xA1], [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF], [0xF0, 0x80, 0x80, 0x80],
            [0xF0, 0x8F, 0xBF, 0xBF], [0xF0, 0x9F, 0x98], [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80],
            [0xF8, 0x88, 0x80, 0x80, 0x80], [0xFE], [0xFF], [0xE4, 0xB8, 0xAD, 0x80],
        ] as [[UInt8]])
    func illFormedUTF8(_ sequence: [UInt8]) {
        for run in [0, 13, 14, 15, 16] {
            let text = [UInt8](repeating: 0x78, count: run) + sequence
            #expect(canonical(Array(#"{"model":""#.utf8) + text + Array(#""}"#.utf8)) == .failure(.invalidUnicode))
            #expect(
                canonical(Array(#"{"model":"m",""#.utf8) + text + Array(#"":1}"#.utf8)) == .failure(.invalidUnicode))
        }
        #expect(canonical(Array(#"{"model":"m","user":""#.utf8) + sequence) == .failure(.invalidUnicode))
    }

    @Test(arguments: [
        #"\ud800"#, #"\udc00"#, #"\ud83dx"#, #"\ud83d\n"#, #"\ud83d\u0041"#, #"\ud83d\ud83d"#, #"\ude02\ud83d"#,
        #"\udfff"#, #"\ud83d\"#, #"\ud83d\\ude02"#,
    ])
    func halfSurrogatePairs(_ text: String) {
        #expect(canonicalValue("\"\(text)\"") == .failure(.invalidUnicode))
    }

    @Test(arguments: [1, 2, 5, 64, RequestRules.depthLimit, 100_000])
    func depthIsBounded(_ maxDepth: Int) {
        let limit = min(maxDepth, RequestRules.depthLimit)
        let rules = RequestRules(maxDepth: maxDepth)
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            func body(_ depth: Int) -> String {
                let inner = String(repeating: open, count: depth - 1) + "1" + String(repeating: close, count: depth - 1)
                return "{\"a\":\(inner),\"model\":\"m\"}"
            }
            #expect(canonical(body(limit), rules: rules) == .success(body(limit)))
            #expect(canonical(body(limit + 1), rules: rules) == .failure(.tooDeep))
        }
        let bomb = "{\"a\":" + String(repeating: "[", count: 100_000)
        #expect(canonical(bomb, rules: rules) == .failure(.tooDeep))
    }

    @Test func aDepthOutsideTheLimitIsBroughtInside() {
        var rules = RequestRules()
        rules.maxDepth = .max
        #expect(rules.maxDepth == RequestRules.depthLimit)
    }
}
