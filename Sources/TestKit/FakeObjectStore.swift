import Core
import Synchronization

/// Objects in a dictionary. It can be told to fail, and its objects can be changed behind the back of whoever wrote them.
package final class FakeObjectStore: ObjectStore {
    private struct State {
        var objects: [String: Bytes] = [:]
        var failure: ObjectFailure?
        var calls: [String] = []
        var during: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())

    package init() {}

    /// With which every call fails, nil to let them succeed.
    package var failure: ObjectFailure? {
        get { state.withLock { $0.failure } }
        set { state.withLock { $0.failure = newValue } }
    }

    /// What happens while a call is made.
    package var during: (@Sendable () -> Void)? {
        get { state.withLock { $0.during } }
        set { state.withLock { $0.during = newValue } }
    }

    /// Every call so far: a verb and a name.
    package var calls: [String] { state.withLock { $0.calls } }

    package subscript(name: ObjectName) -> Bytes? {
        get { state.withLock { $0.objects[name.text] } }
        set { state.withLock { $0.objects[name.text] = newValue } }
    }

    package func get(_ name: ObjectName, limit: Int, deadline: Int64) async throws(ObjectFailure) -> Bytes? {
        let content = try call("get", name.text) { $0.objects[name.text] }
        guard let content, content.count > limit else { return content }
        throw ObjectFailure(.tooLarge, "more than \(limit) bytes")
    }

    package func put(_ name: ObjectName, _ content: Bytes, deadline: Int64) async throws(ObjectFailure) {
        try call("put", name.text) { $0.objects[name.text] = content }
    }

    package func delete(_ name: ObjectName, deadline: Int64) async throws(ObjectFailure) -> Bool {
        try call("delete", name.text) { $0.objects.removeValue(forKey: name.text) != nil }
    }

    package func list(
        prefix: String, continuation: String?, limit: Int, deadline: Int64
    ) async throws(ObjectFailure) -> ObjectPage {
        try call("list", prefix) { state in
            let names = state.objects.keys.filter { $0.hasPrefix(prefix) && $0 > continuation ?? "" }.sorted()
            let items = names.prefix(limit).compactMap { text in
                ObjectName(text).map {
                    ObjectPage.Item(name: $0, size: Int64(state.objects[text]?.count ?? 0), modifiedAt: 0)
                }
            }
            return ObjectPage(items: items, next: names.count > limit ? items.last?.name.text : nil)
        }
    }

    private func call<Result>(
        _ verb: String, _ name: String, _ body: (inout sending State) -> sending Result
    ) throws(ObjectFailure) -> Result {
        during?()
        return try state.withLock { (state) throws(ObjectFailure) in
            state.calls.append("\(verb) \(name)")
            if let failure = state.failure { throw failure }
            return body(&state)
        }
    }
}
