import Core

/// Events a second, lately: what is left of the last full window and what the running one has brought.
struct RateMeter: Sendable {
    private static let window = 5 * Duration64.nanosecondsPerSecond

    private var start: Int64
    private let birth: Int64
    private var current = 0
    private var previous = 0

    init(now: Int64) {
        start = now
        birth = now
    }

    mutating func note(now: Int64) {
        advance(to: now)
        current += 1
    }

    mutating func rate(now: Int64) -> Double {
        advance(to: now)
        let share = Double(now - start) / Double(RateMeter.window)
        let age = min(Double(now - birth), Double(RateMeter.window)) / Double(Duration64.nanosecondsPerSecond)
        // A young meter has seen less than a window; less than a second of it proves nothing.
        return (Double(previous) * (1 - share) + Double(current)) / max(1, age)
    }

    private mutating func advance(to now: Int64) {
        let passed = max(0, now - start) / RateMeter.window
        guard passed > 0 else { return }
        previous = passed == 1 ? current : 0
        current = 0
        start += passed * RateMeter.window
    }
}
