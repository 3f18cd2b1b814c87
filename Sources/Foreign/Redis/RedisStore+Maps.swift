import Core

extension RedisStore: ScriptedMapStore {
    package func field(_ name: Bytes, of map: Bytes, deadline: Int64) async throws(KeyValueFailure) -> Bytes? {
        let command = RedisCommand([Bytes("HGET"), map, name], keyIndex: 1, answers: [.bulk, .null])
        switch try await client.perform(command, deadline: deadline) {
        case .bulk(let text): return text
        case .null: return nil
        case .status, .error, .integer, .array: throw .malformed
        }
    }

    /// In pages, so that neither the server nor the reader of replies has to hold a large map at once. A map that moves
    /// to another server in between is not seen whole, as that one has another order: then it is read again.
    package func fields(of map: Bytes, limit: Int, deadline: Int64) async throws(KeyValueFailure) -> [MapField] {
        for _ in 0..<RedisStore.scanAttempts {
            let fields = try await scan(map, limit: limit, deadline: deadline)
            let command = RedisCommand([Bytes("HLEN"), map], keyIndex: 1, answers: [.integer])
            guard case .integer(let count) = try await client.perform(command, deadline: deadline) else {
                throw .malformed
            }
            if fields.count >= count { return fields }
        }
        throw .redirected
    }

    /// `EVAL` and not `EVALSHA`: the server keeps what it compiled by the digest of the script, which is short.
    package func run(
        _ script: Bytes, on map: Bytes, arguments: [Bytes], deadline: Int64
    ) async throws(KeyValueFailure) -> [Bytes] {
        let command = RedisCommand(
            [Bytes("EVAL"), script, Bytes("1"), map] + arguments, keyIndex: 3, answers: [.array])
        guard case .array(let values) = try await client.perform(command, deadline: deadline) else { throw .malformed }
        var texts: [Bytes] = []
        for value in values {
            switch value {
            case .bulk(let text): texts.append(text)
            case .integer(let number): texts.append(Bytes(String(number)))
            case .status, .error, .null, .array: throw .malformed
            }
        }
        return texts
    }

    private static let scanAttempts = 3
    /// Fields that the server looks at for one page.
    private static let pageSize = "1000"

    private func scan(_ map: Bytes, limit: Int, deadline: Int64) async throws(KeyValueFailure) -> [MapField] {
        var fields: [[UInt8]: MapField] = [:]
        var cursor = Bytes("0")
        // Every page but those that the server finds empty brings something, and the deadline bounds them all.
        repeat {
            let command = RedisCommand(
                [Bytes("HSCAN"), map, cursor, Bytes("COUNT"), Bytes(RedisStore.pageSize)], keyIndex: 1,
                answers: [.array])
            guard case .array(let page) = try await client.perform(command, deadline: deadline), page.count == 2,
                case .bulk(let next) = page[0], case .array(let texts) = page[1], texts.count.isMultiple(of: 2)
            else { throw .malformed }
            for index in stride(from: 0, to: texts.count, by: 2) {
                guard case .bulk(let name) = texts[index], case .bulk(let text) = texts[index + 1] else {
                    throw .malformed
                }
                // A field may come twice, while the server makes room for more.
                fields[name.array] = MapField(name: name, text: text)
            }
            guard fields.count <= limit else { throw .tooLarge }
            cursor = next
        } while cursor.text != "0"
        return Array(fields.values)
    }
}
