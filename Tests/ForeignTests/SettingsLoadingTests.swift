import Core
import Foreign
import Testing

/// From texts, variables and flags to settings: which source wins, and what is said of mistakes.
@Suite struct SettingsLoadingTests {
    private func load(
        _ file: String? = nil, environment: [(name: String, value: String)] = [], set: [String] = []
    ) throws(SettingsFailure) -> LoadedSettings {
        var loader = SettingsLoader(syntax: YAMLDocument())
        if let file { loader.add(file: [UInt8](file.utf8), named: "refrain.yaml") }
        loader.add(environment: environment)
        loader.add(assignments: set)
        return try loader.finish()
    }

    private func errors(
        _ file: String? = nil, environment: [(name: String, value: String)] = [], set: [String] = []
    ) -> [String] {
        do {
            _ = try load(file, environment: environment, set: set)
            return []
        } catch {
            return error.errors.map(\.description)
        }
    }

    @Test func laterSourcesWin() throws {
        let file = "cache:\n  ttl: 1h\n  trustFor: 1m\nlimits:\n  workers: 3\n"
        let loaded = try load(
            file, environment: [("REFRAIN_CACHE_TTL", "2h"), ("REFRAIN_LIMITS_WORKERS", "4"), ("HOME", "/")],
            set: ["cache.ttl=3h"])
        #expect(loaded.values.cache.ttl == .seconds(3 * 3600))
        #expect(loaded.values.limits.workers == 4)
        #expect(loaded.values.cache.trustFor == .seconds(60))
        #expect(loaded.values.cache.onAbort == .finish)
        #expect(loaded.origin(of: "cache.ttl").description == "--set")
        #expect(loaded.origin(of: "limits.workers").description == "REFRAIN_LIMITS_WORKERS")
        #expect(loaded.origin(of: "cache.trustFor").description == "refrain.yaml:3:13")
        #expect(loaded.origin(of: "cache.onAbort").description == "default")
    }

    @Test func theContractsExampleIsRead() throws {
        let loaded = try load(
            """
            listen: 127.0.0.1:8400
            admin: { listen: 127.0.0.1:8401, token: "" }
            upstreams:
              - { name: deepseek, url: https://api.deepseek.com, weight: 3 }
            cache: { ttl: 24h, staleIfError: 7d, staleWhileRevalidate: 10m, partition: api-key }
            memory: { capacity: 256MiB, eviction: lru }
            redis: { url: "redis://127.0.0.1:6379" }
            objects: { url: "file:///var/lib/refrain/objects" }
            semantic: { mode: off }
            """)
        #expect(loaded.values.upstreams.map(\.name) == ["deepseek"])
        #expect(loaded.values.upstreams.first?.url.description == "https://api.deepseek.com")
        #expect(loaded.values.cache.staleRetention == .seconds(7 * 86_400))
        #expect(loaded.values.redis.url == (try RedisURL("redis://127.0.0.1:6379")))
        #expect(loaded.values.objects.url == .directory("/var/lib/refrain/objects"))
        let without = try load("redis: { url: \"\" }\nobjects:\n  url:\n")
        #expect(without.values.redis.url == nil && without.values.objects.url == nil)
    }

    @Test func listsAndTablesComeFromVariablesAndFlagsToo() throws {
        let loaded = try load(
            environment: [("REFRAIN_UPSTREAMS", "[{url: http://127.0.0.1:9, connectTimeout: 1s}]")],
            set: ["cache.keyHeaders=[x-a, X-B]", "cache.keepHeaders=", "cache.secret=a=b:[c"])
        #expect(loaded.values.upstreams.first?.connectTimeout == .seconds(1))
        #expect(loaded.values.cache.keyHeaders == ["x-a", "x-b"])
        #expect(loaded.values.cache.keepHeaders == [])
        #expect(try load(set: ["upstreams=[]"]).values.upstreams == [])
        #expect(loaded.values.cache.secret.revealed == "a=b:[c")
    }

    @Test func theClientsVariablesAreNoSettings() throws {
        let loaded = try load(environment: [("REFRAIN_URL", "x"), ("REFRAIN_ADMIN", "y")])
        #expect(loaded.values == Settings())
    }

