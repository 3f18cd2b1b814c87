/// A place in a distributed trace, as `traceparent` carries it (W3C Trace Context, level 1).
package struct TraceContext: Sendable, Equatable {
    /// The trace's identifier; never all zero.
    package let traceHigh, traceLow: UInt64
    /// The span this place is below; 0 where the trace begins here.
    package let parent: UInt64
    package let flags: UInt8

    package init(traceHigh: UInt64, traceLow: UInt64, parent: UInt64, flags: UInt8) {
        self.traceHigh = traceHigh
        self.traceLow = traceLow
        self.parent = parent
        self.flags = flags
    }

    /// Reads the value of `traceparent`; nil where it has to be ignored.
    package init?(traceparent value: BytesView) {
        // version-trace-parent-flags; later versions may add fields behind another hyphen.
        guard value.count >= 55, value[2] == 45, value[35] == 45, value[52] == 45 else { return nil }
        func number(_ range: Range<Int>) -> UInt64? {
            var result: UInt64 = 0
            for index in range {
                guard value[index] < 65 || value[index] > 70, let digit = Hex.value(of: value[index]) else {
                    return nil
                }
                result = result << 4 | UInt64(digit)
            }
            return result
        }
        guard let version = number(0..<2), version != 255, value.count == 55 || version > 0 && value[55] == 45,
            let high = number(3..<19), let low = number(19..<35), high | low != 0, let parent = number(36..<52),
            parent != 0, let flags = number(53..<55)
        else { return nil }
        self.init(traceHigh: high, traceLow: low, parent: parent, flags: UInt8(flags))
    }

    /// Whether whoever began the trace records it.
    package var isSampled: Bool { flags & 1 == 1 }

    /// 32 hexadecimal digits.
    package var traceID: String { Hex.text(traceHigh) + Hex.text(traceLow) }

    /// The value to send to whom a span of this trace calls.
    package func traceparent(span: UInt64) -> String {
        // Of the flags only the one that is known may be passed on.
        "00-\(traceID)-\(Hex.text(span))-0\(flags & 1)"
    }
}

extension Hex {
    /// 16 hexadecimal digits.
    package static func text(_ word: UInt64) -> String {
        var digits: [UInt8] = []
        digits.reserveCapacity(16)
        for shift in stride(from: 60, through: 0, by: -4) {
            digits.append(digit(UInt8(truncatingIfNeeded: word >> UInt64(shift)) & 15))
        }
        return String(decoding: digits, as: UTF8.self)
    }
}
