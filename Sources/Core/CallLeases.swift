/// Who of several sidecars asks the model for a key, while the others wait for the entry.
///
/// A lease ends by itself soon after its holder died. No call fails: without the store every sidecar is on its own.
package protocol CallLeases: Sendable {
    /// Takes the lease of a key, unless another has it.
    func take(_ key: CacheKey) async -> LeaseState

    /// Who has it now.
    func state(of key: CacheKey) async -> LeaseState

    /// Keeps a lease that this sidecar took; to be called every `renewal` nanoseconds.
    func renew(_ key: CacheKey) async
    var renewal: Int64 { get }

    /// Gives a lease back. `isKept`: the entry can be found by now; otherwise those who wait are told that none will
    /// come, and ask by themselves, all at once.
    func release(_ key: CacheKey, isKept: Bool) async
}

package enum LeaseState: Sendable, Equatable {
    /// This sidecar took it just now.
    case taken
    /// Another has it.
    case elsewhere
    /// The one who had it found no answer that may be kept.
    case fruitless
    /// Nobody has it.
    case free
    /// The store cannot say.
    case unknown
}