    @Test(arguments: [
        ("cache:\n  tll: 1h\n", "refrain.yaml:2:3: cache.tll: there is no such setting; did you mean cache.ttl?"),
        (
            "chace: {}\n",
            "refrain.yaml:1:1: chace: there is no such setting; did you mean cache?"
        ),
        (
            "cache:\n  ttl: 24\n",
            "refrain.yaml:2:8: cache.ttl: \"24\" has no unit; write a duration such as 20ms, 5s, 10m, 24h or 7d, "
                + "from 0 to 3650d"
        ),
        (
            "cache:\n  ttl: [1h]\n",
            "refrain.yaml:2:8: cache.ttl: a list stands here; write a duration such as 20ms, 5s, 10m, 24h or 7d, "
                + "from 0 to 3650d"
        ),
        (
            "limits: {jsonDepth: 9999}\n",
            "refrain.yaml:1:21: limits.jsonDepth: \"9999\" is out of range; write a whole number from 1 to 512"
        ),
        (
            "memory:\n  eviction: fifo\n",
            "refrain.yaml:2:13: memory.eviction: \"fifo\" is no choice; write lru or tinylfu"
        ),
        ("memory: 5\n", "refrain.yaml:1:9: memory: a single value stands here; write settings as `name: value`"),
        (
            "redis: {url: \"redis://:hunter2/x@h\"}\n",
            "refrain.yaml:1:14: redis.url: a port in it is not a number from 1 to 65535; write a URL such as "
                + "redis://host:6379/1, redis://user:password@one,two, rediss://host or "
                + "unix:///run/redis/redis.sock, or nothing"
        ),
        (
            "objects: {url: \"s3://key:hunter2@bucket\"}\n",
            "refrain.yaml:1:16: objects.url: this is no bucket: letters, digits, '-', '.' and '_' make one"
        ),
        (
            "semantic: {mode: on}\n",
            "refrain.yaml:1:18: semantic.mode: \"on\" is no choice; write off, shadow or serve"
        ),
        (
            "semantic: {mode: serve, endpoints: [chat, embeddings]}\n",
            "refrain.yaml:1:43: semantic.endpoints: \"embeddings\" is no choice; write a list of some of chat, "
                + "completions, responses, messages"
        ),
        (
            "memory: {capacity: 1MiB}\nsemantic: {mode: serve, capacity: 1MiB}\n",
            "refrain.yaml:2:35: semantic.capacity: it is more than half of memory.capacity, which holds the answers too"
        ),
        (
            "semantic: {remote: {url: \"http://h\"}}\n",
            "refrain.yaml:1:26: semantic.remote.model: the server of semantic.remote.url must be told which model encodes"
        ),
        (
            "upstreams:\n  - {url: https://a}\n  - {url: https://b}\n",
            "refrain.yaml:2:3: upstreams: [1].name: upstream is another one's name too; give each a name of its own"
        ),
        (
            "upstreams: [{name: redis, url: https://a}]\n",
            "refrain.yaml:1:12: upstreams: [0].name: redis is what a tier is called in metrics; choose another name"
        ),
        (
            "upstreams: [{url: https://a, overflow: true}]\n",
            "refrain.yaml:1:12: upstreams: [0].overflow: there is no other upstream that could be busy; leave it out for "
                + "one of them"
        ),
        (
            "upstreams: [{url: https://a, apiKey: k, headers: {X-API-Key: hunter2}}]\n",
            "refrain.yaml:1:12: upstreams: [0].headers: x-api-key is what apiKey is sent in; leave one of the two out"
        ),
        (
            "upstreams: [{url: https://a, headers: {Host: hunter2}}]\n",
            "refrain.yaml:1:40: upstreams[0].headers: \"Host\" cannot be set; write names and values of at most 32 header "
                + "lines such as {x-region: eu}"
        ),
        (
            "upstreams: [{url: https://a, models: [x]}]\n",
            "refrain.yaml:1:38: upstreams[0].models: a list stands here; write at most 256 names such as "
                + "{gpt-4o: llama-3.3-70b}"
        ),
        (
            "upstreams: [{url: https://a, healthPath: health}]\n",
            "refrain.yaml:1:42: upstreams[0].healthPath: \"health\" does not begin with /; write a path that begins with a "
                + "slash, or nothing"
        ),
        (
            "limits: {retryRatio: 1.5}\n",
            "refrain.yaml:1:22: limits.retryRatio: \"1.5\" is out of range; write a number such as 0.5 or 20 from 0 to 1, "
                + "with at most three digits behind the point"
        ),
        (
            "upstreams:\n  - {url: https://a, weigth: 2}\n",
            "refrain.yaml:2:22: upstreams[0].weigth: there is no such setting; did you mean weight?"
        ),
        (
            "upstreams:\n  - {name: a}\n",
            "refrain.yaml:2:5: upstreams[0]: url is missing; write a list such as "
                + "[{name: deepseek, url: https://api.deepseek.com}]"
        ),
        (
            "cache: {leftOut: [user, messages]}\n",
            "refrain.yaml:1:25: cache.leftOut: messages must not stand here: different questions would get the same answer"
        ),
        (
            "listen: 127.0.0.1:8401\n",
            "refrain.yaml:1:9: admin.listen: it is the same address as listen; give it a port of its own"
        ),
        ("- a\n", "refrain.yaml:1:1: a list stands here; write settings as `name: value`"),
    ])
    func mistakesInFiles(file: String, message: String) {
        #expect(errors(file) == [message])
    }

