/// How sidecars tell each other of new semantic entries: each hears what the others announce, in the order in which it
/// was announced, and soon.
///
/// It carries what it is given and understands none of it. What a sidecar misses costs it a hit and nothing else, so
/// nobody waits for an announcement and none is repeated.
package protocol SemanticFeed: Sendable {
    /// Tells the others. Returns at once; without a connection, and where too many are on their way already, it is
    /// dropped and counted. From any thread.
    func announce(_ record: Bytes)

    /// Begins to listen: to what others announced lately, as far as it is still held, and to what they announce from now
    /// on. Once, and before `close`.
    ///
    /// - Parameter received: called one at a time with the bytes as they came, which may be anything.
    func open(_ received: @escaping @Sendable (Bytes) -> Void)

    /// For good.
    func close()

    var counts: SemanticFeedCounts { get }
}

/// Since the start.
package struct SemanticFeedCounts: Sendable, Equatable {
    package var announced = 0
    /// Announcements that did not reach the others.
    package var dropped = 0
    package var received = 0
    /// Of what came, that which is no announcement or larger than one may be.
    package var garbled = 0

    package init() {}
}
