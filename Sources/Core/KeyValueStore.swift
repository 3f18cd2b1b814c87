/// A remote map from keys to bytes whose values expire by themselves: Redis, or what stands in for it in a test.
///
/// Deadlines are moments of the monotonic clock, in nanoseconds. A call returns by then, with `timeout` if need be; what
/// was sent before may still take effect behind the caller's back. From any thread.
package protocol KeyValueStore: Sendable {
    /// The value, nil where there is none.
    func get(_ key: Bytes, deadline: Int64) async throws(KeyValueFailure) -> Bytes?

    /// Makes or replaces a value that is gone after `milliseconds`, which is more than 0.
    func setPX(_ key: Bytes, _ value: Bytes, milliseconds: Int64, deadline: Int64) async throws(KeyValueFailure)

    /// Whether there was one.
    @discardableResult
    func delete(_ key: Bytes, deadline: Int64) async throws(KeyValueFailure) -> Bool
}

/// Why a command has no result.
package enum KeyValueFailure: Error, Sendable, Equatable, CustomStringConvertible {
    /// No answer until the deadline.
    case timeout
    /// The connection ended before the answer came.
    case disconnected
    /// There was no connection, so nothing was sent.
    case notConnected
    /// Too many commands, or bytes of them, wait for an answer already.
    case overloaded
    /// The connection owes an older answer for so long that nothing more was sent.
    case stalled
    /// The server that holds the key cannot be reached, others of its cluster can.
    case shardLost
    /// What came is not the protocol, or not an answer to this command.
    case malformed
    /// The answer is larger than may be read.
    case tooLarge
    /// More redirections than are followed.
    case redirected
    /// The server refused, in its own words.
    case server(String)

    /// For a metric's label.
    package var word: String {
        switch self {
        case .timeout: "timeout"
        case .disconnected: "disconnected"
        case .notConnected: "not-connected"
        case .overloaded: "overloaded"
        case .stalled: "stalled"
        case .shardLost: "shard-lost"
        case .malformed: "malformed"
        case .tooLarge: "too-large"
        case .redirected: "redirected"
        case .server: "server"
        }
    }

    /// Whether it says that nothing can be had of the store, rather than that a command was refused or a part is missing.
    package var isOutage: Bool {
        switch self {
        case .timeout, .disconnected, .notConnected, .stalled, .malformed: true
        case .overloaded, .shardLost, .tooLarge, .redirected, .server: false
        }
    }

    package var description: String {
        if case .server(let message) = self { return "server: \(message)" }
        return word
    }
}
