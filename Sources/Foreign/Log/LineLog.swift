import Core
import Glibc
import Synchronization

/// Log lines on standard error, one JSON object or one line of text each.
///
/// Lines are written by a thread of their own, because whoever reads them may be slow and a worker must never wait for
/// that; when too many lines wait, new ones are dropped and counted.
package final class LineLog: Log {
    package let level: LogLevel
    private let format: Settings.LogFormat
    private let clock: any Clock
    private let loop: EventLoop
    private let thread: SystemThread
    private let waiting = Atomic(0)
    private let droppedLines = Atomic(0)

    private static let limit = 10_000

    package init(level: LogLevel, format: Settings.LogFormat, clock: any Clock) throws(LoopError) {
        self.level = level
        self.format = format
        self.clock = clock
        loop = try EventLoop()
        thread = try loop.startThread(named: "log")
    }

    /// Lines that nobody will read.
    package var dropped: Int { droppedLines.load(ordering: .relaxed) }

    package func write(_ level: LogLevel, _ event: String, _ fields: [LogField]) {
        guard level >= self.level else { return }
        guard waiting.wrappingAdd(1, ordering: .relaxed).newValue <= LineLog.limit else {
            waiting.wrappingSubtract(1, ordering: .relaxed)
            droppedLines.wrappingAdd(1, ordering: .relaxed)
            return
        }
        let time = clock.wall()
        loop.execute { [self] in
            put(format == .json ? json(time, level, event, fields) : text(time, level, event, fields))
            waiting.wrappingSubtract(1, ordering: .relaxed)
        }
    }

    /// Writes what waits and ends the thread. Where nobody reads the lines that would take for ever, so it is given up
    /// after a while.
    package func close() {
        loop.stop()
        if !thread.join(within: LineLog.closeLimit) {
            droppedLines.wrappingAdd(max(0, waiting.load(ordering: .relaxed)), ordering: .relaxed)
        }
    }

    private static let closeLimit = Duration.seconds(2)

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

    private func put(_ line: [UInt8]) {
        var rest = line[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno != EINTR {
                droppedLines.wrappingAdd(1, ordering: .relaxed)
                return
            }
        }
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
