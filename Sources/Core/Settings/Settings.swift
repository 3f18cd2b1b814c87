/// Everything a user may set, with its default as the initial value of its field.
///
/// What else there is to know of each setting (its name, form, range and a sentence) stands once, in
/// `SettingsTable`; parsing, printing and the reference page come from there.
package struct Settings: Sendable, Equatable {
    package var listen = NetworkAddress(host: "127.0.0.1", port: 8400)
    package var admin = Admin()
    package var upstreams: [Upstream] = []
    package var cache = Cache()
    package var memory = Memory()
    package var redis = Redis()
    package var objects = Objects()
    package var semantic = Semantic()
    package var limits = Limits()
    package var warm = Warm()
    package var prices: [ModelPrice] = []
    package var log = Log()
    package var traces = Traces()

    package init() {}

    package struct Admin: Sendable, Equatable {
        package var listen = NetworkAddress(host: "127.0.0.1", port: 8401)
        /// Empty: no credential is asked for.
        package var token = Secret("")
        package init() {}
    }

    package struct Cache: Sendable, Equatable {
        package var enabled = true
        package var ttl = Duration.seconds(24 * 3600)
        package var staleIfError = Duration.seconds(7 * 24 * 3600)
        package var staleWhileRevalidate = Duration.seconds(600)
        package var partition = Partition.apiKey
        /// Empty: chance, drawn when the process starts.
        package var secret = Secret("")
        package var encryptionKey = EncryptionKeySource.none
        /// How many of the hottest keys a polite stop notes for the next start; 0: none.
        package var warmRestart = 10_000
        package var trustFor = Duration.seconds(600)
        package var leftOut = [
            "stream", "stream_options", "user", "metadata", "store", "service_tier", "prompt_cache_key",
            "safety_identifier",
        ]
        package var keyHeaders = [
            "anthropic-version", "anthropic-beta", "openai-beta", "openai-organization", "openai-project",
            // With these a gateway is told which provider, model or configuration is to answer.
            "helicone-target-url", "x-goog-user-project", "x-portkey-config", "x-portkey-provider",
            "x-portkey-virtual-key",
        ]
        package var credentialHeaders = [
            "ocp-apim-subscription-key", "x-goog-api-key", "cf-aig-authorization", "x-portkey-api-key", "helicone-auth",
            "x-litellm-api-key",
        ]
        package var keepHeaders = ["x-request-id", "request-id", "openai-model", "openai-version"]
        package var maxRequest = ByteCount.mebibytes(8)
        package var maxAnswer = ByteCount.mebibytes(32)
        package var askForUsage = true
        package var honorNoStore = true
        package var onAbort = OnAbort.finish
        package var abortTimeout = Duration.seconds(120)
        package var followerTimeout = Duration.seconds(60)
        package init() {}

        /// How long past its expiry an entry is still of use.
        package var staleRetention: Duration { max(staleIfError, staleWhileRevalidate) }
    }

    /// Between whom answers are shared.
    package enum Partition: Sendable, Equatable {
        /// Between requests with the same credential.
        case apiKey
        /// Between all.
        case shared
        /// Between requests with the same value of a header, whose name is in lower case.
        case header(String)
    }

    /// What becomes of an answer that nobody waits for any more.
    package enum OnAbort: String, Sendable, CaseIterable {
        case finish, cancel
    }

    package struct Memory: Sendable, Equatable {
        package var capacity = ByteCount.mebibytes(256)
        package var eviction = Eviction.lru
        /// 0: chosen from the capacity and the number of workers.
        package var shards = 0
        package init() {}
    }

    package enum Eviction: String, Sendable, CaseIterable {
        case lru, tinylfu
    }

    package struct Redis: Sendable, Equatable {
        /// nil: no Redis tier.
        package var url: RedisURL?
        package var mode = RedisMode.auto
        /// PEM files, empty where there is none.
        package var caFile = ""
        package var certificateFile = ""
        package var keyFile = ""
        /// Empty: the host's name.
        package var serverName = ""
        package var deadline = Duration.milliseconds(20)
        package var coalesce = true
        package var coalesceTimeout = Duration.seconds(30)
        package init() {}
    }

    package enum RedisMode: String, Sendable, CaseIterable {
        /// What the server says it is.
        case auto
        case single
        case cluster
    }

    package struct Objects: Sendable, Equatable {
        /// nil: no object tier.
        package var url: ObjectsURL?
        package var write = ObjectWrite.always
        package var floor = ByteCount(bytes: 0)
        package var ceiling = ByteCount.mebibytes(64)
        package var deadline = Duration.milliseconds(250)
        /// Empty: the URL or the environment says where credentials are.
        package var credentialsFile = ""
        package var capacity = ByteCount.gibibytes(10)
        package var sync = ObjectSync.none
        package init() {}
    }

    /// Which answers are written to the object store.
    package enum ObjectWrite: String, Sendable, CaseIterable {
        case always
        /// Those that are offered a second time, because memory gave them up or they expired in between.
        case onSecondHit = "on-second-hit"
        /// None: what others wrote is read only.
        case off
    }

    /// What a power failure may take of a directory: with `none` the latest entries, which then read as corrupt or
    /// missing.
    package enum ObjectSync: String, Sendable, CaseIterable {
        /// The system writes when it likes.
        case none
        /// The content reaches the disk before the object has its name.
        case data
        /// The name does too, before the object counts as written.
        case full
    }

    package struct Limits: Sendable, Equatable {
        /// 0: one per core.
        package var workers = 0
        package var requestBody = ByteCount.mebibytes(64)
        package var requestMemory = ByteCount.mebibytes(512)
        package var requestHead = ByteCount.kibibytes(8)
        package var connections = 20_000
        package var idleTimeout = Duration.seconds(75)
        package var headTimeout = Duration.seconds(10)
        package var bodyTimeout = Duration.seconds(60)
        package var drainTimeout = Duration.seconds(30)
        package var jsonDepth = 64
        package var upstreamConnections = 256
        /// Of requests that wait for an upstream, for each priority.
        package var queue = 256
        package var queueTimeout = Duration.seconds(10)
        /// 0: no limit.
        package var tenantRequestsPerSecond = 0.0
        package var tenantTokensPerMinute = 0
        /// Calls made once more, as a share of requests.
        package var retryRatio = 0.2
        package var hedge = false
        package var choice = UpstreamChoice.weighted
        /// Share of the other upstreams' calls at a time beyond which those for overflow are used.
        package var overflowAt = 0.8
        /// Of the queue of writes to each lower tier.
        package var fillEntries = 10_000
        package var fillMemory = ByteCount.mebibytes(64)
        /// Of expired answers that are fetched anew behind their clients' backs.
        package var revalidations = 32
        package var revalidationQueue = 10_000
        package var revalidationMemory = ByteCount.mebibytes(64)
        package var highestPriority = Priority.interactive
        package var priorities: [PriorityRule] = []
        package var fallback = FallbackUse.asked
        package var fallbacks: [Fallback] = []
        package init() {}
    }

    package struct Log: Sendable, Equatable {
        package var level = LogLevel.info
        package var format = LogFormat.json
        package var requests = RequestLog.bypass
        package var access = Access()
        /// Whether the access log holds what clients ask.
        package var bodies = false
        package init() {}
    }

    package struct Access: Sendable, Equatable {
        /// Empty: no access log.
        package var path = ""
        package var maxSize = ByteCount.mebibytes(64)
        package var keep = 4
        package init() {}
    }

    package struct Traces: Sendable, Equatable {
        /// nil: spans are not sent anywhere.
        package var url: UpstreamURL?
        /// Of a thousand requests that belong to no trace, how many begin one.
        package var perMille = 1000
        package init() {}
    }

    package enum LogFormat: String, Sendable, CaseIterable {
        case json, text
    }

    /// Which requests get a log line of their own.
    package enum RequestLog: String, Sendable, CaseIterable {
        case none, bypass, all
    }
}
