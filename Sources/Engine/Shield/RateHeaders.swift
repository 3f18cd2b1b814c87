import Core

/// What the header lines of an answer say of its sender's limits.
enum RateHeaders {
    /// nil where they say nothing. `wall` in milliseconds since 1970, for the forms that name a moment.
    static func read(_ headers: [HeaderField], wall: Int64) -> RateNews? {
        var lines = Lines()
        for field in headers { lines.note(field) }
        guard lines.hasAny else { return nil }
        var news = RateNews()
        news.retryAfter =
            lines.retryAfterMilliseconds.flatMap { number($0) }.map {
                min($0 * Duration64.nanosecondsPerMillisecond, longest)
            } ?? lines.retryAfter.flatMap { wait($0, wall: wall) }
        news.requests = lines.requests.quota(wall: wall)
        news.tokens = lines.tokens.quota(wall: wall)
        return news == RateNews() ? nil : news
    }

    /// A wait as servers write it, in nanoseconds: seconds (`20`, `0.5`), a moment (an HTTP date, RFC 3339), or units in a
    /// row (`1s`, `6m0s`, `1h30m`, `150ms`).
    static func wait(_ text: String, wall: Int64) -> Int64? {
        if let seconds = number(text) { return min(seconds * Duration64.nanosecondsPerSecond, longest) }
        if let units = units(text) { return min(units, longest) }
        guard let moment = HTTPDate.milliseconds(text) else { return nil }
        // First the bound: the year 9999 is further away than nanoseconds can count.
        let most = longest / Duration64.nanosecondsPerMillisecond
        return min(max(0, moment - wall), most) * Duration64.nanosecondsPerMillisecond
    }

    /// Nobody is believed who asks for more than a day.
    private static let longest = 86_400 * Duration64.nanosecondsPerSecond
    private static let mostSeconds = 86_400.0

    private struct Lines {
        var retryAfter: String?
        var retryAfterMilliseconds: String?
        var requests = QuotaLines()
        var tokens = QuotaLines()
        var hasAny = false

        mutating func note(_ field: HeaderField) {
            // The length alone tells most lines of an answer from these.
            guard RateHeaders.lengths >> UInt64(min(field.name.utf8.count, 63)) & 1 == 1,
                let path = RateHeaders.names.first(where: { field.isNamed($0.name) })?.path
            else { return }
            hasAny = true
            self[keyPath: path] = field.value
        }
    }

    private struct QuotaLines {
        var limit: String?
        var remaining: String?
        var reset: String?

        func quota(wall: Int64) -> RateNews.Quota? {
            guard let remaining = remaining.flatMap({ Int($0) }), remaining >= 0 else { return nil }
            return RateNews.Quota(
                limit: limit.flatMap { Int($0) }, remaining: remaining,
                reset: reset.flatMap { RateHeaders.wait($0, wall: wall) })
        }
    }

    private static let names: [(name: String, path: any WritableKeyPath<Lines, String?> & Sendable)] = [
        ("retry-after", \.retryAfter), ("retry-after-ms", \.retryAfterMilliseconds),
        ("x-ratelimit-limit-requests", \.requests.limit), ("x-ratelimit-remaining-requests", \.requests.remaining),
        ("x-ratelimit-reset-requests", \.requests.reset), ("x-ratelimit-limit-tokens", \.tokens.limit),
        ("x-ratelimit-remaining-tokens", \.tokens.remaining), ("x-ratelimit-reset-tokens", \.tokens.reset),
        ("anthropic-ratelimit-requests-limit", \.requests.limit),
        ("anthropic-ratelimit-requests-remaining", \.requests.remaining),
        ("anthropic-ratelimit-requests-reset", \.requests.reset),
        ("anthropic-ratelimit-tokens-limit", \.tokens.limit),
        ("anthropic-ratelimit-tokens-remaining", \.tokens.remaining),
        ("anthropic-ratelimit-tokens-reset", \.tokens.reset),
    ]
    private static let lengths = names.reduce(UInt64(0)) { $0 | 1 << UInt64($1.name.utf8.count) }

