import Core

/// One log line a request, for those requests that the settings ask for; at most so many a second, so that a flood of
/// requests does not become a flood of lines.
final class RequestLogger {
    private let log: any Log
    var which: Settings.RequestLog
    private let clock: any Clock
    private var second: Int64 = 0
    private var linesInSecond = 0
    private var left = 0

    private static let linesPerSecond = 1_000

    init(log: any Log, which: Settings.RequestLog, clock: any Clock) {
        self.log = log
        self.which = which
        self.clock = clock
    }

    /// `duration` in nanoseconds.
    func note(_ dialect: Dialect?, _ outcome: Outcome, _ key: CacheKey?, _ duration: Int64) {
        switch which {
        case .none: return
        case .bypass: guard case .bypass = outcome else { return }
        case .all: break
        }
        guard hasRoom() else { return }
        var fields = [
            LogField("endpoint", Endpoint(dialect).rawValue), LogField("outcome", outcome.word),
            LogField("microseconds", duration / 1000),
        ]
        if case .bypass(let reason) = outcome { fields.append(LogField("reason", reason.word)) }
        if let tier = outcome.tier { fields.append(LogField("tier", tier.rawValue)) }
        if let key { fields.append(LogField("key", key.hex)) }
        log.write(.info, "request", fields)
    }

    private func hasRoom() -> Bool {
        let now = clock.monotonic() / Duration64.nanosecondsPerSecond
        if now != second {
            if left > 0 { log.write(.warning, "request lines left out", LogField("count", left)) }
            (second, linesInSecond, left) = (now, 0, 0)
        }
        linesInSecond += 1
        if linesInSecond > RequestLogger.linesPerSecond {
            left += 1
            return false
        }
        return true
    }
}
