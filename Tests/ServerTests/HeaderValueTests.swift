import Core
import Testing

@testable import Server

@Suite struct HeaderValueTests {
    private func text(_ write: (inout HeaderValue) -> Void) -> String {
        var value = HeaderValue()
        write(&value)
        return value.withCString { String(cString: $0) }
    }

    @Test(arguments: [0, 7, 10, -1, 86_399, Int64.max, Int64.min])
    func numbersAreWrittenAsSwiftWritesThem(_ number: Int64) { #expect(text { $0.put(number) } == String(number)) }

    @Test func keysAreWrittenAsTheirHexadecimalForm() {
        let key = CacheKey(0x0123_4567_89ab_cdef, 0, .max, 0xfeed)
        #expect(text { $0.put(key) } == key.hex)
    }

    @Test func whatDoesNotFitIsCut() {
        let long = String(repeating: "x", count: 500)
        #expect(text { $0.put(long) } == String(long.prefix(223)))
    }
}
