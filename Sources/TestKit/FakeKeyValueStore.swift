import Core
import Synchronization

/// Values in a dictionary. It can be told to fail, and its values can be changed behind the back of whoever wrote them.
package final class FakeKeyValueStore: KeyValueStore {
    package struct Value: Sendable, Equatable {
        package var bytes: Bytes
        /// How long it was to be kept when it was written, in milliseconds.
        package var milliseconds: Int64

        package init(_ bytes: Bytes, milliseconds: Int64) {
            self.bytes = bytes
            self.milliseconds = milliseconds
        }
    }

    private struct State {
        var values: [String: Value] = [:]
        var failure: KeyValueFailure?
        var calls: [String] = []
    }

    private let state = Mutex(State())

    package init() {}

    /// With which every call fails, nil to let them succeed.
    package var failure: KeyValueFailure? {
        get { state.withLock { $0.failure } }
        set { state.withLock { $0.failure = newValue } }
    }

    /// Every call so far: a verb and a key.
    package var calls: [String] { state.withLock { $0.calls } }

    package subscript(key: String) -> Value? {
        get { state.withLock { $0.values[key] } }
        set { state.withLock { $0.values[key] = newValue } }
    }

    package func get(_ key: Bytes, deadline: Int64) async throws(KeyValueFailure) -> Bytes? {
        try call("get", key) { $0.values[key.text]?.bytes }
    }

    package func setPX(
        _ key: Bytes, _ value: Bytes, milliseconds: Int64, deadline: Int64
    ) async throws(KeyValueFailure) {
        try call("set", key) { $0.values[key.text] = Value(value, milliseconds: milliseconds) }
    }

    package func delete(_ key: Bytes, deadline: Int64) async throws(KeyValueFailure) -> Bool {
        try call("delete", key) { $0.values.removeValue(forKey: key.text) != nil }
    }

    package func setIfAbsent(
        _ key: Bytes, _ value: Bytes, milliseconds: Int64, deadline: Int64
    ) async throws(KeyValueFailure) -> Bool {
        try call("set-if-absent", key) { state in
            guard state.values[key.text] == nil else { return false }
            state.values[key.text] = Value(value, milliseconds: milliseconds)
            return true
        }
    }

    package func replace(
        _ key: Bytes, _ expected: Bytes, with value: Bytes, milliseconds: Int64, deadline: Int64
    ) async throws(KeyValueFailure) -> Bool {
        try call("replace", key) { state in
            guard state.values[key.text]?.bytes == expected else { return false }
            state.values[key.text] = Value(value, milliseconds: milliseconds)
            return true
        }
    }

    package func delete(
        _ key: Bytes, ifEqual expected: Bytes, deadline: Int64
    ) async throws(KeyValueFailure) -> Bool {
        try call("delete-if-equal", key) { state in
            guard state.values[key.text]?.bytes == expected else { return false }
            state.values[key.text] = nil
            return true
        }
    }

    private func call<Result>(
        _ verb: String, _ key: Bytes, _ body: (inout sending State) -> sending Result
    ) throws(KeyValueFailure) -> Result {
        try state.withLock { (state) throws(KeyValueFailure) in
            state.calls.append("\(verb) \(key.text)")
            if let failure = state.failure { throw failure }
            return body(&state)
        }
    }
}
