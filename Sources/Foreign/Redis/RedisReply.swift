import Core

/// What a server answered.
package enum RedisReply: Sendable, Equatable {
    case status(String)
    case error(String)
    case integer(Int64)
    case bulk(Bytes)
    case null
    case array([RedisReply])

    /// What a command can be answered with, beside an error.
    package struct Kinds: OptionSet, Sendable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }

        package static let status = Kinds(rawValue: 1)
        package static let integer = Kinds(rawValue: 2)
        package static let bulk = Kinds(rawValue: 4)
        package static let null = Kinds(rawValue: 8)
        package static let array = Kinds(rawValue: 16)
        package static let any: Kinds = [.status, .integer, .bulk, .null, .array]
    }

    func isAmong(_ kinds: Kinds) -> Bool {
        switch self {
        case .error: true
        case .status: kinds.contains(.status)
        case .integer: kinds.contains(.integer)
        case .bulk: kinds.contains(.bulk)
        case .null: kinds.contains(.null)
        case .array: kinds.contains(.array)
        }
    }
}
