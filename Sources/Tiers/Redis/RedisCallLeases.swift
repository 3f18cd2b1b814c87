import Core
import Synchronization

/// Leases as values that expire: whoever writes one where there is none has it, and writes it again to keep it.
///
/// The value is this sidecar's own, so that none gives back or keeps what another took meanwhile. The server's user
/// needs `EVAL` and `DEL` for that; without them a lease ends by itself after `lease`, and a call that takes longer is
/// made by the waiting sidecars too.
package final class RedisCallLeases: CallLeases {
    package struct Options: Sendable {
        /// What the names of all leases begin with. No `{`, so that a cluster spreads them over all of its slots.
        package var prefix = "refrain:v1:lease:"
        /// How long a lease outlives its last renewal, in milliseconds.
        package var lease: Int64 = 2000
        /// How often it is renewed, in nanoseconds.
        package var renewal = 600 * Duration64.nanosecondsPerMillisecond
        /// For how long those who wait are told that no entry will come, in milliseconds.
        package var fruitless: Int64 = 1000
        /// How long one command may take, in nanoseconds.
        package var deadline = 20 * Duration64.nanosecondsPerMillisecond

        package init() {}
    }

    private let store: any KeyValueStore
    private let options: Options
    private let clock: any Clock
    private let log: any Log
    private let breaker: SharedBreaker
    /// Whether the log knows that the server refuses commands, which does not pass by itself.
    private let isRefusalTold = Mutex(false)
    /// Of this sidecar.
    private let owner: Bytes

    /// No owner is called so.
    private static let fruitless = Bytes("fruitless")

    /// - Parameter breaker: that of the Redis tier, which knows as well whether the server is there.
    package init(
        store: any KeyValueStore, options: Options = Options(), clock: any Clock, random: any RandomSource,
        log: any Log, breaker: SharedBreaker
    ) {
        precondition(!options.prefix.contains("{"), "RedisCallLeases: a hash tag would put all leases into one slot")
        self.store = store
        self.options = options
        self.clock = clock
        self.log = log
        self.breaker = breaker
        owner = Bytes(CacheKey(random.next(), random.next(), random.next(), random.next()).hex)
    }

    package var renewal: Int64 { options.renewal }

    package func take(_ key: CacheKey) async -> LeaseState {
        let name = storedName(of: key)
        // The second time where the other's lease ended between the two commands.
        for _ in 0..<2 {
            let isTaken = await call { (store, deadline) throws(KeyValueFailure) in
                try await store.setIfAbsent(name, owner, milliseconds: options.lease, deadline: deadline)
            }
            guard let isTaken else { return .unknown }
            if isTaken { return .taken }
            let state = await state(of: key)
            if state != .free { return state }
        }
        return .unknown
    }

    package func state(of key: CacheKey) async -> LeaseState {
        let name = storedName(of: key)
        let found = await call { (store, deadline) throws(KeyValueFailure) in
            try await store.get(name, deadline: deadline)
        }
        guard let found else { return .unknown }
        switch found {
        case nil: return .free
        case owner: return .taken
        case RedisCallLeases.fruitless: return .fruitless
        default: return .elsewhere
        }
    }

    package func renew(_ key: CacheKey) async {
        await replace(key, with: owner, milliseconds: options.lease)
    }

    package func release(_ key: CacheKey, isKept: Bool) async {
        guard isKept else {
            return await replace(key, with: RedisCallLeases.fruitless, milliseconds: options.fruitless)
        }
        let name = storedName(of: key)
        _ = await call { (store, deadline) throws(KeyValueFailure) in
            try await store.delete(name, ifEqual: owner, deadline: deadline)
        }
    }

    // MARK: Steps

    private func storedName(of key: CacheKey) -> Bytes { Bytes(options.prefix + key.hex) }

    private func replace(_ key: CacheKey, with value: Bytes, milliseconds: Int64) async {
        let name = storedName(of: key)
        _ = await call { (store, deadline) throws(KeyValueFailure) in
            try await store.replace(name, owner, with: value, milliseconds: milliseconds, deadline: deadline)
        }
    }

    /// nil where the store was not asked or failed.
    private func call<Result>(
        _ body: (any KeyValueStore, Int64) async throws(KeyValueFailure) -> Result
    ) async -> Result? {
        do throws(KeyValueFailure) {
            let deadline = clock.monotonic() + options.deadline
            return try await breaker.call { () throws(KeyValueFailure) in try await body(store, deadline) }
        } catch {
            if case .server(let message) = error { report(message) }
            return nil
        }
    }

    private func report(_ message: String) {
        let isNews = isRefusalTold.withLock { isTold in
            defer { isTold = true }
            return !isTold
        }
        if isNews { log.write(.warning, "leases-refused", LogField("message", message)) }
    }
}
