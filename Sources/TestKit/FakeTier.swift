import Core
import Synchronization
import Tiers

/// A lower tier in a dictionary, which several sidecars may share. It can be told to fail and to take its time.
package final class FakeTier: Tier {
    package enum Verb: Sendable, Equatable {
        case find, store, remove
    }

    private struct State {
        var entries: [CacheKey: Entry] = [:]
        var isFailing = false
        var results: [StoreResult] = []
        var calls: [Verb] = []
        var stored: [(key: CacheKey, entry: Entry)] = []
        var during: (@Sendable (Verb, CacheKey) async -> Void)?
    }

    package let name: TierName
    private let state = Mutex(State())

    package init(_ name: TierName = .redis) { self.name = name }

    /// Whether every call fails.
    package var isFailing: Bool {
        get { state.withLock { $0.isFailing } }
        set { state.withLock { $0.isFailing = newValue } }
    }

    /// What the next calls of `store` give back; those after them store.
    package var results: [StoreResult] {
        get { state.withLock { $0.results } }
        set { state.withLock { $0.results = newValue } }
    }

    /// What happens while a call is made: `find` has looked by then, the others act afterwards.
    package var during: (@Sendable (Verb, CacheKey) async -> Void)? {
        get { state.withLock { $0.during } }
        set { state.withLock { $0.during = newValue } }
    }

    /// Every call so far.
    package var calls: [Verb] { state.withLock { $0.calls } }

    /// Every entry that was taken, in order.
    package var stored: [(key: CacheKey, entry: Entry)] { state.withLock { $0.stored } }

    package var count: Int { state.withLock { $0.entries.count } }

    package func count(of verb: Verb) -> Int { calls.count { $0 == verb } }

    package subscript(key: CacheKey) -> Entry? {
        get { state.withLock { $0.entries[key] } }
        set { state.withLock { $0.entries[key] = newValue } }
    }

    package func look(for key: CacheKey) async -> TierFinding {
        let found = state.withLock { state -> TierFinding in
            state.calls.append(.find)
            guard !state.isFailing else { return .unknown }
            return state.entries[key].map { .held($0) } ?? .nothing
        }
        await during?(.find, key)
        return found
    }

    package func store(_ entry: Entry, under key: CacheKey) async -> StoreResult {
        state.withLock { $0.calls.append(.store) }
        await during?(.store, key)
        return state.withLock { state in
            guard !state.isFailing else { return .failed }
            let result = state.results.isEmpty ? .stored : state.results.removeFirst()
            if result == .stored {
                state.entries[key] = entry
                state.stored.append((key, entry))
            }
            return result
        }
    }

    package func remove(_ key: CacheKey) async -> Bool {
        state.withLock { $0.calls.append(.remove) }
        await during?(.remove, key)
        return state.withLock { $0.isFailing ? false : $0.entries.removeValue(forKey: key) != nil }
    }
}

/// Holds up whoever passes until it is opened.
package final class Gate: Sendable {
    private struct State {
        var isOpen = false
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    package init() {}

    /// How many are held up.
    package var waiting: Int { state.withLock { $0.waiters.count } }

    package func pass() async {
        await withCheckedContinuation { waiter in
            let isOpen = state.withLock { state in
                if !state.isOpen { state.waiters.append(waiter) }
                return state.isOpen
            }
            if isOpen { waiter.resume() }
        }
    }

    package func open() {
        let waiters = state.withLock { state in
            state.isOpen = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }
}
