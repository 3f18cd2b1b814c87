import Synchronization

/// One log line when something begins to fail and one when it works again, however often either is seen.
package final class OutageLog: Sendable {
    private let log: any Log
    private let failing: String
    private let working: String
    private let isFailing = Atomic(false)

    /// `failing` and `working` are the events that the log knows.
    package init(_ log: any Log, failing: String, working: String) {
        self.log = log
        self.failing = failing
        self.working = working
    }

    /// - Parameter reason: why it failed, nil where it worked.
    package func note(_ reason: String?) {
        guard isFailing.exchange(reason != nil, ordering: .acquiringAndReleasing) != (reason != nil) else { return }
        if let reason {
            log.write(.warning, failing, LogField("reason", reason))
        } else {
            log.write(.info, working)
        }
    }
}
