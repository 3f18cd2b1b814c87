import Core

/// What an upstream says of its limits in the head of an answer. Times are nanoseconds from now.
package struct RateNews: Sendable, Equatable {
    package struct Quota: Sendable, Equatable {
        /// What there is when all of it is there.
        package var limit: Int?
        package var remaining: Int
        /// Until all of it is there again.
        package var reset: Int64?

        package init(limit: Int? = nil, remaining: Int, reset: Int64? = nil) {
            self.limit = limit
            self.remaining = remaining
            self.reset = reset
        }

        /// How long it takes until so many are there again, at the pace that limit and reset tell; nil where they do
        /// not.
        func wait(for count: Int) -> Int64? {
            guard remaining <= 0, let reset else { return nil }
            guard let limit, limit > 0 else { return reset }
            return Int64(Double(reset) * min(1, Double(max(1, count)) / Double(limit)))
        }
    }

    /// Nobody is left alone for longer than an hour, whatever it says.
    private static let longest = 3600 * Duration64.nanosecondsPerSecond

    package var retryAfter: Int64?
    package var requests: Quota?
    package var tokens: Quota?

    package init(retryAfter: Int64? = nil, requests: Quota? = nil, tokens: Quota? = nil) {
        self.retryAfter = retryAfter
        self.requests = requests
        self.tokens = tokens
    }

    /// How long nothing more is to be asked; nil: nothing speaks against going on.
    func pause(tokens count: Int, isRefusal: Bool) -> Int64? {
        let waits = [isRefusal ? retryAfter : nil, requests?.wait(for: 1), tokens?.wait(for: count)]
        return waits.compactMap { $0 }.max().map { min(max(0, $0), RateNews.longest) }
    }
}
