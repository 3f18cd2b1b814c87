/// Where the marks of purges are kept for all sidecars of a deployment, beyond the life of each of them.
///
/// Deadlines are moments of the monotonic clock, in nanoseconds. From any thread.
package protocol PurgeHome: Sendable {
    /// All marks that are kept there. There may be none.
    func marks(deadline: Int64) async throws(PurgeHomeFailure) -> [PurgeMark]

    /// Something that is the same at two moments if no mark rose between them; cheaper than reading them all.
    func revision(deadline: Int64) async throws(PurgeHomeFailure) -> UInt64

    /// Raises a group's mark above every mark that is kept there and above `floor`, tells the other sidecars, and
    /// returns it. Not for `PurgeGroup.older`.
    func raise(_ group: PurgeGroup, above floor: UInt64, deadline: Int64) async throws(PurgeHomeFailure) -> PurgeMark

    /// Joins marks with those that are kept there, and tells the other sidecars of those that rose.
    func join(_ marks: [PurgeMark], deadline: Int64) async throws(PurgeHomeFailure)

    /// Waits until the marks that were raised and joined here are also where they last, if that is another place; until
    /// the deadline at most.
    func lasting(deadline: Int64) async
}

extension PurgeHome {
    package func lasting(deadline: Int64) async {}
}

/// For people: what went wrong.
package struct PurgeHomeFailure: Error, Sendable, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}
