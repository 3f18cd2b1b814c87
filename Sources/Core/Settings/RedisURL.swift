/// Where a Redis is, and as whom to speak to it.
///
/// - `redis://[user[:password]@]host[:port][,host[:port]…][/db]`; more than one host are seeds of a cluster
/// - `rediss://…`, the same over TLS
/// - `unix:///path/to/socket[?db=n]`, with `[user[:password]@]` before the path where needed
///
/// User and password are percent-encoded. A password alone is written `redis://:password@host`.
package struct RedisURL: Sendable, Equatable, CustomStringConvertible {
    package var endpoints: [RedisEndpoint]
    package var isTLS = false
    package var user: String?
    package var password: Secret?
    package var database = 0

    package static let defaultPort: UInt16 = 6379
    package static let mostEndpoints = 16
    private static let largestDatabase = 65535
    /// As long as a Unix socket's address may be, without its closing zero.
    private static let longestPath = 107

    package init(_ text: String) throws(RedisURLFailure) {
        guard let mark = text.firstRange(of: "://") else {
            throw RedisURLFailure("it begins with neither redis://, rediss:// nor unix://")
        }
        let rest = text[mark.upperBound...]
        guard rest.utf8.allSatisfy({ $0 > 32 && $0 != 127 && $0 != 35 }) else {
            throw RedisURLFailure("it holds a blank, a control character or #; percent-encode what is in the password")
        }
        endpoints = []
        switch text[..<mark.lowerBound].lowercased() {
        case "redis": try readNetwork(rest)
        case "rediss":
            isTLS = true
            try readNetwork(rest)
        case "unix": try readSocket(rest)
        default: throw RedisURLFailure("its scheme is neither redis, rediss nor unix")
        }
    }

    // MARK: Parts

    private mutating func readNetwork(_ rest: Substring) throws(RedisURLFailure) {
        guard !rest.contains("?") else {
            throw RedisURLFailure("it has a query; the database is written as a path: redis://host:6379/1")
        }
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        let hosts = try readCredentials(rest[..<slash])
        for host in hosts.split(separator: ",", omittingEmptySubsequences: false) {
            endpoints.append(try RedisURL.endpoint(host))
        }
        guard endpoints.count <= RedisURL.mostEndpoints else {
            throw RedisURLFailure("it names more than \(RedisURL.mostEndpoints) hosts")
        }
        let path = rest[slash...].dropFirst()
        if !path.isEmpty { database = try RedisURL.database(path) }
    }

    private mutating func readSocket(_ rest: Substring) throws(RedisURLFailure) {
        let mark = rest.firstIndex(of: "?") ?? rest.endIndex
        let slash = rest[..<mark].firstIndex(of: "/") ?? mark
        let host = try readCredentials(rest[..<slash])
        let path = String(rest[slash..<mark])
        guard host.isEmpty, path.utf8.count > 1 else {
            throw RedisURLFailure("a socket is written with its whole path: unix:///run/redis/redis.sock")
        }
        guard path.utf8.count <= RedisURL.longestPath else {
            throw RedisURLFailure("its path has more than \(RedisURL.longestPath) bytes, which no socket may have")
        }
        endpoints = [.socket(path)]
        let query = rest[mark...].dropFirst()
        guard !query.isEmpty else { return }
        guard query.hasPrefix("db=") else { throw RedisURLFailure("its query may be ?db=number alone") }
        database = try RedisURL.database(query.dropFirst(3))
    }

    /// Takes what stands before the last `@`; what follows it.
    private mutating func readCredentials(_ authority: Substring) throws(RedisURLFailure) -> Substring {
        guard let at = authority.lastIndex(of: "@") else { return authority }
        let credentials = authority[..<at]
        guard let colon = credentials.firstIndex(of: ":") else {
            throw RedisURLFailure("it has a user without a password; write user:password@ or :password@")
        }
        let name = try RedisURL.decode(credentials[..<colon])
        user = name.isEmpty ? nil : name
        password = Secret(try RedisURL.decode(credentials[credentials.index(after: colon)...]))
        return authority[authority.index(after: at)...]
    }

    private static func endpoint(_ text: Substring) throws(RedisURLFailure) -> RedisEndpoint {
        var host = text
        var port = defaultPort
        if let colon = text.lastIndex(of: ":"), !text.hasSuffix("]") {
            guard let number = UInt16(text[text.index(after: colon)...]), number > 0 else {
                throw RedisURLFailure("a port in it is not a number from 1 to 65535")
            }
            port = number
            host = text[..<colon]
        }
        let isLiteral = host.hasPrefix("[") && host.hasSuffix("]")
        let name = isLiteral ? host.dropFirst().dropLast() : host
        guard !name.isEmpty else { throw RedisURLFailure("it names no host") }
        guard let endpoint = RedisEndpoint(host: name, port: port), isLiteral == name.contains(":") else {
            throw RedisURLFailure(
                "a name in it is not a host; an IPv6 address is written in brackets, / and , in a password as %2F and %2C"
            )
        }
        return endpoint
    }

    private static func database(_ text: Substring) throws(RedisURLFailure) -> Int {
        guard text.utf8.allSatisfy({ (48...57).contains($0) }), let number = Int(text), number <= largestDatabase else {
            throw RedisURLFailure("its database is not a number from 0 to \(largestDatabase)")
        }
        return number
    }

    private static func decode(_ text: Substring) throws(RedisURLFailure) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(Hex.value), let low = rest.popFirst().flatMap(Hex.value) else {
                throw RedisURLFailure("a % in its user or password is not followed by two hexadecimal digits")
            }
            bytes.append(high << 4 | low)
        }
        guard let decoded = String(validating: bytes, as: UTF8.self) else {
            throw RedisURLFailure("its user or password is not UTF-8")
        }
        return decoded
    }

    /// Without the password; otherwise it reads back as the same.
    package var description: String {
        let isSocket = endpoints.contains { $0.isSocket }
        let scheme = isSocket ? "unix" : isTLS ? "rediss" : "redis"
        let credentials = password.map { PercentEncoding.encode(user ?? "") + ":\($0)@" } ?? ""
        let tail = database == 0 ? "" : isSocket ? "?db=\(database)" : "/\(database)"
        return "\(scheme)://\(credentials)\(endpoints.map(\.description).joined(separator: ","))\(tail)"
    }
}

/// What is wrong with a Redis URL, in words that follow its name. They quote nothing: what is wrong may be that a part
/// of the password was taken for something else.
package struct RedisURLFailure: Error, Sendable, Equatable, CustomStringConvertible {
    package let description: String
    init(_ description: String) { self.description = description }
}

/// One Redis server.
package enum RedisEndpoint: Hashable, Sendable, CustomStringConvertible {
    /// A name or an address, an IPv6 one without brackets.
    case network(host: String, port: UInt16)
    /// The path of a Unix socket.
    case socket(String)

    private static let longestHost = 255

    /// nil where no server can have that name, whoever says so.
    package init?(host: some StringProtocol, port: UInt16) {
        let isHost = host.utf8.allSatisfy { byte in
            switch byte {
            case 48...57, 65...90, 97...122: true
            case UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: ":"): true
            default: false
            }
        }
        guard isHost, port > 0, !host.isEmpty, host.utf8.count <= RedisEndpoint.longestHost else { return nil }
        self = .network(host: String(host), port: port)
    }

    package var isSocket: Bool {
        if case .socket = self { return true }
        return false
    }

    package var description: String {
        switch self {
        case .network(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .socket(let path): path
        }
    }
}
