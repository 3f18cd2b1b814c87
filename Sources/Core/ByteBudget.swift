import Synchronization

/// Bytes that all workers together may hold for one purpose: a limit each is no limit when there are many of them.
package final class ByteBudget: Sendable {
    private let limit: Int
    private let held = Atomic(0)

    package init(limit: ByteCount) { self.limit = limit.bytes }

    /// Whether there was room; what was taken must be given back.
    package func take(_ count: Int) -> Bool {
        guard held.wrappingAdd(count, ordering: .relaxed).newValue > limit else { return true }
        give(count)
        return false
    }

    package func give(_ count: Int) { held.wrappingSubtract(count, ordering: .relaxed) }
}
