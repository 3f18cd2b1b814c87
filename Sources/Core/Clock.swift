/// Time, injected so that tests and simulations own it.
package protocol Clock: Sendable {
    /// Nanoseconds since an arbitrary moment; never runs backwards. For durations and deadlines.
    func monotonic() -> Int64
    /// Milliseconds since 1970. For what outlives the process: creation and expiry of entries.
    func wall() -> Int64
}

/// Chance, injected for the same reason.
package protocol RandomSource: Sendable {
    func next() -> UInt64
}

/// Units, spelled out where a number would leave them open.
package enum Duration64 {
    package static let nanosecondsPerMillisecond: Int64 = 1_000_000
    package static let nanosecondsPerSecond: Int64 = 1_000_000_000
    package static let millisecondsPerSecond: Int64 = 1_000
}
