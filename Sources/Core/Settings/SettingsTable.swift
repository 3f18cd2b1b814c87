/// Every setting, declared once. Parsing, printing, the names in the environment and the reference pages all come
/// from these rows; the defaults are the initial values of the fields the rows point at.
package enum SettingsTable {
    package static let all: [Setting<Settings>] =
        listeners + [upstreamList] + cache + memory + redis + objects + semantic + limits + shield + policies + warm
        + [priceList] + log
        + traces

    package static let sections: [(name: String, sentence: String)] = [
        ("listen", "Where clients connect."),
        ("admin", "The port for people and probes: health, metrics, statistics, purging."),
        ("upstreams", "The model servers that answer what the cache cannot."),
        ("cache", "What may be cached, for whom, and for how long."),
        ("memory", "The first tier: answers held in this process."),
        ("redis", "The second tier, shared between sidecars."),
        ("objects", "The third tier: a directory or an object store."),
        ("semantic", "Answers of requests that mean the same: see semantic.md."),
        ("limits", "What the sidecar refuses, so that it cannot be overwhelmed."),
        ("warm", "Popular prompts whose answers are kept fresh: see warming.md."),
        ("prices", "What models cost, to tell what the cache saves."),
        ("log", "What is written to standard error, and the access log."),
        ("traces", "One span for each request, sent to a collector of OpenTelemetry."),
    ]

    private static let wait = Duration.milliseconds(1)...Duration.hours(24)

    private static let listeners: [Setting<Settings>] = [
        .init("listen", \.listen, .address, "The address for requests to the model. Port 0 lets the system choose."),
        .init("admin.listen", \.admin.listen, .address, "The address of the admin port."),
        .init(
            "admin.token", \.admin.token, .secret,
            "The bearer token that every admin path but the health checks asks for. Empty: none."),
    ]

    private static let cache: [Setting<Settings>] = [
        .init("cache.enabled", \.cache.enabled, .boolean, "False passes every request on."),
        .init("cache.ttl", \.cache.ttl, .duration(.zero ... .days(3650)), "How long an answer is fresh."),
        .init(
            "cache.staleIfError", \.cache.staleIfError, .duration(.zero ... .days(3650)),
            "How long past that it may still be served when the upstream fails."),
        .init(
            "cache.staleWhileRevalidate", \.cache.staleWhileRevalidate, .duration(.zero ... .days(3650)),
            "How long past that it is served at once while a fresh answer is fetched behind. Zero: never."),
        .init(
            "cache.partition", \.cache.partition, .partition,
            "Between whom answers are shared: requests with the same credential, all, or the same value of a header."),
        .init(
            "cache.secret", \.cache.secret, .secret,
            "Keys the digest of credentials; the same for all sidecars of a deployment. Empty: random at each start."),
        .init(
            "cache.encryptionKey", \.cache.encryptionKey, .encryptionKeys,
            "Keys that answers are encrypted with (AES-256-GCM) in Redis and the object store; the same for all sidecars "
                + "that share them. The first one encrypts and all of them decrypt, so that keys can be changed. With one, "
                + "answers that are not encrypted are not served. Empty: none."),
        .init(
            "cache.warmRestart", \.cache.warmRestart, .integer(0...1_000_000),
            "How many of the hottest answers a polite stop notes in the object store, so that the next start brings them "
                + "back into memory. 0: none."),
        .init(
            "cache.trustFor", \.cache.trustFor, .duration(.zero ... .days(30)),
            "With a wider partition than `api-key`: how long a credential is served hits after the upstream took it."),
        .init(
            "cache.leftOut", \.cache.leftOut,
            .memberNames(
                example: "[user, metadata]",
                forbidden: ["model", "messages", "input", "prompt", "instructions", "system", "tools"],
                why: "different questions would get the same answer"),
            "Top-level members of the request that do not change the answer and are no part of the key."),
        .init(
            "cache.credentialHeaders", \.cache.credentialHeaders, .headerNames(example: "[x-gateway-key]"),
            "Request headers that carry a credential, besides `Authorization`, `x-api-key` and `api-key`."),
        .init(
            "cache.keyHeaders", \.cache.keyHeaders, .headerNames(example: "[openai-beta]"),
            "Request headers that are part of the key."),
        .init(
            "cache.keepHeaders", \.cache.keepHeaders,
            .headerNames(
                example: "[x-request-id]",
                forbidden: [
                    "connection", "content-encoding", "content-length", "keep-alive", "proxy-authenticate",
                    "set-cookie",
                    "te", "trailer", "transfer-encoding", "upgrade",
                ], why: "it belongs to one message or one client"),
            "Response headers that are kept with an answer and sent with every hit."),
        .init(
            "cache.maxRequest", \.cache.maxRequest, .size(.kibibytes(1) ... .mebibytes(256)),
            "The largest request body that is considered; larger ones are passed on."),
        .init(
            "cache.maxAnswer", \.cache.maxAnswer, .size(.kibibytes(1) ... .gibibytes(1)),
            "The largest answer that is kept."),
        .init(
            "cache.askForUsage", \.cache.askForUsage, .boolean,
            "Whether streams are asked to report usage, which clients that did not ask are not shown."),
        .init(
            "cache.honorNoStore", \.cache.honorNoStore, .boolean,
            "Whether an upstream's `Cache-Control: no-store` keeps its answer out."),
        .init(
            "cache.onAbort", \.cache.onAbort, .choice(of: Settings.OnAbort.self),
            "Whether an answer that nobody waits for any more is finished and kept, or cancelled."),
        .init(
            "cache.abortTimeout", \.cache.abortTimeout, .duration(wait),
            "How long an answer that nobody waits for may still run."),
        .init(
            "cache.followerTimeout", \.cache.followerTimeout, .duration(wait),
            "How long a request waits for the first byte of another's call before it makes its own."),
    ]

    private static let memory: [Setting<Settings>] = [
        .init(
            "memory.capacity", \.memory.capacity, .size(.mebibytes(1) ... .gibibytes(1024)),
            "How much memory answers may take, keys and overhead included."),
        .init(
            "memory.eviction", \.memory.eviction, .choice(of: Settings.Eviction.self),
            "Which answers make room: the least recently used, or those an admission filter expects least of."),
        .init(
            "memory.shards", \.memory.shards, .integer(0...256),
            "Into how many independently locked parts memory is cut, rounded down to a power of two. An answer larger than a "
                + "quarter of a part is not kept. 0: chosen from the cores and the capacity."),
    ]

    private static let redis: [Setting<Settings>] = [
        .init(
            "redis.url", \.redis.url, .redisURL,
            "Where the Redis is, or some servers of a Redis Cluster. Empty: no Redis tier."),
        .init(
            "redis.mode", \.redis.mode, .choice(of: Settings.RedisMode.self),
            "Whether it is one server or a cluster; auto asks it."),
        .init(
            "redis.caFile", \.redis.caFile, .path,
            "The certificate authorities to trust over TLS, PEM. Empty: the system's."),
        .init(
            "redis.certificateFile", \.redis.certificateFile, .path,
            "The certificate that the sidecar shows over TLS, PEM. Empty: none."),
        .init("redis.keyFile", \.redis.keyFile, .path, "The private key of that certificate, PEM."),
        .init(
            "redis.serverName", \.redis.serverName, .hostName,
            "The name that certificates must have. Empty: that of the host in the URL."),
        .init(
            "redis.deadline", \.redis.deadline, .duration(.milliseconds(1) ... .seconds(10)),
            "How long a look-up may take before it counts as a miss."),
        .init(
            "redis.coalesce", \.redis.coalesce, .boolean,
            "Whether one sidecar of all that share the Redis calls the upstream for a request, and the others wait."),
        .init(
            "redis.coalesceTimeout", \.redis.coalesceTimeout, .duration(wait),
            "How long a request waits for another sidecar's call before it makes its own."),
    ]

    private static let objects: [Setting<Settings>] = [
        .init(
            "objects.url", \.objects.url, .objectsURL,
            "The directory or the bucket; `s3+v2` is for servers that know no newer signature. Parameters of a bucket: "
                + "endpoint, region, style (path or virtual), ca, credentials, verify=off. Empty: no object tier."),
        .init(
            "objects.write", \.objects.write, .choice(of: Settings.ObjectWrite.self),
            "Which answers are written: all, those that are fetched a second time, or none."),
        .init(
            "objects.floor", \.objects.floor, .size(ByteCount(bytes: 0) ... .gibibytes(1)),
            "Answers that take fewer bytes are not written."),
        .init(
            "objects.ceiling", \.objects.ceiling, .size(.kibibytes(1) ... .gibibytes(1)),
            "Answers that take more bytes are not written."),
        .init(
            "objects.deadline", \.objects.deadline, .duration(.milliseconds(1) ... .seconds(60)),
            "How long a look-up may take before the upstream is asked instead."),
        .init(
            "objects.credentialsFile", \.objects.credentialsFile, .path,
            "A credentials file of the AWS clients, for a bucket. Empty: the URL's, `AWS_ACCESS_KEY_ID` and "
                + "`AWS_SECRET_ACCESS_KEY`, or the file that `AWS_SHARED_CREDENTIALS_FILE` names."),
        .init(
            "objects.capacity", \.objects.capacity, .size(.mebibytes(1) ... .gibibytes(1 << 20)),
            "How much a directory may hold; the answers that were used longest ago make room. Buckets have no bound."),
        .init(
            "objects.sync", \.objects.sync, .choice(of: Settings.ObjectSync.self),
            "What reaches a directory's disk before an answer counts as written: nothing, its content, or its name too. "
                + "After a power failure, what had not reached it is a miss."),
    ]

    private static let limits: [Setting<Settings>] = [
        .init("limits.workers", \.limits.workers, .integer(0...256), "How many threads serve. 0: one per core."),
        .init(
            "limits.requestBody", \.limits.requestBody, .size(.kibibytes(1) ... .gibibytes(16)),
            "The largest request body; larger ones are answered with 413."),
        .init(
            "limits.requestMemory", \.limits.requestMemory, .size(.mebibytes(1) ... .gibibytes(64)),
            "What all request bodies under way may hold together; beyond it, larger ones are answered with 503."),
        .init(
            "limits.requestHead", \.limits.requestHead, .size(.kibibytes(4) ... .mebibytes(1)),
            "The largest request line with its headers; larger ones are answered with 431."),
        .init(
            "limits.connections", \.limits.connections, .integer(1...1_000_000),
            "How many clients may be connected at once."),
        .init(
            "limits.idleTimeout", \.limits.idleTimeout, .duration(wait),
            "How long a connection may wait for its next request."),
        .init(
            "limits.headTimeout", \.limits.headTimeout, .duration(wait),
            "How long the headers of a request may take to arrive."),
        .init(
            "limits.bodyTimeout", \.limits.bodyTimeout, .duration(wait),
            "How long the body of a request may pause between two bytes."),
        .init(
            "limits.drainTimeout", \.limits.drainTimeout, .duration(.zero ... .hours(24)),
            "How long requests under way may take to finish when the sidecar is told to stop."),
        .init(
            "limits.jsonDepth", \.limits.jsonDepth, .integer(1...512),
            "How deep a request body may nest; deeper ones are passed on."),
        .init(
            "limits.upstreamConnections", \.limits.upstreamConnections, .integer(1...100_000),
            "How many connections to one upstream a worker may have open at once."),
        .init(
            "limits.fillEntries", \.limits.fillEntries, .integer(1...10_000_000),
            "How many answers may wait to be written to a lower tier, for each of them; the oldest are dropped beyond."),
        .init(
            "limits.fillMemory", \.limits.fillMemory, .size(.mebibytes(1) ... .gibibytes(64)),
            "How much memory those may hold, for each lower tier."),
        .init(
            "limits.revalidations", \.limits.revalidations, .integer(1...10_000),
            "How many expired answers are fetched anew at once (`cache.staleWhileRevalidate`)."),
        .init(
            "limits.revalidationQueue", \.limits.revalidationQueue, .integer(0...1_000_000),
            "How many may wait for that; those beyond are brought up again by the next request for them."),
        .init(
            "limits.revalidationMemory", \.limits.revalidationMemory, .size(.mebibytes(1) ... .gibibytes(64)),
            "How much memory the requests of those that wait may hold."),
    ]

    private static let log: [Setting<Settings>] = [
        .init("log.level", \.log.level, .logLevel, "The least important lines that are written."),
        .init("log.format", \.log.format, .choice(of: Settings.LogFormat.self), "JSON for machines, text for people."),
        .init(
            "log.requests", \.log.requests, .choice(of: Settings.RequestLog.self),
            "Which requests get a line of their own."),
        .init(
            "log.access.path", \.log.access.path, .path,
            "The access log: a file with one JSON object for each request, which `refrain warm` reads. SIGHUP opens it "
                + "anew. Empty: none."),
        .init(
            "log.access.maxSize", \.log.access.maxSize, .size(.kibibytes(4) ... .gibibytes(1 << 10)),
            "When the file would be larger it becomes `PATH.1`, and a new one is begun."),
        .init("log.access.keep", \.log.access.keep, .integer(0...1000), "How many such files are kept."),
        .init(
            "log.bodies", \.log.bodies, .boolean,
            "Whether the access log has the bodies of cacheable requests: what people ask, readable for whoever reads the "
                + "file. `refrain warm` needs them. With `semantic.mode` the admin port shows texts of questions, too."),
    ]

    package static let price: [Setting<ModelPrice>] = [
        .init("model", \.model, .modelName, "The model's name in requests."),
        .init("input", \.input, .price, "US dollars for a million tokens of prompts."),
        .init("output", \.output, .price, "US dollars for a million tokens of answers."),
    ]

    private static let priceList = Setting<Settings>(
        "prices", \.prices,
        TableListFormat(
            rows: price, blank: ModelPrice(model: "", input: .zero, output: .zero), required: price.map(\.name),
            maxItems: 10_000, example: "[{model: gpt-4o-mini, input: 0.15, output: 0.6}]"),
        "US dollars for a million tokens, over the list prices of common models that are built in (as known in "
            + "March 2026; check those that you rely on). A name also stands for its dated versions, and for itself behind a provider's name and a slash."
    )

    private static let traces: [Setting<Settings>] = [
        .init(
            "traces.url", \.traces.url, .optionalURL,
            "A collector that takes OTLP over HTTP as JSON, such as http://127.0.0.1:4318. Empty: none."),
        .init(
            "traces.perMille", \.traces.perMille, .integer(0...1000),
            "Of a thousand requests that come without `traceparent`, how many are recorded. Those that come with one are "
                + "where it says so."),
    ]
}
