import Core
import Foreign
import Synchronization
import Tiers

/// The tiers outside the process that the settings ask for, and what they stand on.
///
/// What can never work (a file that cannot be read, missing credentials, a directory that cannot be made) ends the
/// start. A Redis or a bucket that cannot be reached does not: until it can, it is a log line and misses.
final class LowerTiers: Sendable {
    /// In the order in which they are asked.
    let tiers: [any Tier]
    /// nil without a Redis tier.
    let store: RedisStore?
    /// How the clients of `store` speak to the Redis, for those who need connections of their own.
    let redisOptions: RedisOptions?
    /// nil without an object tier.
    var objects: (any ObjectStore)? { place?.store }

    /// Where all sidecars keep the marks of purges: in Redis, which tells them at once, and in the object store, whose
    /// answers they have to outlive a Redis that forgets for; or in the one of them that there is.
    let home: (any PurgeHome)?
    /// nil where every sidecar asks the model by itself.
    let leases: RedisCallLeases?

    private let clients: [RedisClient]
    private let redis: RedisTier?
    private let objectTier: ObjectTier?
    private let place: ObjectPlace?
    private let capacity: Int
    private let isOpen = Atomic(false)

    /// - Parameters:
    ///   - loops: those of all workers; at least one.
    ///   - environment: where the credentials of a bucket may be.
    init(
        _ settings: Settings, loops: [EventLoop], environment: [(name: String, value: String)],
        digest: any Digesting, clock: any Clock, log: any Log
    ) throws(CommandFailure) {
        let codec = try EntryCodec(settings)
        capacity = settings.objects.capacity.bytes
        redisOptions = settings.redis.url.map { RedisOptions($0, settings.redis, largestEntry: codec.limit) }
        if let redisOptions {
            // One for each worker, and one for what is done behind their backs.
            clients = try LowerTiers.clients(redisOptions, loops + [loops[0]], clock, log)
            let store = RedisStore(clients: clients)
            self.store = store
            let breaker = SharedBreaker(target: "redis", clock: clock, log: log)
            redis = RedisTier(
                store: store, codec: codec, options: .init(settings), clock: clock, log: log, breaker: breaker)
            leases =
                settings.redis.coalesce
                ? RedisCallLeases(
                    store: store, options: .init(settings), clock: clock, random: SystemRandom(), log: log,
                    breaker: breaker) : nil
        } else {
            (clients, store, redis, leases) = ([], nil, nil, nil)
        }
        if let url = settings.objects.url {
            let place = try ObjectPlace(
                url, settings.objects, environment: environment, loop: loops[0], clock: clock, log: log)
            self.place = place
            objectTier = ObjectTier(
                store: place.store, codec: codec, options: .init(settings), clock: clock, log: log)
        } else {
            (place, objectTier) = (nil, nil)
        }
        home = LowerTiers.home(store, place?.store, digest, clock, log)
        tiers = [redis as (any Tier)?, objectTier].compactMap(\.self)
        if !tiers.isEmpty { LowerTiers.warn(settings, log) }
    }

    private static func home(
        _ store: RedisStore?, _ objects: (any ObjectStore)?, _ digest: any Digesting, _ clock: any Clock, _ log: any Log
    ) -> (any PurgeHome)? {
        let lasting = objects.map { ObjectPurgeHome(store: $0, digest: digest, clock: clock, log: log) }
        guard let store else { return lasting }
        let quick = RedisPurgeHome(store: store, clock: clock, log: log)
        return lasting.map { MirroredPurgeHome(quick, mirroredIn: $0, log: log) } ?? quick
    }

    private static func clients(
        _ options: RedisOptions, _ loops: [EventLoop], _ clock: any Clock, _ log: any Log
    ) throws(CommandFailure) -> [RedisClient] {
        do throws(RedisSetupFailure) {
            var clients: [RedisClient] = []
            for loop in loops {
                clients.append(
                    try RedisClient(loop: loop, options: options, clock: clock, random: SystemRandom(), log: log))
            }
            return clients
        } catch {
            throw .failed("\(error)")
        }
    }

    private static func warn(_ settings: Settings, _ log: any Log) {
        // Keys of a cache that all share do not depend on the secret.
        guard settings.cache.secret.isEmpty, settings.cache.partition != .shared else { return }
        log.write(
            .warning, "no-secret",
            LogField(
                "message",
                "set cache.secret, the same for all sidecars: without it the keys of answers are new at each start, so "
                    + "that those in Redis and the object store are found by no other sidecar and not after a restart"))
    }

