import Core
import Dialects
import Testing

struct CanonicalTests {
    @Test(arguments: [
        // Whole numbers, however they are written.
        ("1", "1"), ("1.0", "1"), ("1e0", "1"), ("10e-1", "1"), ("0.1e1", "1"), ("1E+0", "1"), ("1e-0", "1"),
        ("0", "0"), ("-0", "0"), ("0.0", "0"), ("-0.0e5", "0"), ("0e999999999", "0"), ("-1", "-1"), ("-10", "-10"),
        ("100", "100"), ("1e2", "100"), ("1.50", "1.5"), ("12.340e1", "123.4"), ("0.7", "0.7"), ("-0.70", "-0.7"),
        // Where ECMAScript changes to an exponent.
        ("123456789012345680000", "123456789012345680000"), ("1e20", "100000000000000000000"), ("1e21", "1e+21"),
        ("999999999999999999999", "999999999999999999999"), ("1000000000000000000000", "1e+21"),
        ("1234567890123456789012", "1.234567890123456789012e+21"), ("12e30", "1.2e+31"), ("-1e300", "-1e+300"),
        ("0.000001", "0.000001"), ("0.0000001", "1e-7"), ("1e-6", "0.000001"), ("1e-7", "1e-7"),
        ("-12e-8", "-1.2e-7"), ("123e-7", "0.0000123"), ("0.0000012", "0.0000012"), ("0.00000012", "1.2e-7"),
        // Digits that a double would lose.
        ("9007199254740993", "9007199254740993"), ("9007199254740992", "9007199254740992"),
        ("0.1000000000000000000000000000001", "0.1000000000000000000000000000001"),
        ("1.00000000000000000000000000000000000001", "1.00000000000000000000000000000000000001"),
        // The farthest exponents.
        ("1e999999999", "1e+999999999"), ("1e-999999999", "1e-999999999"), ("1e0000000000000001", "10"),
        ("12.5e999999999", "1.25e+1000000000"),
    ])
    func numbersKeepTheirExactValue(_ written: String, _ expected: String) {
        #expect(canonicalValue(written) == .success(expected))
    }

    /// The samples of RFC 8785, appendix B, whose shortest decimal is also exact enough to be written by hand.
    @Test(arguments: [
        ("0.000000000000000000000000000000000000000000005e-279", "5e-324"), ("-5E-324", "-5e-324"),
        ("1.7976931348623157e308", "1.7976931348623157e+308"), ("9007199254740992.0", "9007199254740992"),
        ("295147905179352830000", "295147905179352830000"), ("9.999999999999997e22", "9.999999999999997e+22"),
        ("1E23", "1e+23"), ("1.0000000000000001e+23", "1.0000000000000001e+23"),
        ("999999999999999700000", "999999999999999700000"), ("0.000009999999999999997", "0.000009999999999999997"),
        ("333333333.33333330", "333333333.3333333"), ("1424953923781206.20", "1424953923781206.2"),
        ("-0.0000033333333333333333", "-0.0000033333333333333333"),
    ])
    func numbersOfAppendixB(_ written: String, _ expected: String) {
        #expect(canonicalValue(written) == .success(expected))
    }

