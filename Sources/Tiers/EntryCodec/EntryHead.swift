import Core

/// The part of an entry's bytes that is never encrypted.
struct EntryHead {
    var protection: EntryLayout.Protection
    var createdAt: Int64
    var ttl: Int64
    var generation: UInt64
    var key: CacheKey
    var payloadSize: UInt32

    init(_ facts: Entry.Facts, _ key: CacheKey, _ protection: EntryLayout.Protection) {
        self.protection = protection
        createdAt = facts.createdAt
        ttl = facts.ttl
        generation = facts.generation
        self.key = key
        payloadSize = 0
    }

    /// Reads it after the magic and the version.
    init(from reader: inout ByteReader) throws(EntryFailure) {
        guard let protection = EntryLayout.Protection(rawValue: try reader.number(UInt8.self)) else { throw .corrupt }
        self.protection = protection
        createdAt = try reader.number(Int64.self)
        ttl = try reader.number(Int64.self)
        generation = try reader.number(UInt64.self)
        key = CacheKey(digest: try reader.take(32))
        payloadSize = try reader.number(UInt32.self)
    }

    func write(to writer: inout ByteWriter) {
        writer.put(EntryLayout.magic)
        writer.put(EntryLayout.version)
        writer.put(protection.rawValue)
        writer.put(createdAt)
        writer.put(ttl)
        writer.put(generation)
        writer.put(key.word0)
        writer.put(key.word1)
        writer.put(key.word2)
        writer.put(key.word3)
        writer.put(payloadSize)
    }
}