    /// How questions are told to the other sidecars; nil without a Redis.
    func feed(on loop: EventLoop, clock: any Clock, log: any Log) throws(RedisSetupFailure) -> RedisFeed? {
        // The last one is for what is done behind the workers' backs, on the first loop.
        guard let client = clients.last, let redisOptions else { return nil }
        return try RedisFeed(
            client: client, redis: redisOptions, clock: clock, random: SystemRandom(), log: log,
            servers: { [self] in masters(on: loop) })
    }

    /// The masters of a Redis Cluster as far as they are known; none for a single Redis. On that loop's thread.
    func masters(on loop: EventLoop) -> [RedisEndpoint] { clients.first { $0.loop === loop }?.masters ?? [] }

    /// Begins to connect, when the loops run.
    func open() {
        isOpen.store(true, ordering: .relaxed)
        for client in clients { client.loop.execute { client.open() } }
    }

    /// Ends what is under way, while the loops still run.
    func close() async {
        place?.close()
        guard isOpen.exchange(false, ordering: .relaxed) else { return }
        for client in clients { await client.loop.perform { client.close() } }
    }

    // MARK: Metrics

    func register(in registry: MetricsRegistry) {
        if let redis {
            register(redis.name, .redis, in: registry, state: { redis.breakerState }) {
                let statistics = redis.statistics
                return (statistics.failures.values.reduce(0, +), statistics.writes)
            }
        }
        if let objectTier {
            register(objectTier.name, .objects, in: registry, state: { objectTier.breakerState }) {
                let statistics = objectTier.statistics
                return (statistics.failures.values.reduce(0, +), statistics.writes)
            }
        }
        guard let directory = place?.directory else { return }
        let capacity = Double(capacity)
        registry.read(.entries, TierName.objects) { Double(directory.statistics.entries) }
        registry.read(.tierBytes, TierName.objects) { Double(directory.statistics.bytes) }
        registry.read(.tierCapacity, TierName.objects) { capacity }
    }

    private func register(
        _ tier: TierName, _ target: BreakerTarget, in registry: MetricsRegistry,
        state: @escaping @Sendable () -> BreakerState,
        calls: @escaping @Sendable () -> (failures: Int, writes: [StoreResult: Int])
    ) {
        registry.read(.breakerState, target) { Double(state().rawValue) }
        registry.read(.tierFailures, tier) { Double(calls().failures) }
        for result in StoreResult.allCases {
            registry.read(.tierWrites, tier, result) { Double(calls().writes[result] ?? 0) }
        }
    }
}

extension EntryCodec {
    /// Room for what is not an answer's content: headers, tags, the model's name.
    private static let labels = 1 << 20

    fileprivate init(_ settings: Settings) throws(CommandFailure) {
        // An answer may be kept in both forms.
        let limit = 2 * settings.cache.maxAnswer.bytes + EntryCodec.labels
        self.init(
            compression: LZ4Compression(), checksum: XXH3Checksum(), sealing: try EntrySeal.make(settings), limit: limit
        )
    }
}

extension EntrySeal {
    /// nil where entries are not encrypted.
    static func make(_ settings: Settings) throws(CommandFailure) -> EntrySeal? {
        do {
            let keys = try settings.cache.encryptionKey.load().keys
            return keys.isEmpty ? nil : try EntrySeal(keys: keys)
        } catch {
            throw .failed("cache.encryptionKey: \(error)")
        }
    }
}

extension RedisOptions {
    fileprivate init(_ url: RedisURL, _ settings: Settings.Redis, largestEntry: Int) {
        self.init(url: url)
        func named(_ text: String) -> String? { text.isEmpty ? nil : text }
        mode = settings.mode
        tls.caFile = named(settings.caFile)
        tls.certificateFile = named(settings.certificateFile)
        tls.keyFile = named(settings.keyFile)
        tls.serverName = named(settings.serverName)
        largestReply = max(largestReply, largestEntry)
        // Who is given more time to answer does not stall sooner.
        stallLimit = max(stallLimit, settings.deadline.nanoseconds)
        silenceLimit = max(silenceLimit, 2 * stallLimit)
    }
}

extension RedisTier.Options {
    fileprivate init(_ settings: Settings) {
        self.init()
        deadline = settings.redis.deadline.nanoseconds
        writeDeadline = max(writeDeadline, deadline)
        retainStale = settings.cache.staleRetention.milliseconds
    }
}

extension RedisCallLeases.Options {
    fileprivate init(_ settings: Settings) {
        self.init()
        deadline = settings.redis.deadline.nanoseconds
    }
}

extension ObjectTier.Options {
    fileprivate init(_ settings: Settings) {
        self.init()
        write = settings.objects.write
        floor = settings.objects.floor.bytes
        ceiling = settings.objects.ceiling.bytes
        deadline = settings.objects.deadline.nanoseconds
        writeDeadline = max(writeDeadline, deadline)
        retainStale = settings.cache.staleRetention.milliseconds
    }
}
