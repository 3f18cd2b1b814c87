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

    /// `setPX`, unless there is a value already; whether there was none.
    func setIfAbsent(
        _ key: Bytes, _ value: Bytes, milliseconds: Int64, deadline: Int64
    ) async throws(KeyValueFailure) -> Bool

    /// `setPX`, if the value is `expected`; whether it was. In one step: nobody's value is overwritten unseen.
    @discardableResult
    func replace(
        _ key: Bytes, _ expected: Bytes, with value: Bytes, milliseconds: Int64, deadline: Int64
    ) async throws(KeyValueFailure) -> Bool

    /// `delete`, if the value is `expected`; whether it was. In one step.
    @discardableResult
    func delete(_ key: Bytes, ifEqual expected: Bytes, deadline: Int64) async throws(KeyValueFailure) -> Bool
}

/// Maps from names to texts in a remote store, which scripts change there, each as one step: Redis's hashes and Lua.
///
/// Deadlines as in `KeyValueStore`. From any thread.
package protocol ScriptedMapStore: Sendable {
    /// The text under a name, nil where there is none.
    func field(_ name: Bytes, of map: Bytes, deadline: Int64) async throws(KeyValueFailure) -> Bytes?

    /// All of a map: whatever was there during the whole call is among it. Fails as `tooLarge` above `limit` fields.
    func fields(of map: Bytes, limit: Int, deadline: Int64) async throws(KeyValueFailure) -> [MapField]

    /// Runs a Lua script that touches `map` alone (`KEYS[1]`) and answers with a list of texts and whole numbers, which
    /// come as texts too.
    func run(
        _ script: Bytes, on map: Bytes, arguments: [Bytes], deadline: Int64
    ) async throws(KeyValueFailure) -> [Bytes]
}

package struct MapField: Sendable, Equatable {
    package var name: Bytes
    package var text: Bytes

    package init(name: Bytes, text: Bytes) {
        self.name = name
        self.text = text
    }
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
