import Core
import Synchronization

/// The leases of a deployment, as one store holds them for all its sidecars.
package final class FakeLeaseTable: Sendable {
    fileprivate struct Lease {
        /// nil: those who wait are told that no entry will come.
        var owner: Int?
        /// In monotonic nanoseconds.
        var end: Int64
    }

    fileprivate struct State {
        var leases: [CacheKey: Lease] = [:]
        var isFailing = false
        var calls: [String] = []
    }

    /// How long a lease outlives its last renewal, in nanoseconds.
    package static let length = 2 * Duration64.nanosecondsPerSecond

    fileprivate let clock: any Clock
    fileprivate let state = Mutex(State())

    package init(clock: any Clock) { self.clock = clock }

    /// Whether nobody can be told anything.
    package var isFailing: Bool {
        get { state.withLock { $0.isFailing } }
        set { state.withLock { $0.isFailing = newValue } }
    }

    /// Every call so far: the sidecar's number and a verb.
    package var calls: [String] { state.withLock { $0.calls } }

    package func isHeld(_ key: CacheKey) -> Bool {
        let now = clock.monotonic()
        return state.withLock { $0.leases[key].map { $0.owner != nil && $0.end > now } ?? false }
    }
}

/// One sidecar's view of a `FakeLeaseTable`.
package final class FakeCallLeases: CallLeases {
    private let table: FakeLeaseTable
    private let owner: Int

    package init(_ table: FakeLeaseTable, owner: Int) {
        self.table = table
        self.owner = owner
    }

    package var renewal: Int64 { 600 * Duration64.nanosecondsPerMillisecond }

    package func take(_ key: CacheKey) async -> LeaseState {
        call("take") { leases, now in
            let state = FakeCallLeases.state(leases[key], owner, now)
            guard state == .free else { return state }
            leases[key] = .init(owner: owner, end: now + FakeLeaseTable.length)
            return .taken
        } ?? .unknown
    }

    package func state(of key: CacheKey) async -> LeaseState {
        call("state") { leases, now in FakeCallLeases.state(leases[key], owner, now) } ?? .unknown
    }

    package func renew(_ key: CacheKey) async {
        _ = call("renew") { leases, now in
            guard FakeCallLeases.state(leases[key], owner, now) == .taken else { return }
            leases[key]?.end = now + FakeLeaseTable.length
        }
    }

    package func release(_ key: CacheKey, isKept: Bool) async {
        _ = call(isKept ? "release" : "release-fruitless") { leases, now in
            guard FakeCallLeases.state(leases[key], owner, now) == .taken else { return }
            leases[key] = isKept ? nil : .init(owner: nil, end: now + Duration64.nanosecondsPerSecond)
        }
    }

    private static func state(_ lease: FakeLeaseTable.Lease?, _ owner: Int, _ now: Int64) -> LeaseState {
        guard let lease, lease.end > now else { return .free }
        return lease.owner.map { $0 == owner ? .taken : .elsewhere } ?? .fruitless
    }

    /// nil where the store fails.
    private func call<Result: Sendable>(
        _ verb: String, _ body: (inout [CacheKey: FakeLeaseTable.Lease], Int64) -> Result
    ) -> Result? {
        let now = table.clock.monotonic()
        return table.state.withLock { state in
            state.calls.append("\(owner) \(verb)")
            return state.isFailing ? nil : body(&state.leases, now)
        }
    }
}
