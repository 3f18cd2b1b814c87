/// vCache's policy, written from its description (Schroeder et al., "vCache: Verified Semantic Prompt Caching", 2025): each
/// kept prompt learns from the neighbours it explored how similar one must be.
struct VCachePolicy {
    private struct Entry {
        // Its two seeds stay for ever.
        var observations: [(similarity: Double, isRight: Bool)] = [(0, false), (1, true)]
        var fit: Fit?
    }

    private struct Fit {
        var slope: Double
        var threshold: Double
        var deviation: Double
    }

    let share: Double
    private var entries: [Int: Entry] = [:]

    init(share: Double) { self.share = share }

    /// Whether to serve the entry's answer. Otherwise the call tells what it would have been worth.
    mutating func serves(_ entry: Int, similarity: Double, chance: Double) -> Bool {
        let state = entries[entry] ?? Entry()
        guard state.observations.count >= 6 else { return false }
        let fit = state.fit ?? Self.fit(state.observations)
        entries[entry, default: state].fit = fit
        var best = 0.0
        for step in 0..<50 {
            let miss = 1e-6 + (1 - 2e-6) * Double(step) / 49
            let threshold = min(1, max(0, fit.threshold + Self.quantile(1 - miss) * fit.deviation))
            best = max(best, (1 - miss) * Self.sigmoid(fit.slope * (similarity - threshold)))
        }
        return chance >= 1 - min(1, share / max(1e-12, 1 - best))
    }

    mutating func learn(_ entry: Int, similarity: Double, isRight: Bool) {
        entries[entry, default: Entry()].observations.append(((similarity * 1000).rounded() / 1000, isRight))
        entries[entry]?.fit = nil
    }

    /// A logistic curve by Newton's steps; where the classes are apart its slope would grow without end and is cut.
    private static func fit(_ observations: [(similarity: Double, isRight: Bool)]) -> Fit {
        let right = observations.filter(\.isRight).map(\.similarity).min() ?? 1
        let wrong = observations.filter { !$0.isRight }.map(\.similarity).max() ?? 0
        if right > wrong {
            // The variance of the threshold falls with the number of observations; from a simulation.
            let variance = min(0.035, 0.24 / Double(observations.count))
            return Fit(slope: 200, threshold: (right + wrong) / 2, deviation: variance.squareRoot())
        }
        var (base, slope) = (-5.0, 10.0)
        var inverse = (a: 0.0, b: 0.0, c: 0.0)
        for _ in 0..<50 {
            var (g0, g1, a, b, c) = (0.0, 0.0, 1e-9, 0.0, 1e-9)
            for (s, isRight) in observations {
                let p = sigmoid(base + slope * s)
                let error = (isRight ? 1 : 0) - p
                g0 += error
                g1 += error * s
                a += p * (1 - p)
                b += p * (1 - p) * s
                c += p * (1 - p) * s * s
            }
            let determinant = max(1e-12, a * c - b * b)
            inverse = (c / determinant, -b / determinant, a / determinant)
            let step = (inverse.a * g0 + inverse.b * g1, inverse.b * g0 + inverse.c * g1)
            let length = max(1, max(abs(step.0), abs(step.1)) / 20)
            base += step.0 / length
            slope = max(1e-6, min(200, slope + step.1 / length))
        }
        let gradient = (-1 / slope, base / (slope * slope))
        let variance =
            gradient.0 * gradient.0 * inverse.a + 2 * gradient.0 * gradient.1 * inverse.b
            + gradient.1 * gradient.1 * inverse.c
        return Fit(slope: slope, threshold: min(1, max(0, -base / slope)), deviation: max(0, variance).squareRoot())
    }

    private static func sigmoid(_ x: Double) -> Double { x > 40 ? 1 : x < -40 ? 0 : 1 / (1 + power(-x)) }

    /// e to the power of x, by halving until the series is short.
    private static func power(_ x: Double) -> Double {
        var small = x / 1024
        small = 1 + small + small * small / 2 + small * small * small / 6
        for _ in 0..<10 { small *= small }
        return small
    }

    /// Of the normal distribution, by halving the interval of its logistic approximation (Bowling et al., 2009).
    private static func quantile(_ share: Double) -> Double {
        var (low, high) = (-5.0, 5.0)
        for _ in 0..<40 {
            let middle = (low + high) / 2
            if sigmoid(0.07056 * middle * middle * middle + 1.5976 * middle) < share {
                low = middle
            } else {
                high = middle
            }
        }
        return (low + high) / 2
    }
}
