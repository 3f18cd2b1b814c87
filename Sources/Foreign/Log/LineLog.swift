import Core
import Glibc
import Synchronization

/// Log lines on standard error, one JSON object or one line of text each.
package final class LineLog: Log {
    private let leastLevel: Atomic<Int>
    private let isJSON: Atomic<Bool>
    private let clock: any Clock
    private let writer: LineWriter

    package init(level: LogLevel, format: Settings.LogFormat, clock: any Clock) throws(LoopError) {
        leastLevel = Atomic(level.rawValue)
        isJSON = Atomic(format == .json)
        self.clock = clock
        writer = try LineWriter(named: "log") { Console.write($0, to: .error) }
    }

    // Only `init` and `replan` write it.
    package var level: LogLevel { LogLevel(rawValue: leastLevel.load(ordering: .relaxed)) ?? .info }

    /// Lines from now on are chosen and written in this way.
    package func replan(level: LogLevel, format: Settings.LogFormat) {
        leastLevel.store(level.rawValue, ordering: .relaxed)
        isJSON.store(format == .json, ordering: .relaxed)
    }

    /// Lines that nobody will read.
    package var dropped: Int { writer.dropped }

    package func write(_ level: LogLevel, _ event: String, _ fields: [LogField]) {
        guard level >= self.level else { return }
        let time = clock.wall()
        writer.write { [self] in
            isJSON.load(ordering: .relaxed) ? json(time, level, event, fields) : text(time, level, event, fields)
        }
    }

    /// Writes what waits, as far as somebody takes it, and ends the thread.
    package func close() { writer.close() }

    private func json(_ time: Int64, _ level: LogLevel, _ event: String, _ fields: [LogField]) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("time", Timestamp.text(milliseconds: time))
        writer.member("level", level.word)
        writer.member("event", event)
        for field in fields {
            if let number = field.number {
                writer.member(field.name, number)
            } else {
                writer.member(field.name, field.value)
            }
        }
        writer.endObject()
        return writer.bytes + [10]
    }

    private func text(_ time: Int64, _ level: LogLevel, _ event: String, _ fields: [LogField]) -> [UInt8] {
        var line = "\(Timestamp.text(milliseconds: time)) \(level.word) \(event)"
        for field in fields { line += " \(field.name)=\(quotedWhereNeeded(field.value))" }
        return Array(line.utf8) + [10]
    }

    private func quotedWhereNeeded(_ value: String) -> String {
        let isPlain = !value.isEmpty && value.utf8.allSatisfy { $0 > 32 && $0 != 34 && $0 != 61 && $0 != 127 }
        return isPlain ? value : quoted(value)
    }
}

/// Moments in the form of RFC 3339, in UTC.
package enum Timestamp {
    package static func text(milliseconds: Int64) -> String {
        var seconds = time_t(milliseconds / 1000)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        func padded(_ number: some BinaryInteger, _ width: Int) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        let date = "\(padded(parts.tm_year + 1900, 4))-\(padded(parts.tm_mon + 1, 2))-\(padded(parts.tm_mday, 2))"
        let clock = "\(padded(parts.tm_hour, 2)):\(padded(parts.tm_min, 2)):\(padded(parts.tm_sec, 2))"
        return "\(date)T\(clock).\(padded(milliseconds % 1000, 3))Z"
    }
}
