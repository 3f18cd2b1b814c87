import Core

/// A quantile of the latest latencies, within 9 %, in fixed memory.
///
/// A histogram with eight bins an octave (HdrHistogram's layout with three bits of precision). When a thousand are
/// counted all bins are halved, so that what was long ago weighs little.
struct LatencyQuantile: Sendable {
    private static let binsPerOctave = 8
    /// From about a millisecond (2^20 ns) to about 70 minutes (2^42 ns).
    private static let firstOctave = 20
    private static let octaves = 22
    private static let mostCounted = 1000
    /// Below this a quantile says little.
    static let fewest = 20

    private var bins = [Int32](repeating: 0, count: LatencyQuantile.octaves * LatencyQuantile.binsPerOctave)
    private var count = 0

    mutating func record(_ latency: Int64) {
        bins[LatencyQuantile.bin(of: latency)] += 1
        count += 1
        guard count >= LatencyQuantile.mostCounted else { return }
        count = 0
        for index in bins.indices {
            bins[index] /= 2
            count += Int(bins[index])
        }
    }

    /// The upper edge of the bin that holds the quantile, in nanoseconds; nil while too few are known.
    func value(_ quantile: Double) -> Int64? {
        guard count >= LatencyQuantile.fewest else { return nil }
        let rank = Int((Double(count) * quantile).rounded(.up))
        var seen = 0
        for (index, held) in bins.enumerated() {
            seen += Int(held)
            if seen >= rank { return LatencyQuantile.edge(above: index) }
        }
        return nil
    }

    private static func bin(of latency: Int64) -> Int {
        let value = UInt64(max(latency, 1 << firstOctave))
        let octave = 63 - value.leadingZeroBitCount
        guard octave < firstOctave + octaves else { return octaves * binsPerOctave - 1 }
        let fraction = Int(value >> UInt64(octave - 3) & 7)
        return (octave - firstOctave) * binsPerOctave + fraction
    }

    private static func edge(above bin: Int) -> Int64 {
        let octave = firstOctave + bin / binsPerOctave
        return Int64(binsPerOctave + bin % binsPerOctave + 1) << Int64(octave - 3)
    }
}
