import Core
import Synchronization

/// Keeps callers away from something that fails, and lets one of them look now and then whether it works again (Nygard,
/// "Release It!", 2007, chapter 5).
///
/// A value without a clock or a lock of its own: who holds it passes the time, in monotonic nanoseconds.
package struct Breaker: Sendable {
    package struct Options: Sendable, Equatable {
        /// Failures in a row that open it.
        package var failureLimit = 5
        /// How long it stays open the first time, in nanoseconds; twice as long after each look that fails,
        /// or is not heard of again.
        package var pause = 500 * Duration64.nanosecondsPerMillisecond
        package var longestPause = 5 * Duration64.nanosecondsPerSecond
        package init() {}
    }

    /// Leave for one call, given back with its result. A result of a call that began in an earlier state says nothing
    /// about this one.
    package struct Permit: Sendable, Equatable {
        fileprivate let epoch: Int
    }

    package struct Change: Sendable, Equatable {
        package let from: BreakerState
        package let to: BreakerState
    }

    package private(set) var state = BreakerState.closed
    private let options: Options
    private var failures = 0
    private var pause: Int64
    /// When the next look is allowed: after the pause, or when the one that looks has been away too long.
    private var nextLook: Int64 = 0
    /// Counts the changes, and the looks.
    private var epoch = 0

    package init(_ options: Options = Options()) {
        self.options = options
        pause = options.pause
    }

    /// Whether `admit` would give leave.
    package func wouldAdmit(now: Int64) -> Bool { state == .closed || now >= nextLook }

    /// When the next call is let through; nil while all are.
    package var looksAt: Int64? { state == .closed ? nil : nextLook }

    /// nil where the call is not to be made.
    package mutating func admit(now: Int64) -> (permit: Permit?, change: Change?) {
        if state == .closed { return (Permit(epoch: epoch), nil) }
        guard now >= nextLook else { return (nil, nil) }
        // The last look was never heard of again: that is as bad as one that failed.
        if state == .halfOpen { lengthenPause() }
        nextLook = now.addingReportingOverflow(pause).partialValue
        epoch += 1
        let change = state == .open ? Change(from: .open, to: .halfOpen) : nil
        state = .halfOpen
        return (Permit(epoch: epoch), change)
    }

    package mutating func succeeded(_ permit: Permit) -> Change? {
        guard permit.epoch == epoch else { return nil }
        failures = 0
        pause = options.pause
        return change(to: .closed)
    }

    package mutating func failed(_ permit: Permit, now: Int64) -> Change? {
        guard permit.epoch == epoch else { return nil }
        failures += 1
        switch state {
        case .closed:
            guard failures >= options.failureLimit else { return nil }
        case .halfOpen: lengthenPause()
        case .open: return nil
        }
        nextLook = now.addingReportingOverflow(pause).partialValue
        return change(to: .open)
    }

    private mutating func lengthenPause() {
        pause = min(options.longestPause, pause.multipliedReportingOverflow(by: 2).partialValue)
    }

    private mutating func change(to state: BreakerState) -> Change? {
        guard self.state != state else { return nil }
        defer {
            self.state = state
            epoch += 1
        }
        return Change(from: self.state, to: state)
    }
}

/// A breaker that many threads share, which says in one log line when it changes.
package final class SharedBreaker: Sendable {
    private let target: String
    private let breaker: Mutex<Breaker>
    private let clock: any Clock
    private let log: any Log

    /// `target` names what is called, in the log.
    package init(target: String, options: Breaker.Options = Breaker.Options(), clock: any Clock, log: any Log) {
        self.target = target
        self.clock = clock
        self.log = log
        breaker = Mutex(Breaker(options))
    }

    package var state: BreakerState { breaker.withLock { $0.state } }

    /// nil where the call is not to be made. With every permit goes one call of `succeeded` or `failed`, or none where
    /// the call told nothing.
    package func admit() -> Breaker.Permit? {
        let now = clock.monotonic()
        let (permit, change) = breaker.withLock { $0.admit(now: now) }
        report(change, reason: nil)
        return permit
    }

    package func succeeded(_ permit: Breaker.Permit) {
        report(breaker.withLock { $0.succeeded(permit) }, reason: nil)
    }

    /// `reason` is for the log line, if there is one.
    package func failed(_ permit: Breaker.Permit, reason: String) {
        let now = clock.monotonic()
        report(breaker.withLock { $0.failed(permit, now: now) }, reason: reason)
    }

    private func report(_ change: Breaker.Change?, reason: String?) {
        guard let change else { return }
        var fields = [
            LogField("target", target), LogField("from", change.from.word), LogField("to", change.to.word),
        ]
        if let reason { fields.append(LogField("reason", reason)) }
        log.write(change.to == .open ? .warning : .info, "breaker", fields)
    }
}
