import Core

/// How many calls an upstream is given at a time.
///
/// Adaptive, it is the gradient of Netflix's concurrency-limits (`Gradient2Limit`, 2018), a descendant of TCP Vegas
/// (Brakmo and Peterson, 1995): where the latency now is longer than it usually is, a queue has built up behind the
/// upstream's door and the limit shrinks by as much; otherwise it grows by half the square root of itself, which is the
/// queue that is put up with. Latencies of models vary with the prompt, so a step is taken on the mean of a window of
/// answers, and a window half as long again as usual is still none to worry about.
///
/// What is usual is learnt only where there can hardly be a queue: while half of the room is empty, or the limit is
/// very low. The original learns it always, and in an overload that lasts it takes the queue for the usual. A server
/// that is slower from now on brings the limit down until it is low enough to learn that.
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
    /// Few, so that what counts as usual is learnt before there can be a queue.
    private static let firstLimit = 4.0
    /// A step while no sign of a queue was seen: TCP's slow start, a little slower.
    private static let startFactor = 1.5

    private var bounds: ClosedRange<Double>
    private var estimate: Double
    private var usual: Double?
    private var isStarting = true
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
        // After a large step one round trip tells of the time before it.
        guard windowCount >= max(ConcurrencyLimit.fewestSamples, isStarting ? 2 * inFlight : inFlight) else { return }
        step(mean: windowSum / Double(windowCount))
        (windowSum, windowCount, windowPeak) = (0, 0, 0)
    }

    /// It refused or gave no answer to an attempt that began at `start`.
    mutating func dropped(start: Int64, now: Int64) {
        guard start >= droppedAt else { return }
        droppedAt = now
        isStarting = false
        estimate = max(bounds.lowerBound, min(bounds.upperBound, estimate * ConcurrencyLimit.backoff))
    }

    private mutating func step(mean: Double) {
        guard var long = usual else {
            usual = mean
            return
        }
        // With half of the slots empty the latency tells what is usual, and nothing about the limit.
        let isLoaded = Double(windowPeak) >= estimate / 2
        if !isLoaded || mean < long || estimate <= ConcurrencyLimit.firstLimit {
            long += (mean - long) * ConcurrencyLimit.longWeight
            usual = long
        }
        guard isLoaded else { return }
        let gradient = max(0.5, min(1, ConcurrencyLimit.tolerance * long / mean))
        isStarting = isStarting && gradient == 1
        let target = estimate * gradient + estimate.squareRoot() / 2
        let next =
            isStarting
            ? estimate * ConcurrencyLimit.startFactor
            : estimate * (1 - ConcurrencyLimit.smoothing) + target * ConcurrencyLimit.smoothing
        estimate = min(max(next, bounds.lowerBound), bounds.upperBound)
    }
}