    @Test(arguments: [
        ("REFRAIN_CACHE_TLL", "1h", "REFRAIN_CACHE_TLL: there is no such setting; did you mean REFRAIN_CACHE_TTL?"),
        (
            "REFRAIN_CACHE_ENABLED", "1",
            "REFRAIN_CACHE_ENABLED: cache.enabled: \"1\" is neither true nor false; write true or false"
        ),
        (
            "REFRAIN_UPSTREAMS", "https://a",
            "REFRAIN_UPSTREAMS: upstreams: a single value stands here; write a list such as "
                + "[{name: deepseek, url: https://api.deepseek.com}]"
        ),
    ])
    func mistakesInVariables(name: String, value: String, message: String) {
        #expect(errors(environment: [(name, value)]) == [message])
    }

    @Test(arguments: [
        ("cache.ttl", "--set: \"cache.ttl\" has no value; write --set name=value"),
        ("cache.tll=1h", "--set: cache.tll: there is no such setting; did you mean cache.ttl?"),
        ("log.level=loud", "--set: log.level: \"loud\" is no choice; write debug, info, warning or error"),
        ("=x", "--set: there is no such setting; `refrain config reference` lists those there are"),
    ])
    func mistakesInFlags(assignment: String, message: String) {
        #expect(errors(set: [assignment]) == [message])
    }

    @Test func allMistakesAreReportedUpToALimit() {
        #expect(errors("cache: {tll: 1, ttl: 2}\n", set: ["x=1"]).count == 3)
        #expect(errors(set: (0..<100).map { "x\($0)=1" }).count == SettingsLoader.maxErrors)
    }

