import Core
import Synchronization

/// A clock that stands still until a test moves it. Its wall time may be set to anything, also backwards.
package final class ManualClock: Clock {
    private struct Times {
        var monotonic: Int64
        var wall: Int64
    }

    private let times: Mutex<Times>

    /// `monotonic` in nanoseconds, `wall` in milliseconds since 1970.
    package init(monotonic: Int64 = 1_000_000_000, wall: Int64 = 1_700_000_000_000) {
        times = Mutex(Times(monotonic: monotonic, wall: wall))
    }

    package func monotonic() -> Int64 { times.withLock { $0.monotonic } }
    package func wall() -> Int64 { times.withLock { $0.wall } }

    /// Both times go on. Wall time counts whole milliseconds of monotonic time, so that small steps add up.
    package func advance(nanoseconds: Int64) {
        precondition(nanoseconds >= 0, "ManualClock: monotonic time does not run backwards")
        times.withLock { times in
            let before = times.monotonic / Duration64.nanosecondsPerMillisecond
            times.monotonic += nanoseconds
            times.wall += times.monotonic / Duration64.nanosecondsPerMillisecond - before
        }
    }

    package func advance(_ duration: Duration) { advance(nanoseconds: duration.nanoseconds) }

    /// Somebody set the clock: only wall time jumps.
    package func stepWall(milliseconds: Int64) { times.withLock { $0.wall += milliseconds } }
}
