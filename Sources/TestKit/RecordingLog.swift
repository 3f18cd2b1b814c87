import Core
import Synchronization

/// Keeps log lines for a test to look at.
package final class RecordingLog: Log {
    package struct Line: Sendable {
        package var level: LogLevel
        package var event: String
        package var fields: [LogField]
    }

    package let level: LogLevel
    private let written = Mutex<[Line]>([])

    package init(level: LogLevel = .debug) { self.level = level }

    package var lines: [Line] { written.withLock { $0 } }

    package func write(_ level: LogLevel, _ event: String, _ fields: [LogField]) {
        guard level >= self.level else { return }
        written.withLock { $0.append(Line(level: level, event: event, fields: fields)) }
    }
}
