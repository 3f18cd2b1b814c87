extension Settings {
    package struct Upstream: Sendable, Equatable {
        package var name = "upstream"
        package var url = UpstreamURL.unset
        package var weight = 1
        /// Used only while the others are busy.
        package var overflow = false
        /// Calls under way at a time; 0: found out from its latency.
        package var concurrency = 256
        /// 0: no limit.
        package var requestsPerSecond = 0.0
        package var tokensPerMinute = 0
        /// Empty: it gets the client's credential.
        package var apiKey = Secret("")
        package var headers: [SecretHeader] = []
        /// What models are called there, by the name that clients use.
        package var models: [String: String] = [:]
        /// Empty: it is not probed.
        package var healthPath = ""
        package var healthInterval = Duration.seconds(10)
        package var connectTimeout = Duration.seconds(5)
        package var firstByteTimeout = Duration.seconds(120)
        package var idleTimeout = Duration.seconds(120)
        package var totalTimeout = Duration.seconds(600)
        /// Empty: the system's certificate authorities.
        package var caFile = ""
        package var verifyTLS = true
        package var http2 = true
        package init() {}
    }

    /// How one of several upstreams is chosen.
    package enum UpstreamChoice: String, Sendable, CaseIterable {
        /// In turn, as often as their weights say.
        case weighted
        /// The one with the fewest calls for its weight.
        case leastLoaded = "least-loaded"
    }
}

/// A header line whose value may be a credential.
package struct SecretHeader: Sendable, Equatable {
    /// In lower case.
    package var name: String
    /// Empty: the client's line of that name is left out.
    package var value: Secret

    package init(_ name: String, _ value: Secret) {
        self.name = name
        self.value = value
    }
}

extension SettingsTable {
    private static let wait = Duration.milliseconds(1)...Duration.hours(24)

    package static let upstream: [Setting<Settings.Upstream>] = [
        .init("name", \.name, .label, "What the upstream is called in logs and metrics; each has a name of its own."),
        .init("url", \.url, .url, "Where it is, with or without `/v1`. Required."),
        .init("weight", \.weight, .integer(1...1000), "Its share of the calls among several upstreams."),
        .init(
            "overflow", \.overflow, .boolean,
            "Whether it is used only while the others are busy beyond `limits.overflowAt`, or cannot be used."),
        .init(
            "concurrency", \.concurrency, .integer(0...100_000),
            "How many calls it is given at a time; further ones wait. 0: as many as its latency shows that it can take."
        ),
        .init(
            "requestsPerSecond", \.requestsPerSecond, .decimal(0...1_000_000),
            "How many calls it is given a second; further ones wait. 0: no limit."),
        .init(
            "tokensPerMinute", \.tokensPerMinute, .integer(0...1_000_000_000_000),
            "How many tokens of prompts and answers it is given a minute: estimated before the call, corrected behind it. "
                + "0: no limit."),
        .init(
            "apiKey", \.apiKey, .secret,
            "The credential it is called with, in the place of the client's, which it then never sees. Empty: the client's."
        ),
        .init(
            "headers", \.headers, SecretHeadersFormat(),
            "Header lines that its requests get, in the place of the client's lines of that name; an empty value takes a "
                + "line away."),
        .init(
            "models", \.models, ModelMapFormat(),
            "What models are called there, by the name that clients use; others go by the client's name. The answer is "
                + "kept as one to the client's question."),
        .init(
            "healthPath", \.healthPath, .targetPath,
            "A path on its host that answers 2xx while it is well, such as `/health`; while it does not, the upstream is "
                + "not used. Empty: it is not probed."),
        .init(
            "healthInterval", \.healthInterval, .duration(wait), "How often that is asked, and how long it may take."),
        .init("connectTimeout", \.connectTimeout, .duration(wait), "How long connecting may take, TLS included."),
        .init(
            "firstByteTimeout", \.firstByteTimeout, .duration(wait),
            "How long it may take from the request to the first byte of the answer."),
        .init("idleTimeout", \.idleTimeout, .duration(wait), "How long an answer may pause between two bytes."),
        .init("totalTimeout", \.totalTimeout, .duration(wait), "How long a whole call may take."),
        .init("caFile", \.caFile, .path, "The certificate authorities to trust, PEM. Empty: the system's."),
        .init("verifyTLS", \.verifyTLS, .boolean, "Whether its certificate and name are checked."),
        .init("http2", \.http2, .boolean, "Whether HTTP/2 is offered over TLS."),
    ]

    static let upstreamList = Setting<Settings>(
        "upstreams", \.upstreams,
        TableListFormat(
            rows: upstream, blank: Settings.Upstream(), required: ["url"], maxItems: 32,
            example: "[{name: deepseek, url: https://api.deepseek.com}]"),
        "The model servers. With several, calls are shared out by weight, and one that cannot connect, answers late, "
            + "garbled, or with 429 or 5xx is followed by another, as long as the client has seen nothing of its answer."
    )

    /// How upstreams and tenants are kept from being overwhelmed.
    static let shield: [Setting<Settings>] = [
        .init(
            "limits.queue", \.limits.queue, .integer(0...1_000_000),
            "How many requests of each priority may wait for an upstream; those beyond get a stale answer, or 503."),
        .init(
            "limits.queueTimeout", \.limits.queueTimeout, .duration(.milliseconds(1) ... .hours(1)),
            "How long a request may wait for an upstream."),
        .init(
            "limits.tenantRequestsPerSecond", \.limits.tenantRequestsPerSecond, .decimal(0...1_000_000),
            "How many requests a second one tenant may put to the upstreams, hits not counted; beyond it gets a stale "
                + "answer, or 429. 0: no limit."),
        .init(
            "limits.tenantTokensPerMinute", \.limits.tenantTokensPerMinute, .integer(0...1_000_000_000_000),
            "How many tokens a minute, likewise. 0: no limit."),
        .init(
            "limits.retryRatio", \.limits.retryRatio, .decimal(0...1),
            "How many calls may be made once more elsewhere after a failure, hedges included, as a share of the requests."
        ),
        .init(
            "limits.hedge", \.limits.hedge, .boolean,
            "Whether a request whose answer has not begun after the 95th percentile of the upstream's latency is put to a "
                + "second one too; the first to answer is taken."),
        .init(
            "limits.choice", \.limits.choice, .choice(of: Settings.UpstreamChoice.self),
            "How an upstream is chosen: in turn by weight, or the least loaded for its weight."),
        .init(
            "limits.overflowAt", \.limits.overflowAt, .decimal(0...1),
            "The share of the other upstreams' calls at a time beyond which those marked `overflow` are used."),
    ]
}
