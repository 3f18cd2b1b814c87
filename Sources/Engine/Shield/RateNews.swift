import Core

/// What an upstream says of its limits in the head of an answer.
package struct RateNews: Sendable, Equatable {
    /// One of the limits: `x-ratelimit-limit-…`, `-remaining-…` and `-reset-…`.
    package struct Quota: Sendable, Equatable {
        package var limit: Int?
        package var remaining: Int
        /// Nanoseconds until all of it is there again.
        package var reset: Int64?

        package init(limit: Int? = nil, remaining: Int, reset: Int64? = nil) {
            self.limit = limit
            self.remaining = remaining
            self.reset = reset
        }
    }

    /// `Retry-After`, in nanoseconds.
    package var retryAfter: Int64?
    package var requests: Quota?
    package var tokens: Quota?

    package init(retryAfter: Int64? = nil, requests: Quota? = nil, tokens: Quota? = nil) {
        self.retryAfter = retryAfter
        self.requests = requests
        self.tokens = tokens
    }
}
