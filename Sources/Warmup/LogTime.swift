import Core

/// Moments as logs write them, in milliseconds since 1970.
package enum LogTime {
    /// Numbers from here on are milliseconds; seconds reach it in the year 5138, and so do the finer units one after the
    /// other.
    private static let firstMilliseconds = 1e11

    /// A number of seconds, milliseconds, microseconds or nanoseconds, told by its size.
    package static func read(number text: UnsafeRawBufferPointer) -> Int64? {
        guard let value = Double(String(decoding: text, as: UTF8.self)), value.isFinite else { return nil }
        var milliseconds = value * 1000
        for _ in 0..<3 where milliseconds.magnitude >= firstMilliseconds * 1000 { milliseconds /= 1000 }
        return milliseconds.magnitude < firstMilliseconds * 1000 ? Int64(milliseconds.rounded()) : nil
    }

    /// RFC 3339, with a blank for its `T` and without its zone (then UTC) as many programs write it. A day alone is its
    /// first moment.
    package static func read(text: UnsafeRawBufferPointer) -> Int64? {
        var reader = Reader(bytes: text)
        guard let year = reader.number(digits: 4), reader.take("-"), let month = reader.number(digits: 2),
            reader.take("-"), let day = reader.number(digits: 2), (1...12).contains(month), (1...31).contains(day)
        else { return nil }
        let midnight = Int64(daysSince1970(year, month, day)) * 86_400_000
        if reader.isAtEnd { return midnight }
        guard reader.take("T") || reader.take("t") || reader.take(" "), let hour = reader.number(digits: 2),
            reader.take(":"), let minute = reader.number(digits: 2), hour < 24, minute < 60
        else { return nil }
        var milliseconds = Int64(hour * 60 + minute) * 60_000
        if reader.take(":") {
            guard let second = reader.number(digits: 2), second <= 60 else { return nil }
            milliseconds += Int64(second) * 1000
            if reader.take(".") {
                guard let fraction = reader.fraction() else { return nil }
                milliseconds += fraction
            }
        }
        guard let zone = reader.zone(), reader.isAtEnd else { return nil }
        return midnight + milliseconds - zone
    }

    /// Days of the proleptic Gregorian calendar; Hinnant, "chrono-Compatible Low-Level Date Algorithms".
    private static func daysSince1970(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    private struct Reader {
        let bytes: UnsafeRawBufferPointer
        var position = 0

        var isAtEnd: Bool { position == bytes.count }

        mutating func take(_ character: Unicode.Scalar) -> Bool {
            guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
            position += 1
            return true
        }

        private mutating func digit() -> Int? {
            guard position < bytes.count, (48...57).contains(bytes[position]) else { return nil }
            position += 1
            return Int(bytes[position - 1]) - 48
        }

        mutating func number(digits: Int) -> Int? {
            var value = 0
            for _ in 0..<digits {
                guard let next = digit() else { return nil }
                value = value * 10 + next
            }
            return value
        }

        /// The digits behind a point, as milliseconds.
        mutating func fraction() -> Int64? {
            guard var value = digit() else { return nil }
            value *= 100
            var scale = 10
            while let next = digit() {
                value += next * scale
                scale /= 10
            }
            return Int64(value)
        }

        /// The distance from UTC in milliseconds.
        mutating func zone() -> Int64? {
            if isAtEnd || take("Z") || take("z") { return 0 }
            let sign: Int64
            if take("+") { sign = 1 } else if take("-") { sign = -1 } else { return nil }
            guard let hours = number(digits: 2), take(":"), let minutes = number(digits: 2), hours < 24, minutes < 60
            else { return nil }
            return sign * Int64(hours * 60 + minutes) * 60_000
        }
    }
}