    @Test func secretsStayOutOfEverythingPrinted() throws {
        let loaded = try load("admin: {token: hunter2}\n", set: ["cache.secret=hunter3"])
        #expect(loaded.values.admin.token.revealed == "hunter2")
        let texts = [
            ConfigPrinter.yaml(loaded), String(decoding: ConfigPrinter.json(loaded), as: UTF8.self), "\(loaded)",
        ]
        for text in texts { #expect(!text.contains("hunter") && text.contains("***")) }
    }

    /// A file, what is wrong with it although each setting by itself is right, and where that is told.
    @Test(arguments: [
        ("redis: {url: \"redis://a,b\", mode: single}", "1:35: redis.mode: redis.url names several hosts"),
        ("redis: {url: \"redis://a/1\", mode: cluster}", "1:14: redis.url: a Redis Cluster has database 0 only"),
        ("redis: {url: \"rediss://a\", certificateFile: /c}", "1:45: redis.certificateFile: a certificate and its key"),
        ("redis: {url: \"rediss://a\", keyFile: /k}", "1:37: redis.keyFile: a certificate and its key"),
        ("redis: {url: \"redis://a\", caFile: /ca}", "1:35: redis.caFile: it is for TLS"),
        ("redis: {url: \"unix:///a\", serverName: a}", "1:39: redis.serverName: it is for TLS"),
        ("warm: {halfLife: 10ms}", "1:18: warm.halfLife: it is shorter than a second"),
        ("warm: {source: x, every: 3h}", "1:26: warm.refreshAhead: it is shorter than warm.every"),
        ("objects: {floor: 65MiB}", "1:18: objects.floor: it is above objects.ceiling"),
        ("objects: {ceiling: 1KiB, floor: 2KiB}", "1:33: objects.floor: it is above objects.ceiling"),
        (
            "objects: {url: \"s3://bucket?credentials=/a\", credentialsFile: /b}",
            "1:63: objects.credentialsFile: objects.url names a credentials file too"
        ),
    ])
    func settingsThatDoNotGoTogether(file: String, message: String) {
        let errors = errors(file)
        #expect(errors.count == 1)
        #expect(errors.first?.hasPrefix("refrain.yaml:" + message) == true, "\(errors)")
    }

    @Test(arguments: [
        "redis: {url: \"rediss://a,b\", mode: cluster, caFile: /ca, certificateFile: /c, keyFile: /k, serverName: a}",
        "redis: {url: \"redis://a/1\", mode: single}", "redis: {url: \"redis://a,b\"}", "redis: {mode: cluster}",
        "warm: {every: 3h}", "warm: {source: [a, b], every: 3h, refreshAhead: 0, halfLife: 0}",
        "objects: {floor: 1KiB, ceiling: 1KiB}", "objects: {url: \"s3://bucket\", credentialsFile: /b}",
    ])
    func settingsThatGoTogether(file: String) {
        #expect(errors(file) == [])
    }

    @Test func passwordsAndKeysStayOutOfEverythingPrinted() throws {
        let key = String(repeating: "5a", count: 32)
        let loaded = try load(
            "redis: {url: \"redis://app:hunter2@h/1\"}\n", environment: [("REFRAIN_CACHE_ENCRYPTION_KEY", key)])
        var dumped = ""
        dump(loaded, to: &dumped)
        let yaml = ConfigPrinter.yaml(loaded)
        for text in [yaml, String(decoding: ConfigPrinter.json(loaded), as: UTF8.self), "\(loaded)", dumped] {
            #expect(!text.contains("hunter2") && !text.contains("5a5a") && !text.contains("90, 90"))
        }
        #expect(yaml.contains("url: \"redis://app:***@h:6379/1\"") && yaml.contains("encryptionKey: \"***\""))
    }

    @Test(arguments: ["", "5a", String(repeating: "5a", count: 32) + ",hunter2", "file:keys", "***"])
    func encryptionKeysInErrorsStayUnseen(text: String) {
        let errors = errors(set: ["cache.encryptionKey=\(text)"])
        #expect(errors.count == (text.isEmpty ? 0 : 1))
        for error in errors {
            #expect(error.hasPrefix("--set: cache.encryptionKey: ") && error.contains("64 hexadecimal digits"))
            #expect(!error.contains("5a") && !error.contains("hunter2"))
        }
    }

    @Test func printedSettingsReadBackAsThemselves() throws {
        let file = """
            upstreams: [{name: a, url: "https://h:1/v1", caFile: "/x y", verifyTLS: false, totalTimeout: 90s}]
            cache: {partition: "header:X-Team", leftOut: ["a: b", "é", "#"], keyHeaders: [], maxAnswer: 3MB}
            log: {format: text}
            redis: {url: "unix://a%20%25:@/run/redis.sock?db=3", mode: single, serverName: "", coalesce: false}
            objects: {url: "s3://bucket/a%20b?region=here", write: on-second-hit, sync: data, floor: 1B}
            """
        let loaded = try load(file)
        #expect(try load(ConfigPrinter.yaml(loaded)).values == loaded.values)
        #expect(try load(ConfigPrinter.yaml(load())).values == Settings())
    }

    @Test func theReferenceFileHoldsTheDefaults() throws {
        let loaded = try load(SettingsReference.yaml())
        #expect(loaded.values == Settings())
        #expect(loaded.origins.count == SettingsTable.all.count)
    }

    @Test func filesThatCannotBeReadAreNamed() {
        for (path, reason) in [("/nonexistent/refrain.yaml", "No such file"), ("/", "directory")] {
            let error = #expect(throws: SettingsFailure.self) {
                try SettingsSources.load(file: path, environment: [], assignments: [])
            }
            #expect(error?.description.hasPrefix("\(path): it cannot be read: ") == true)
            #expect(error?.description.contains(reason) == true)
        }
        let endless = #expect(throws: SettingsFailure.self) {
            try SettingsSources.load(file: "/dev/zero", environment: [], assignments: [])
        }
        #expect(endless?.description == "/dev/zero: it is larger than \(YAMLDocument.maxBytes) bytes")
    }

    @Test func theProcessHasAnEnvironmentAndUsage() {
        #expect(SettingsSources.environment().contains { $0.name == "PATH" && !$0.value.isEmpty })
        #expect(ProcessUsage.residentBytes() > 1 << 20)
        #expect(ProcessUsage.cpuSeconds() > 0)
    }
}
