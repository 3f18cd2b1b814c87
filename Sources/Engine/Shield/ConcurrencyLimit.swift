import Core

/// How many calls an upstream is given at a time.
///
/// Adaptive, it is the gradient of Netflix's concurrency-limits (`Gradient2Limit`, 2018), a descendant of TCP Vegas
/// (Brakmo and Peterson, 1995): where the latency now is longer than it usually is, a queue has built up behind the
/// upstream's door and the limit shrinks by as much; otherwise it grows by the square root of itself, which is the
/// queue that is put up with. Latencies of models vary with the prompt, so a step is taken on the mean of a window of
/// answers, and a window half as long again as usual is still none to worry about.
struct ConcurrencyLimit: Sendable {
    /// Answers that make a window, at least; more where many are under way, so that one round trip fills it.
    private static let fewestSamples = 10
    /// How much longer than usual is still usual.
    private static let tolerance = 1.5
    /// Weight of a step against the limit as it was.
    private static let smoothing = 0.2
    /// Of a window's mean in the latency that counts as usual.
    private static let longWeight = 0.05
    /// After a refusal or a timeout.
    private static let backoff = 0.9
    private static let firstLimit = 20.0

    private var bounds: ClosedRange<Double>
    private var estimate: Double
    private var usual: Double?
    private var windowSum = 0.0
    private var windowCount = 0
    private var windowPeak = 0
    /// An attempt that began before the last step down says nothing new.
    private var droppedAt = Int64.min

    var current: Int { Int(estimate) }

    init(_ plan: ShieldPlan.Concurrency) {
        bounds = ConcurrencyLimit.bounds(of: plan)
        estimate = min(max(ConcurrencyLimit.firstLimit, bounds.lowerBound), bounds.upperBound)
    }

    mutating func change(_ plan: ShieldPlan.Concurrency) {
        bounds = ConcurrencyLimit.bounds(of: plan)
        estimate = min(max(estimate, bounds.lowerBound), bounds.upperBound)
    }

    private static func bounds(of plan: ShieldPlan.Concurrency) -> ClosedRange<Double> {
        switch plan {
        case .fixed(let count): return Double(max(1, count))...Double(max(1, count))
        case .adaptive(let least, let most):
            let least = max(1, least)
            return Double(least)...Double(max(least, most))
        }
    }

    /// An answer came after `latency` nanoseconds; `inFlight` were under way, it included.
    mutating func answered(latency: Int64, inFlight: Int) {
        guard bounds.lowerBound < bounds.upperBound else { return }
        windowSum += Double(max(latency, 1))
        windowCount += 1
        windowPeak = max(windowPeak, inFlight)
        guard windowCount >= max(ConcurrencyLimit.fewestSamples, inFlight) else { return }
        step(mean: windowSum / Double(windowCount))
        (windowSum, windowCount, windowPeak) = (0, 0, 0)
    }

    /// It refused or gave no answer to an attempt that began at `start`.
    mutating func dropped(start: Int64, now: Int64) {
        guard start >= droppedAt else { return }
        droppedAt = now
        estimate = max(bounds.lowerBound, min(bounds.upperBound, estimate * ConcurrencyLimit.backoff))
    }

    private mutating func step(mean: Double) {
        guard var long = usual else {
            usual = mean
            return
        }
        long += (mean - long) * ConcurrencyLimit.longWeight
        // Fallen to less than half: what counted as usual was itself a long queue. Forget it faster.
        if long > 2 * mean { long *= 0.95 }
        usual = long
        // With half of the slots empty the latency tells nothing about the limit.
        guard Double(windowPeak) >= estimate / 2 else { return }
        let gradient = max(0.5, min(1, ConcurrencyLimit.tolerance * long / mean))
        let target = estimate * gradient + estimate.squareRoot()
        let next = estimate * (1 - ConcurrencyLimit.smoothing) + target * ConcurrencyLimit.smoothing
        estimate = min(max(next, bounds.lowerBound), bounds.upperBound)
    }
}
