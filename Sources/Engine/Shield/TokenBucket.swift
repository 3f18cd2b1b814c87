import Core

/// A rate with an allowance for bursts: in a span of `t` seconds no more than `rate * t + capacity` is taken, and the
/// one cost that is larger than the capacity itself.
///
/// What costs more than the capacity passes when the bucket is full and leaves a debt, or it would never pass. Costs
/// may be corrected afterwards (`give` with either sign). Time is monotonic nanoseconds and never runs backwards.
struct TokenBucket: Sendable {
    /// Units a second.
    private(set) var rate: Double
    private(set) var capacity: Double
    private var level: Double
    private var updatedAt: Int64

    /// Rounding must not make somebody wait for the last billionth.
    private static let tolerance = 1e-6

    /// Starts full. `burst` is in seconds of `rate`, but one unit is always there.
    init(rate: Double, burst: Double, now: Int64) {
        self.rate = max(rate, TokenBucket.leastRate)
        capacity = max(1, self.rate * burst)
        level = capacity
        updatedAt = now
    }

    /// One unit an hour: below, nothing would ever pass.
    private static let leastRate = 1.0 / 3600

    /// What is there at `now`; below 0 it is owed.
    func level(at now: Int64) -> Double {
        let seconds = Double(now - updatedAt) / Double(Duration64.nanosecondsPerSecond)
        return min(capacity, level + max(0, seconds) * rate)
    }

    func isReady(for cost: Double, now: Int64) -> Bool {
        level(at: now) + TokenBucket.tolerance >= min(cost, capacity)
    }

    /// When `cost` can be taken, if nobody takes anything before.
    func readyAt(for cost: Double, now: Int64) -> Int64 {
        let missing = min(cost, capacity) - level(at: now)
        guard missing > TokenBucket.tolerance else { return now }
        let wait = missing / rate * Double(Duration64.nanosecondsPerSecond)
        return now + Int64(min(wait.rounded(.up), 1e15))
    }

    mutating func take(_ cost: Double, now: Int64) {
        level = level(at: now) - cost
        updatedAt = max(updatedAt, now)
    }

    /// Corrects what was taken: gives back, or with a negative number takes what is owed.
    mutating func give(_ cost: Double) { level = min(level + cost, capacity) }

    /// The other side says that there is no more than this.
    mutating func lower(to remaining: Double, now: Int64) {
        level = min(level(at: now), remaining)
        updatedAt = max(updatedAt, now)
    }

    mutating func change(rate: Double, burst: Double, now: Int64) {
        level = level(at: now)
        updatedAt = max(updatedAt, now)
        self.rate = max(rate, TokenBucket.leastRate)
        capacity = max(1, self.rate * burst)
        level = min(level, capacity)
    }
}
