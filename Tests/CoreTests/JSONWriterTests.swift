import Core
import Testing

@Suite struct JSONWriterTests {
    private func written(_ body: (inout JSONWriter) -> Void) -> String {
        var writer = JSONWriter()
        body(&writer)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    @Test func nesting() {
        let text = written { writer in
            writer.beginObject()
            writer.member("a", 1)
            writer.name("b")
            writer.beginArray()
            writer.beginObject()
            writer.endObject()
            writer.value("x")
            writer.beginArray()
            writer.endArray()
            writer.endArray()
            writer.member("c", true)
            writer.endObject()
        }
        #expect(text == #"{"a":1,"b":[{},"x",[]],"c":true}"#)
    }

    @Test(arguments: [
        ("", #""""#), ("a\"b\\c/", #""a\"b\\c/""#), ("\n\r\t", #""\n\r\t""#), ("\u{0}\u{1F}", #""\u0000\u001f""#),
        ("é😀\u{7F}", "\"é😀\u{7F}\""),
    ])
    func strings(value: String, text: String) {
        #expect(written { $0.value(value) } == text)
    }

    @Test(arguments: [(0.5, "0.5"), (1.0, "1.0"), (1e-7, "1e-07"), (Double.nan, "null"), (.infinity, "null")])
    func numbers(value: Double, text: String) {
        #expect(written { $0.value(value) } == text)
        #expect(written { $0.value(nil as Double?) } == "null")
        #expect(written { $0.value(UInt64.max) } == "18446744073709551615")
    }
}
