import Core

/// Which server of a cluster holds which slot.
package struct SlotMap: Sendable, Equatable {
    /// Of all masters; a cluster has at most about a thousand.
    package private(set) var masters: [RedisEndpoint] = []
    /// For each slot an index into `masters`.
    private var owners = [UInt16](repeating: SlotMap.nobody, count: HashSlot.count)

    private static let nobody = UInt16.max
    private static let mostMasters = 1024

    /// Reads the answer to `CLUSTER SLOTS`, nil where it is none. `source` is who gave it: a server that does not know
    /// its own address leaves it out.
    package init?(_ reply: RedisReply, from source: RedisEndpoint) {
        guard case .array(let ranges) = reply, ranges.count <= HashSlot.count else { return nil }
        for range in ranges {
            guard case .array(let parts) = range, parts.count >= 3,
                case .integer(let first) = parts[0], case .integer(let last) = parts[1],
                (0..<Int64(HashSlot.count)).contains(first), (first..<Int64(HashSlot.count)).contains(last),
                case .array(let master) = parts[2], master.count >= 2, case .integer(let port) = master[1],
                let endpoint = SlotMap.endpoint(host: master[0], port: port, source: source),
                let owner = index(of: endpoint)
            else { return nil }
            for slot in first...last { owners[Int(slot)] = owner }
        }
    }

    /// nil where nobody holds the slot.
    package func master(of slot: UInt16) -> RedisEndpoint? {
        let owner = owners[Int(slot)]
        return owner == SlotMap.nobody ? nil : masters[Int(owner)]
    }

    /// A server said that another one holds the slot now.
    package mutating func move(_ slot: UInt16, to endpoint: RedisEndpoint) {
        if let owner = index(of: endpoint) { owners[Int(slot)] = owner }
    }

    /// How many slots have an owner.
    package var coverage: Int { owners.count { $0 != SlotMap.nobody } }

    private mutating func index(of endpoint: RedisEndpoint) -> UInt16? {
        if let known = masters.firstIndex(of: endpoint) { return UInt16(known) }
        guard masters.count < SlotMap.mostMasters else { return nil }
        masters.append(endpoint)
        return UInt16(masters.count - 1)
    }

    private static func endpoint(host: RedisReply, port: Int64, source: RedisEndpoint) -> RedisEndpoint? {
        guard let port = UInt16(exactly: port) else { return nil }
        switch host {
        case .null: return source.with(port: port)
        case .bulk(let bytes) where bytes.isEmpty: return source.with(port: port)
        case .bulk(let bytes): return RedisEndpoint(host: bytes.text, port: port)
        case .status, .error, .integer, .array: return nil
        }
    }
}

/// A server's word that a key is elsewhere.
package struct Redirection: Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
        /// For good.
        case moved
        /// For this command.
        case ask
    }

    package var kind: Kind
    package var slot: UInt16
    package var endpoint: RedisEndpoint

    /// Reads `MOVED 3999 127.0.0.1:6381` and `ASK …`; nil for any other error.
    package init?(_ message: String, from source: RedisEndpoint) {
        let words = message.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 3, words[0] == "MOVED" || words[0] == "ASK" else { return nil }
        guard let slot = UInt16(words[1]), slot < HashSlot.count, let colon = words[2].lastIndex(of: ":"),
            let port = UInt16(words[2][words[2].index(after: colon)...])
        else { return nil }
        let host = words[2][..<colon]
        let endpoint = host.isEmpty ? source.with(port: port) : RedisEndpoint(host: host, port: port)
        guard let endpoint else { return nil }
        kind = words[0] == "MOVED" ? .moved : .ask
        self.slot = slot
        self.endpoint = endpoint
    }
}

extension RedisEndpoint {
    /// Another server on the same host.
    fileprivate func with(port: UInt16) -> RedisEndpoint? {
        switch self {
        case .network(let host, _): RedisEndpoint(host: host, port: port)
        case .socket: nil
        }
    }
}
