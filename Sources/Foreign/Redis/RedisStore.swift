import Core

/// Redis as a map, over the clients of all workers: a call made on a worker's loop goes over that worker's connection.
package struct RedisStore: KeyValueStore {
    private let clients: [RedisClient]

    /// At least one. A call from elsewhere goes over the last: large writes behind everybody's back need not stand before
    /// the look-ups of a worker.
    package init(clients: [RedisClient]) {
        precondition(!clients.isEmpty, "RedisStore: needs a client")
        self.clients = clients
    }

    package func get(_ key: Bytes, deadline: Int64) async throws(KeyValueFailure) -> Bytes? {
        let command = RedisCommand([RedisStore.get, key], keyIndex: 1, answers: [.bulk, .null])
        switch try await client.perform(command, deadline: deadline) {
        case .bulk(let value): return value
        case .null: return nil
        case .status, .error, .integer, .array: throw .malformed
        }
    }

    package func setPX(
        _ key: Bytes, _ value: Bytes, milliseconds: Int64, deadline: Int64
    ) async throws(KeyValueFailure) {
        let command = RedisCommand(
            [RedisStore.set, key, value, RedisStore.px, Bytes(String(milliseconds))], keyIndex: 1, answers: [.status])
        guard case .status("OK") = try await client.perform(command, deadline: deadline) else { throw .malformed }
    }

    @discardableResult
    package func delete(_ key: Bytes, deadline: Int64) async throws(KeyValueFailure) -> Bool {
        let command = RedisCommand([RedisStore.unlink, key], keyIndex: 1, answers: [.integer])
        guard case .integer(let count) = try await client.perform(command, deadline: deadline) else {
            throw .malformed
        }
        return count > 0
    }

    package func setIfAbsent(
        _ key: Bytes, _ value: Bytes, milliseconds: Int64, deadline: Int64
    ) async throws(KeyValueFailure) -> Bool {
        let command = RedisCommand(
            [RedisStore.set, key, value, RedisStore.px, Bytes(String(milliseconds)), RedisStore.nx], keyIndex: 1,
            answers: [.status, .null])
        switch try await client.perform(command, deadline: deadline) {
        case .status("OK"): return true
        case .null: return false
        case .status, .error, .integer, .bulk, .array: throw .malformed
        }
    }

    @discardableResult
    package func replace(
        _ key: Bytes, _ expected: Bytes, with value: Bytes, milliseconds: Int64, deadline: Int64
    ) async throws(KeyValueFailure) -> Bool {
        let arguments = [expected, value, Bytes(String(milliseconds))]
        return try await run(RedisStore.replaceScript, on: key, arguments: arguments, deadline: deadline)
            == [RedisStore.one]
    }

    @discardableResult
    package func delete(
        _ key: Bytes, ifEqual expected: Bytes, deadline: Int64
    ) async throws(KeyValueFailure) -> Bool {
        try await run(RedisStore.deleteScript, on: key, arguments: [expected], deadline: deadline) == [RedisStore.one]
    }

    var client: RedisClient { clients.first { $0.loop.isCurrent } ?? clients[clients.count - 1] }

    private static let replaceScript = Bytes(
        """
        if redis.call('GET', KEYS[1]) ~= ARGV[1] then return {0} end
        redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
        return {1}
        """)
    private static let deleteScript = Bytes(
        """
        if redis.call('GET', KEYS[1]) ~= ARGV[1] then return {0} end
        return {redis.call('DEL', KEYS[1])}
        """)

    private static let one = Bytes("1")
    private static let get = Bytes("GET")
    private static let set = Bytes("SET")
    private static let px = Bytes("PX")
    private static let nx = Bytes("NX")
    /// Frees the memory of large values behind the server's back.
    private static let unlink = Bytes("UNLINK")
}
