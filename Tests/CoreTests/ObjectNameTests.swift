import Core
import Testing

struct ObjectNameTests {
    @Test(arguments: ["a", "v1/ab/cd", "a b+c=d&e~f%20", "日本/ü", "a.b/c..d", "a/b/c/d/e/f/g/h", "a:b\\c"])
    func takes(text: String) {
        #expect(ObjectName(text)?.text == text)
    }

    @Test(arguments: [
        "", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/../b", "a/./b", "a/..", ".hidden", "a/.put-0", "a\0b",
        "a\nb",
        "a\u{7F}", "a/b/c/d/e/f/g/h/i", String(repeating: "a", count: 256), String(repeating: "ab/", count: 400),
    ])
    func refuses(text: String) {
        #expect(ObjectName(text) == nil)
    }

    @Test func entriesHaveAPlaceEach() {
        let key = CacheKey(0xABCD_EF01_2345_6789, 1, 2, 3)
        let name = ObjectName(entry: key)
        #expect(name.text == "v1/ab/cdef012345678900000000000000010000000000000002" + "0000000000000003")
        #expect(ObjectName(name.text) == name)
        #expect(name.entryKey == key)
    }

    @Test(arguments: [
        "v1/ab/cd", "v1/AB/cdef0123456789000000000000000100000000000000020000000000000003",
        "v1/abc/def0123456789000000000000000100000000000000020000000000000003",
        "v2/ab/cdef0123456789000000000000000100000000000000020000000000000003", "generations",
    ])
    func otherNamesAreNoEntries(text: String) throws {
        #expect(try #require(ObjectName(text)).entryKey == nil)
    }
}
