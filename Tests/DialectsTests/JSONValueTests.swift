import Core
import Dialects
import Testing

struct JSONValueTests {
    @Test(arguments: [
        #"{"b":1,"a":[true,false,null],"c":{"d":"e"}}"#, #"[1.0,1e0,-0,12345678901234567890,0.1E+7]"#, #""""#, "0",
        "[]", "{}", #"["é","\u0001","\\","\"","\n"]"#,
    ])
    func `what is read is written again`(text: String) throws {
        #expect(String(decoding: try JSONValue.parse(text).serialised, as: UTF8.self) == text)
    }

    @Test(arguments: [
        (#""\u00e9\ud83d\ude00\/\b\f""#, "é😀/\u{8}\u{C}"), (#""a\u2028b""#, "a\u{2028}b"), (" \"x\"\r\n\t", "x"),
    ])
    func `escapes are understood`(text: String, meaning: String) throws {
        #expect(try JSONValue.parse(text) == .string(meaning))
    }

    @Test func `line separators that readers of event streams may split at are escaped`() {
        let text = String(decoding: JSONValue.string("a\u{2028}b\u{2029}c\u{85}d").serialised, as: UTF8.self)
        #expect(text == #""a\u2028b\u2029c\u0085d""#)
    }

    @Test(arguments: [
        ("", JSONFault.syntax), ("{", .syntax), ("[1,]", .syntax), ("[,1]", .syntax), ("{\"a\":1,}", .syntax),
        ("{\"a\" 1}", .syntax), ("{a:1}", .syntax), ("01", .syntax), ("1.", .syntax), ("+1", .syntax), ("1e", .syntax),
        ("-", .syntax), ("tru", .syntax), ("nul", .syntax), ("\"a", .syntax), ("\"\u{1}\"", .syntax),
        (#""\x""#, .syntax), (#""\u12""#, .syntax), ("1 2", .syntax), ("[1}", .syntax), ("{\"a\":1]", .syntax),
        ("NaN", .syntax), (#""\ud800""#, .unicode), (#""\udc00""#, .unicode), (#""\ud800\u0041""#, .unicode),
        (#"{"a":1,"a":2}"#, .duplicateMember), (#"{"a":1,"\u0061":2}"#, .duplicateMember),
    ])
    func `faults are told apart`(text: String, fault: JSONFault) {
        #expect(throws: fault) { try JSONValue.parse(text) }
    }

    @Test func `large objects are checked for duplicates too`() {
        let members = (0..<40).map { "\"m\($0)\":0" }.joined(separator: ",")
        #expect(throws: Never.self) { try JSONValue.parse("{\(members)}") }
        #expect(throws: JSONFault.duplicateMember) { try JSONValue.parse("{\(members),\"m7\":1}") }
    }

    @Test func `bytes that are not UTF-8 are refused`() {
        #expect(throws: JSONFault.unicode) {
            try Bytes([0x22, 0xC3, 0x28, 0x22]).withUnsafeBytes { (bytes) throws(JSONFault) in
                try JSONValue.parse(bytes)
            }
        }
    }

    @Test func `depth and size are bounded`() {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        #expect(throws: Never.self) { try JSONValue.parse(nested(128)) }
        #expect(throws: JSONFault.tooLarge) { try JSONValue.parse(nested(129)) }
        #expect(throws: JSONFault.tooLarge) { try JSONValue.parse(String(repeating: "[", count: 1_000_000)) }
        let many = "[" + String(repeating: "0,", count: JSONValue.maxValues) + "0]"
        #expect(throws: JSONFault.tooLarge) { try JSONValue.parse(many) }
    }

    @Test func `texts are equal by their bytes and objects whatever their order`() throws {
        #expect(JSONValue.string("e\u{301}") != .string("\u{E9}"))
        #expect(try JSONValue.parse(#"{"a":1,"b":2}"#) == JSONValue.parse(#"{"b":2,"a":1}"#))
        #expect(try JSONValue.parse(#"{"a":1,"b":2}"#) != JSONValue.parse(#"{"b":2,"a":3}"#))
        #expect(try JSONValue.parse("1.0") != JSONValue.parse("1"))
    }
}
