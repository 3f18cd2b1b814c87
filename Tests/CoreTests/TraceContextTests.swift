import Core
import TestKit
import Testing

@Suite struct TraceContextTests {
    private func read(_ text: String) -> TraceContext? {
        var text = text
        return text.withUTF8 { TraceContext(traceparent: UnsafeRawBufferPointer($0)) }
    }

    private static let trace = "4bf92f3577b34da6a3ce929d0e0e4736"

    @Test func readsWhatTheStandardShows() throws {
        let context = try #require(read("00-\(Self.trace)-00f067aa0ba902b7-01"))
        #expect(context.traceID == Self.trace && context.parent == 0x00f0_67aa_0ba9_02b7 && context.isSampled)
        #expect(context.traceparent(span: 0xab) == "00-\(Self.trace)-00000000000000ab-01")
    }

    @Test func laterVersionsMaySayMore() {
        #expect(read("01-\(Self.trace)-00f067aa0ba902b7-00-more") != nil)
        #expect(read("01-\(Self.trace)-00f067aa0ba902b7-00more") == nil)
        #expect(read("00-\(Self.trace)-00f067aa0ba902b7-00-more") == nil)
    }

    /// Flags that nobody knows yet are not passed on.
    @Test func onlyTheKnownFlagIsPassedOn() {
        #expect(read("00-\(Self.trace)-00f067aa0ba902b7-fe")?.traceparent(span: 1).hasSuffix("-00") == true)
    }

    /// One byte changed anywhere: read as what it now says, or not at all.
    @Test func damagedOnesAreNone() {
        let good = Array("00-\(Self.trace)-00f067aa0ba902b7-01".utf8)
        for index in good.indices {
            for byte in [0, 32, 45, 71, 103, 255] as [UInt8] where byte != good[index] {
                var damaged = good
                damaged[index] = byte
                #expect(damaged.withUnsafeBytes { TraceContext(traceparent: $0) } == nil, "\(index) \(byte)")
            }
            #expect(good[..<index].withUnsafeBytes { TraceContext(traceparent: $0) } == nil)
        }
    }
}