    @Test(arguments: [
        (#""plain""#, #""plain""#),
        (#""""#, #""""#),
        (#""\u0061\/\u002f""#, #""a//""#),
        (#""\u0022\u005C\"\\""#, #""\"\\\"\\""#),
        (#""\u0008\u0009\u000A\u000C\u000D\b\t\n\f\r""#, #""\b\t\n\f\r\b\t\n\f\r""#),
        (#""\u0000\u000B\u001F""#, #""\u0000\u000b\u001f""#),
        (#""\u007f\u2028""#, "\"\u{7F}\u{2028}\""),
        (#""\u20AC \u20ac""#, #""€ €""#),
        (#""\ud83d\ude02 \uD83D\uDE02 😂""#, #""😂 😂 😂""#),
        (#""\uDBFF\uDFFF\uD800\uDC00""#, "\"\u{10FFFF}\u{10000}\""),
        (#""é ü ß 中文 \u0416""#, #""é ü ß 中文 Ж""#),
    ])
    func stringsHaveOneSpelling(_ written: String, _ expected: String) {
        #expect(canonicalValue(written) == .success(expected))
    }

    /// Text is compared as it stands: neither trimmed, nor folded, nor normalized.
    @Test func textIsNotTouched() {
        let spellings = ["\u{C5}", "A\u{30A}", "\u{212B}", "\u{E5}", " \u{C5}", "\u{C5} "]
        let forms = spellings.map { Array(#"{"a":"\#($0)","model":"m"}"#.utf8) }
        for form in forms { #expect(canonical(form).map { Array($0.utf8) } == .success(form)) }
        #expect(Set(forms.map { key($0) }).count == spellings.count)
    }

    /// The text is copied in blocks: what stops a block must be found at each place in one.
    @Test(arguments: 0..<40)
    func stringsOfEveryLength(_ length: Int) {
        let run = String(repeating: "x", count: length)
        for (written, expected) in [("", ""), (#"\n"#, #"\n"#), ("é", "é"), (#"\/"#, "/"), ("😂", "😂")] {
            #expect(canonicalValue("\"\(run)\(written)\(run)\"") == .success("\"\(run)\(expected)\(run)\""))
        }
        #expect(canonicalValue("\"\(run)\u{1}\(run)\"") == .failure(.notJSON))
        #expect(canonicalValue("\"\(run)") == .failure(.notJSON))
    }

    @Test(arguments: [
        (#"{"model":"m"}"#, #"{"model":"m"}"#),
        (#" { "model" : "m" } "#, #"{"model":"m"}"#),
        (
            "\t\r\n{\"b\":[ 1 , 2,[] ,{ }],\n\"a\":{\"d\":null,\"c\":true},\"model\":\"m\"}\n",
            #"{"a":{"c":true,"d":null},"b":[1,2,[],{}],"model":"m"}"#
        ),
        (
            #"{"z":1,"model":"m","y":{"b":{"d":4,"c":3},"a":[{"f":6,"e":5}]},"":0}"#,
            #"{"":0,"model":"m","y":{"a":[{"e":5,"f":6}],"b":{"c":3,"d":4}},"z":1}"#
        ),
        // Names that share their first eight bytes, and a name that begins another.
        (
            #"{"parameters2":1,"parameters1":2,"parameters":3,"paramete":4,"paramet":5,"model":"m"}"#,
            #"{"model":"m","paramet":5,"paramete":4,"parameters":3,"parameters1":2,"parameters2":1}"#
        ),
        // Names order by their text, not by its escapes: " is before Z, though \ is behind it.
        (
            #"{"aZ":1,"a\"":2,"a\\":3,"a\u0001":4,"a\n":5,"model":"m"}"#,
            #"{"a\u0001":4,"a\n":5,"a\"":2,"aZ":1,"a\\":3,"model":"m"}"#
        ),
        // UTF-16 puts U+1F602 before U+E000 and U+FB33; UTF-8 would not.
        (
            #"{"\ufb33":1,"😂":2,"\uFDFA":3,"\uE000":4,"\uD7FF":5,"model":"m"}"#,
            "{\"model\":\"m\",\"\u{D7FF}\":5,\"😂\":2,\"\u{E000}\":4,\"\u{FB33}\":1,\"\u{FDFA}\":3}"
        ),
    ])
    func membersAreSorted(_ written: String, _ expected: String) {
        #expect(canonical(written) == .success(expected))
    }

    /// The samples of RFC 8785, sections 3.2.2 and 3.2.3, with a model, which every request has.
    @Test func sampleOfSection322() {
        let written = #"""
            {
              "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
              "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
              "literals": [null, true, false], "model": "m"
            }
            """#
        // The first number keeps its digits, of which a double has two fewer.
        let expected =
            #"{"literals":[null,true,false],"model":"m","numbers":[333333333.33333329,1e+30,4.5,0.002,1e-27],"#
            + #""string":"€$\u000f\nA'B\"\\\\\"/"}"#
        #expect(canonical(written) == .success(expected))
    }

    @Test func sampleOfSection323() {
        let written = #"""
            {"\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh",
             "1": "One", "\ud83d\ude00": "Emoji: Grinning Face", "\u0080": "Control",
             "\u00f6": "Latin Small Letter O With Diaeresis", "model": "m"}
            """#
        let expected =
            "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"model\":\"m\",\"\u{80}\":\"Control\","
            + "\"ö\":\"Latin Small Letter O With Diaeresis\",\"€\":\"Euro Sign\","
            + "\"😀\":\"Emoji: Grinning Face\",\"\u{FB33}\":\"Hebrew Letter Dalet With Dagesh\"}"
        #expect(canonical(written) == .success(expected))
    }

    @Test func onlyTopLevelMembersAreLeftOut() {
        let written = #"""
            {"user":"u","metadata":{"a":1},"model":"m","tools":[{"user":1,"stream":true}],"x":{"store":true},
             "stream":true,"\u0073ervice_tier":"auto","User":"kept"}
            """#
        let expected = #"{"User":"kept","model":"m","tools":[{"stream":true,"user":1}],"x":{"store":true}}"#
        #expect(canonical(written) == .success(expected))
    }

    @Test func theListOfLeftOutMembersIsASetting() {
        let rules = RequestRules(leftOut: ["é\n", "a-rather-long-name", "model"])
        let written = #"{"a-rather-long-name":1,"a-rather-long-nam_":2,"\u00e9\n":3,"stream":true,"model":"m"}"#
        #expect(canonical(written, rules: rules) == .success(#"{"a-rather-long-nam_":2,"stream":true}"#))
        let nothing = RequestRules(leftOut: ["model"])
        #expect(canonical(#"{"model":"m"}"#, rules: nothing) == .success("{}"))
    }

    @Test func leftOutFieldsAreNamed() throws {
        let body = Array(#"{"stream":true,"model":"m","user":"u","temperature":1,"metadata":{}}"#.utf8)
        let reader = RequestReader(rules: RequestRules())
        try body.withUnsafeBytes { _ = try reader.read($0, as: .chat) }
        #expect(reader.leftOutFields.sorted() == ["metadata", "stream", "user"])
    }

    /// Many members take the merging path of the sort, and more memory than the reader has at first.
    @Test(arguments: [15, 16, 17, 33, 1000, 20_000])
    func manyMembers(_ count: Int) {
        func name(_ index: Int) -> String { "n" + String(index + 1_000_000) }
        let sorted = (0..<count).map { "\"\(name($0))\":\($0)" }
        let expected = "{\"model\":\"m\"," + sorted.joined(separator: ",") + "}"
        let order = (0..<count).map { $0 * 7919 % count }
        let shuffled = Set(order).count == count ? order.map { sorted[$0] } : sorted.reversed()
        #expect(canonical("{" + shuffled.joined(separator: ",") + ",\"model\":\"m\"}") == .success(expected))
        #expect(canonical("{\"model\":\"m\"," + sorted.reversed().joined(separator: ",") + "}") == .success(expected))
        let twice = "{\"model\":\"m\"," + shuffled.joined(separator: ",") + ",\"\(name(count / 2))\":0}"
        #expect(canonical(twice) == .failure(.duplicateMember))
    }

    /// Short spellings of long numbers make the canonical form longer than the body.
    @Test func theOutputOutgrowsTheBody() {
        let count = 10_000
        let written = "{\"model\":\"m\",\"n\":[" + Array(repeating: "1e20", count: count).joined(separator: ",") + "]}"
        let plain = Array(repeating: "100000000000000000000", count: count).joined(separator: ",")
        #expect(canonical(written) == .success("{\"model\":\"m\",\"n\":[" + plain + "]}"))
    }

    @Test func aReaderIsUsedAgain() throws {
        let reader = RequestReader(rules: RequestRules())
        let large = #"{"model":"m","x":"\#(String(repeating: "y", count: 3 << 20))"}"#
        for body in [#"{"b":1,"model":"m"}"#, large, "{", #"{"model":"m","a":1}"#] {
            let bytes = Array(body.utf8)
            let isRead = bytes.withUnsafeBytes { (try? reader.read($0, as: .chat)) != nil }
            #expect(isRead == (body != "{"))
            let text = String(decoding: reader.canonical, as: UTF8.self)
            #expect(text == (isRead ? try canonical(body).get() : ""))
        }
    }
}
