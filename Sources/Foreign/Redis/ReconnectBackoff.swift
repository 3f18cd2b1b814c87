import Core

/// How long to wait before the next attempt: doubled with each failure up to a limit, the real wait somewhere between
/// half of that and the whole, so that clients who lost the same server do not come back at the same moment.
struct ReconnectBackoff {
    /// In nanoseconds.
    let first: Int64
    let longest: Int64
    private(set) var failures = 0

    init(first: Int64, longest: Int64) {
        self.first = max(1, first)
        self.longest = max(1, longest)
    }

    /// Counts a failure; the wait in nanoseconds.
    mutating func next(_ random: any RandomSource) -> Int64 {
        let (doubled, overflow) = first.multipliedReportingOverflow(by: 1 << Int64(min(failures, 40)))
        let whole = overflow ? longest : min(longest, doubled)
        failures += 1
        return whole - Int64(random.next() % UInt64(whole / 2 + 1))
    }

    mutating func reset() { failures = 0 }
}