    /// A plain number of seconds or milliseconds, rounded up; at most a day's seconds.
    private static func number(_ text: String) -> Int64? {
        guard !text.isEmpty, text.utf8.count <= 24, text.utf8.allSatisfy({ (48...57).contains($0) || $0 == 46 }),
            let value = Double(text)
        else { return nil }
        return Int64(min(value, mostSeconds * 1000).rounded(.up))
    }

    /// Go's way to write a duration.
    private static func units(_ text: String) -> Int64? {
        var rest = text[...]
        var total = 0.0
        guard !rest.isEmpty, rest.utf8.count <= 32 else { return nil }
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            let word = rest.dropFirst(digits.count).prefix { $0.isASCII && $0.isLetter }
            guard let amount = Double(digits), let factor = factors.first(where: { $0.word == word })?.seconds else {
                return nil
            }
            total += amount * factor
            rest = rest.dropFirst(digits.count + word.count)
        }
        return Int64(min(total, mostSeconds) * Double(Duration64.nanosecondsPerSecond))
    }

    private static let factors: [(word: String, seconds: Double)] = [
        ("ns", 1e-9), ("us", 1e-6), ("ms", 1e-3), ("s", 1), ("m", 60), ("h", 3_600), ("d", 86_400),
    ]
}

/// Moments as header lines write them.
enum HTTPDate {
    /// Milliseconds since 1970 of an IMF-fixdate, its two obsolete forms (RFC 9110, 5.6.7), or RFC 3339.
    static func milliseconds(_ text: String) -> Int64? {
        guard text.utf8.count <= 40, text.utf8.allSatisfy({ $0 < 128 }) else { return nil }
        if text.utf8.first.map({ (48...57).contains($0) }) == true { return internet(text) }
        // `Sun, 06 Nov 1994 08:49:37 GMT`, `Sunday, 06-Nov-94 08:49:37 GMT`, `Sun Nov  6 08:49:37 1994`
        let words = text.split { $0 == " " || $0 == "," || $0 == "-" }
        guard words.count >= 5 else { return nil }
        let isAsctime = months.contains(words[1].lowercased())
        let (day, month, year, time) =
            isAsctime ? (words[2], words[1], words[4], words[3]) : (words[1], words[2], words[3], words[4])
        guard let monthIndex = months.firstIndex(of: month.lowercased()), let day = Int(day), var year = Int(year)
        else {
            return nil
        }
        // Two digits are of the century that brings them nearest; nobody sends dates of the last one any more.
        if year < 100 { year += 2000 }
        return moment(year, monthIndex + 1, day, time)
    }

    /// `2026-03-01T08:49:37Z`, with a fraction and an offset where they stand.
    private static func internet(_ text: String) -> Int64? {
        let parts = text.split(separator: "T", maxSplits: 1)
        guard parts.count == 2 else { return nil }
        let date = parts[0].split(separator: "-").map { Int($0) }
        guard date.count == 3, let year = date[0], let month = date[1], let day = date[2] else { return nil }
        let clock = parts[1]
        let end = clock.firstIndex { "Zz+-".contains($0) } ?? clock.endIndex
        let time = clock[..<end].prefix { $0 != "." }
        guard let local = moment(year, month, day, time) else { return nil }
        let zone = clock[end...]
        guard zone.count == 6, let hours = Int(zone.dropFirst().prefix(2)), let minutes = Int(zone.suffix(2)) else {
            return zone.isEmpty || zone.lowercased() == "z" ? local : nil
        }
        let offset = Int64(hours * 60 + minutes) * 60_000
        return zone.hasPrefix("-") ? local + offset : local - offset
    }

    private static func moment(_ year: Int, _ month: Int, _ day: Int, _ time: Substring) -> Int64? {
        let parts = time.split(separator: ":").map { Int64($0) }
        guard parts.count == 3, let hour = parts[0], let minute = parts[1], let second = parts[2],
            (1970...9999).contains(year), (1...12).contains(month), (1...31).contains(day),
            (0..<24).contains(hour), (0..<60).contains(minute), (0...60).contains(second)
        else { return nil }
        return (days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second) * 1000
    }

    /// Days since 1970 (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
    private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int64 {
        let shifted = Int64(month <= 2 ? year - 1 : year)
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = Int64((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1)
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private static let months = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ]
}
