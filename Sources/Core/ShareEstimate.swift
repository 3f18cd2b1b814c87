/// A share that was counted on some cases, with the interval that holds it.
package struct ShareEstimate: Sendable, Equatable {
    package var count: Int
    package var of: Int

    package init(_ count: Int, of: Int) {
        self.count = count
        self.of = of
    }

    /// nil where nothing was counted.
    package var share: Double? { of > 0 ? Double(count) / Double(of) : nil }

    /// The 95 % interval of Wilson ("Probable inference", 1927), which stays inside 0 to 1 and is of use for small counts;
    /// everything where nothing was counted.
    package var interval: ClosedRange<Double> { Wilson.interval(share ?? 0, Double(of), z: 1.96) }
}

/// Wilson's score interval ("Probable inference, the law of succession, and statistical inference", 1927).
package enum Wilson {
    package static func interval(_ share: Double, _ count: Double, z: Double) -> ClosedRange<Double> {
        guard count > 0 else { return 0...1 }
        let square = z * z / count
        let middle = (share + square / 2) / (1 + square)
        let half = z / (1 + square) * (share * (1 - share) / count + square / (4 * count)).squareRoot()
        return max(0, middle - half)...max(0, min(1, middle + half))
    }

    /// How many observations give a share this lower bound.
    package static func observations(_ share: Double, lowerBound: Double, z: Double) -> Double {
        var low = 0.0
        var high = 1_000_000.0
        // Twenty halvings leave less than one observation.
        for _ in 0..<20 {
            let middle = (low + high) / 2
            if interval(share, middle, z: z).lowerBound < lowerBound { low = middle } else { high = middle }
        }
        return low
    }
}
