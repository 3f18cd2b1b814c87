import Core

/// Where things stand in the bytes of an entry. Numbers are most significant byte first.
///
/// ```
/// head     4 magic · 1 version · 1 protection · 8 createdAt · 8 ttl · 8 generation · 32 cache key · 4 payload size
/// seal     8 key id · 12 nonce                       only where protection is `sealed`
/// payload  see `PayloadWriter`                       encrypted where protection is `sealed`
/// tag      16                                        only where protection is `sealed`
/// checksum 8, over everything before it
/// ```
/// The head stays readable without the encryption key, so that age can be judged; it holds nothing that people wrote.
/// Encryption authenticates head and key id with the payload.
enum EntryLayout {
    static let magic: UInt32 = 0x5246_524E  // "RFRN"
    static let version: UInt8 = 1

    enum Protection: UInt8 {
        case plain, sealed
    }

    static let head = 4 + 1 + 1 + 8 + 8 + 8 + 32 + 4
    static let seal = 8 + SealSize.nonce
    static let checksum = 8

    /// What stands around a payload.
    static func overhead(_ protection: Protection) -> Int {
        switch protection {
        case .plain: head + checksum
        case .sealed: head + seal + SealSize.tag + checksum
        }
    }

    /// A content of the payload: coding, original size, stored size.
    static let contentHead = 1 + 4 + 4

    enum Coding: UInt8 {
        case raw, lz4
    }

    /// The bits of the payload's shape.
    enum Shape {
        static let originIsStream: UInt8 = 1
        static let hasWhole: UInt8 = 2
        static let hasStream: UInt8 = 4
        static let storedUpstream: UInt8 = 8
        static let all: UInt8 = 15
    }
}
