extension Settings {
    /// Warming that goes on while the sidecar runs.
    package struct Warm: Sendable, Equatable {
        /// Paths of logs; empty: nothing is warmed.
        package var source: [String] = []
        /// Empty: none is sent.
        package var credential = Secret("")
        package var every = Duration.hours(1)
        package var top = 500
        package var minCount = 2
        /// 0: all requests count the same.
        package var halfLife = Duration.days(7)
        /// 0: answers are asked for when they have expired.
        package var refreshAhead = Duration.hours(2)
        package var concurrency = 2
        /// Prompts a second.
        package var rate = 10
        /// Of one run; 0: no bound.
        package var maxTokens = 1_000_000
        package init() {}
    }
}

extension SettingsTable {
    static let warm: [Setting<Settings>] = [
        .init(
            "warm.source", \.warm.source, .paths,
            "Logs in which popular prompts are looked for, in any format that `refrain warm` reads but COUNT<TAB>PROMPT; "
                + "the access log will do, if `log.bodies` is on. Empty: nothing is warmed."),
        .init(
            "warm.credential", \.warm.credential, .secret,
            "The applications' credential, with which the prompts are asked: sent as a bearer token, or as `x-api-key` for "
                + "Anthropic's API. Answers are cached for it alone unless `cache.partition` says otherwise."),
        .init(
            "warm.every", \.warm.every, .duration(.seconds(1) ... .days(30)),
            "How often the logs are read and the prompts asked."),
        .init(
            "warm.top", \.warm.top, .integer(1...10_000), "How many prompts are kept warm, the most popular first."),
        .init(
            "warm.minCount", \.warm.minCount, .integer(1...1_000_000_000),
            "Prompts with fewer requests in the logs are left out."),
        .init(
            "warm.halfLife", \.warm.halfLife, .duration(.zero ... .days(3650)),
            "Requests count half as much for each such time before the newest. 0: all count the same."),
        .init(
            "warm.refreshAhead", \.warm.refreshAhead, .duration(.zero ... .days(30)),
            "Popular answers with less time to live are fetched anew before they expire, though not in the first half of "
                + "their lives. At least as long as `warm.every`. 0: they are fetched when they have expired."),
        .init(
            "warm.concurrency", \.warm.concurrency, .integer(1...64), "How many prompts are asked at once."),
        .init("warm.rate", \.warm.rate, .integer(1...100_000), "How many prompts are begun in a second at most."),
        .init(
            "warm.maxTokens", \.warm.maxTokens, .integer(0...1_000_000_000_000),
            "How many tokens one run may spend, prompts and answers together. 0: no bound."),
    ]
}
