/// The scale on which durations are counted: log-linear, two significant decimal digits, 1 µs to 1000 s.
///
/// Each decade is cut into 90 equal steps, so that decimal bounds fall on the edges of steps and a quantile is
/// known to within 5 %. The scheme is that of Hartmann and Schlossnagle, "Circllhist" (arXiv:2001.06561).
/// Step 0 holds everything up to 1 µs, the last step everything above 1000 s; a step includes its upper edge,
/// as Prometheus wants it of its buckets.
package enum HistogramScale {
    package static let decades = 9
    package static let stepsPerDecade = 90
    /// The number of steps; `Histogram` repeats it as the literal that its storage needs.
    package static let stepCount = decades * stepsPerDecade + 2

    /// The step a duration falls into. Negative durations count as zero.
    @inline(__always)
    package static func step(ofNanoseconds duration: Int64) -> Int {
        // One less, because a step includes its upper edge.
        let units = UInt64(bitPattern: max(duration, 1) &- 1) / 100
        guard units >= 10 else { return 0 }
        guard units < 10_000_000_000 else { return stepCount - 1 }
        // log10 from log2: 1233/4096 is just above the ratio, one comparison settles the rest.
        let bits = UInt64.bitWidth - units.leadingZeroBitCount
        var exponent = (bits &* 1233) >> 12
        if units < power(exponent) { exponent &-= 1 }
        // units / 10^(exponent-1) lies in 10...99; the division is by multiplication with the reciprocal, exact here
        // because the divisor squared stays below 2^63 / 100.
        let leading = Int(truncatingIfNeeded: (units &<< 1).multipliedFullWidth(by: reciprocal(exponent &- 1)).high)
        return 1 &+ (exponent &- 1) &* stepsPerDecade &+ (leading &- 10)
    }

    /// The upper edge of a step, in nanoseconds; nil for the last one, which has none.
    package static func upperEdge(of step: Int) -> Int64? {
        guard step > 0 else { return 1_000 }
        guard step < stepCount - 1 else { return nil }
        let (decade, rest) = (step - 1).quotientAndRemainder(dividingBy: stepsPerDecade)
        return Int64(power(decade)) * 100 * Int64(rest + 11)
    }

    /// The lower edge of a step, in nanoseconds.
    package static func lowerEdge(of step: Int) -> Int64 {
        step == 0 ? 0 : upperEdge(of: step - 1) ?? 0
    }

    @inline(__always)
    private static func power(_ exponent: Int) -> UInt64 {
        switch exponent {
        case 0: 1
        case 1: 10
        case 2: 100
        case 3: 1_000
        case 4: 10_000
        case 5: 100_000
        case 6: 1_000_000
        case 7: 10_000_000
        case 8: 100_000_000
        case 9: 1_000_000_000
        default: 10_000_000_000
        }
    }

    /// 2^63 / 10^exponent, rounded up.
    @inline(__always)
    private static func reciprocal(_ exponent: Int) -> UInt64 {
        switch exponent {
        case 0: 9_223_372_036_854_775_808
        case 1: 922_337_203_685_477_581
        case 2: 92_233_720_368_547_759
        case 3: 9_223_372_036_854_776
        case 4: 922_337_203_685_478
        case 5: 92_233_720_368_548
        case 6: 9_223_372_036_855
        case 7: 922_337_203_686
        default: 92_233_720_369
        }
    }
}

/// What a histogram held at one moment, summed over its writers.
package struct HistogramReading: Sendable, Equatable {
    package private(set) var steps = [UInt64](repeating: 0, count: HistogramScale.stepCount)
    package private(set) var sumNanoseconds: UInt64 = 0

    package init() {}

    package var count: UInt64 { steps.reduce(0, &+) }

    mutating func add(step: Int, _ count: UInt64) { steps[step] &+= count }
    mutating func add(sum nanoseconds: UInt64) { sumNanoseconds &+= nanoseconds }

    /// The quantile in nanoseconds, as the middle of the step it falls into; nil where nothing was counted.
    package func quantile(_ fraction: Double) -> Int64? {
        let total = count
        guard total > 0 else { return nil }
        let rank = max(1, UInt64((Double(total) * min(max(fraction, 0), 1)).rounded(.up)))
        var seen: UInt64 = 0
        for (step, count) in steps.enumerated() where count > 0 {
            seen &+= count
            guard seen >= rank else { continue }
            let lower = HistogramScale.lowerEdge(of: step)
            return HistogramScale.upperEdge(of: step).map { lower + ($0 - lower) / 2 } ?? lower
        }
        return nil
    }

    /// How many were at most this long. Exact where the bound is an edge of the scale.
    package func count(upTo nanoseconds: Int64) -> UInt64 {
        let last = HistogramScale.step(ofNanoseconds: nanoseconds)
        return steps[...last].reduce(0, &+)
    }
}
