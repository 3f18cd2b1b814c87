import Core

/// What a server answered.
package enum RedisReply: Sendable, Equatable {
    case status(String)
    case error(String)
    case integer(Int64)
    case bulk(Bytes)
    case null
    case array([RedisReply])
}
