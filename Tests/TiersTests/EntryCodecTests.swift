import Core
import Foreign
import TestKit
import Testing

@testable import Tiers

struct EntryCodecTests {
    private typealias Fixture = CodecFixture

    private static func goldenEntry() -> Entry {
        var facts = Entry.Facts(createdAt: 1_700_000_000_000, ttl: 86_400_000, dialect: .messages, origin: .stream)
        facts.generation = 7
        facts.tenant = 0x0123_4567_89AB_CDEF
        facts.promptTokens = 11
        facts.status = 203
        facts.storedUpstream = true
        facts.usageStart = 2
        facts.usageEnd = 5
        return Entry(
            facts: facts, headers: [HeaderField("a", "b")], model: "m", namespace: "ñ", tags: ["t"],
            whole: Bytes(String(repeating: "ab", count: 20)), stream: Bytes("data: x"))
    }

    private static let goldenKey = CacheKey(1, 2, 3, 0xFFFF_FFFF_FFFF_FFFF)

    /// Field by field, as in `EntryLayout` and `PayloadWriter`.
    private static let goldenPlain = """
        5246524e 01 00 0000018bcfe56800 0000000005265c00 0000000000000007
        000000000000000100000000000000020000000000000003ffffffffffffffff 0000005f
        00cb040f0123456789abcdef0000000bffffffff0000000200000005 000100000001610000000162
        0001000000016d00000002c3b10000000174 01000000280000000c 2f616202000e506261626162 000000000700000007
        646174613a2078 384ff922fb478a96
        """

    private static let goldenSealed = """
        5246524e 01 01 0000018bcfe56800 0000000005265c00 0000000000000007
        000000000000000100000000000000020000000000000003ffffffffffffffff 0000005f 07fb67c1e000d603
        c15c0289ec2d0a9167ec8e65
        e265369d759da8ff23fb64b7aa9f82bd9d1b1e4f7e4ac48063e4d7c5a74581dd84f9a635ed4371fce53ab6166850b2bb
        6e31c8502a5fe9fe5171e1acee94209797c46acf574eaa210cb6e22c6859dd68942387ca03733119151bb31147da84
        daecdebd158dad0ecaa8adc9242c98d2 f0091cd60b3ab905
        """

    private static func digits(of text: String) -> String { text.filter { !$0.isWhitespace } }

    /// The format is a promise to entries already written: a change of these bytes needs a new version.
    @Test func goldenBytes() throws {
        let plain = try Fixture.codec().encode(Self.goldenEntry(), under: Self.goldenKey)
        #expect(Fixture.hex(plain) == Self.digits(of: Self.goldenPlain))
        let sealed = try Fixture.codec(Fixture.seal(Fixture.firstKey)).encode(
            Self.goldenEntry(), under: Self.goldenKey)
        #expect(Fixture.hex(sealed) == Self.digits(of: Self.goldenSealed))
        let opened = try Fixture.codec(Fixture.seal(Fixture.firstKey)).decode(sealed, under: Self.goldenKey)
        #expect(opened.hasSameContent(as: Self.goldenEntry()))
    }

    @Test(arguments: 1...200 as ClosedRange<UInt64>)
    func whatIsWrittenIsReadBack(seed: UInt64) throws {
        var entries = RandomEntries(seed: seed)
        let key = entries.key()
        for codec in try Fixture.codecs() {
            let entry = entries.next()
            let bytes = try codec.encode(entry, under: key)
            #expect(try codec.decode(bytes, under: key).hasSameContent(as: entry))
            #expect(try codec.encode(codec.decode(bytes, under: key), under: key).count == bytes.count)
        }
    }

    /// The digests of the reference implementation.
    @Test func theChecksumIsXXH3() {
        #expect([UInt8]().withUnsafeBytes { XXH3Checksum().checksum($0) } == 0x2D06_8005_38D3_94C2)
    }

    @Test func contentsAreCompressedWhereThatMakesThemSmaller() throws {
        let facts = Entry.Facts(createdAt: 0, ttl: 1, dialect: .chat, origin: .whole)
        func size(_ content: [UInt8]) throws -> Int {
            try Fixture.codec().encode(
                Entry(facts: facts, whole: Bytes(content), stream: nil), under: Fixture.key(1)
            ).count
        }
        let empty = try size([])
        var random = SeededRandom(seed: 1)
        let noise = (0..<1_000).map { _ in UInt8.random(in: 0...255, using: &random) }
        #expect(try size(noise) == empty + 1_000)
        #expect(try size([1]) == empty + 1)
        #expect(try size([UInt8](repeating: 65, count: 1_000)) < empty + 50)
    }

    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func everyTruncationIsRefused(seed: UInt64) throws {
        for codec in try Fixture.codecs() {
            var entries = RandomEntries(seed: seed, largest: 300)
            let key = entries.key()
            let bytes = try codec.encode(entries.next(), under: key).array
            for count in bytes.indices {
                #expect(Fixture.failure(codec, Array(bytes[..<count]), key) == .tooShort, "\(count) bytes")
            }
            #expect(Fixture.failure(codec, bytes + [0], key) == .corrupt)
        }
    }

    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func everyFlippedBitIsRefused(seed: UInt64) throws {
        for codec in try Fixture.codecs() {
            var entries = RandomEntries(seed: seed, largest: 300)
            let key = entries.key()
            var bytes = try codec.encode(entries.next(), under: key).array
            for bit in 0..<(bytes.count * 8) {
                bytes[bit / 8] ^= 1 << UInt8(bit % 8)
                #expect(Fixture.failure(codec, bytes, key) != nil, "bit \(bit)")
                bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            }
            #expect(Fixture.failure(codec, bytes, key) == nil)
        }
    }

    /// The same with a checksum that was made to fit: only encryption can tell, and it tells all of them.
    @Test func everyFlippedBitUnderARightChecksumIsForgedWhereEncrypted() throws {
        let codec = Fixture.codec(try Fixture.seal(Fixture.firstKey))
        var entries = RandomEntries(seed: 1, largest: 300)
        let key = entries.key()
        let bytes = try codec.encode(entries.next(), under: key).array
        for bit in 0..<((bytes.count - EntryLayout.checksum) * 8) {
            var changed = bytes
            changed[bit / 8] ^= 1 << UInt8(bit % 8)
            Fixture.resum(&changed)
            #expect(Fixture.failure(codec, changed, key) != nil, "bit \(bit)")
        }
    }

    private static let offsetOfKey = EntryLayout.head - 4 - 32

    @Test func anEntryIsServedUnderItsOwnKeyOnly() throws {
        for codec in try Fixture.codecs() {
            let bytes = try codec.encode(Self.goldenEntry(), under: Fixture.key(1))
            #expect(Fixture.failure(codec, bytes.array, Fixture.key(2)) == .wrongKey)
        }
    }

    /// Who copies an entry under another key can write that key into it and make the checksum right, but not the seal.
    @Test func anEncryptedEntryCannotBeRenamed() throws {
        let codec = Fixture.codec(try Fixture.seal(Fixture.firstKey))
        var bytes = try codec.encode(Self.goldenEntry(), under: Fixture.key(1)).array
        let other = try codec.encode(Self.goldenEntry(), under: Fixture.key(2)).array
        let place = Self.offsetOfKey..<(Self.offsetOfKey + 32)
        bytes.replaceSubrange(place, with: other[place])
        Fixture.resum(&bytes)
        #expect(Fixture.failure(codec, bytes, Fixture.key(2)) == .forged)
    }

    @Test func keysAreRotated() throws {
        let entry = Self.goldenEntry()
        let key = Fixture.key(1)
        let old = Fixture.codec(try Fixture.seal(Fixture.firstKey))
        let both = Fixture.codec(try Fixture.seal(Fixture.secondKey, Fixture.firstKey))
        let new = Fixture.codec(try Fixture.seal(Fixture.secondKey))
        let oldBytes = try old.encode(entry, under: key)
        let newBytes = try both.encode(entry, under: key)
        #expect(try both.decode(oldBytes, under: key).hasSameContent(as: entry))
        #expect(try both.decode(newBytes, under: key).hasSameContent(as: entry))
        #expect(try new.decode(newBytes, under: key).hasSameContent(as: entry))
        #expect(Fixture.failure(new, oldBytes.array, key) == .unknownEncryptionKey)
        #expect(Fixture.failure(old, newBytes.array, key) == .unknownEncryptionKey)
        #expect(Fixture.failure(Fixture.codec(), oldBytes.array, key) == .unknownEncryptionKey)
        let plain = try Fixture.codec().encode(entry, under: key)
        #expect(Fixture.failure(old, plain.array, key) == .unsealed)
    }

    @Test func nothingThatPeopleWroteIsReadableWhenEncrypted() throws {
        let secret = "the secret text"
        let facts = Entry.Facts(createdAt: 0, ttl: 1, dialect: .chat, origin: .whole)
        let entry = Entry(
            facts: facts, headers: [HeaderField(secret, secret)], model: secret, namespace: secret, tags: [secret],
            whole: Bytes(secret), stream: Bytes(secret))
        let isReadable = try Fixture.codecs().map { codec in
            try codec.encode(entry, under: Fixture.key(1)).text.contains(secret)
        }
        #expect(isReadable == [true, false])
    }

    @Test func theSameEntryIsSealedDifferentlyEachTime() throws {
        let codec = Fixture.codec(try Fixture.seal(Fixture.firstKey))
        let bytes = try (0..<100).map { _ in try codec.encode(Self.goldenEntry(), under: Fixture.key(1)).array }
        #expect(Set(bytes).count == 100)
    }

    /// What stands in the first bytes, and what it is taken for.
    @Test(
        arguments: [
            ([], EntryFailure.tooShort), ([0x52, 0x46, 0x52], .tooShort), ([0x1F, 0x8B, 8, 0, 0, 0], .foreign),
            (Array("<html>not found</html>".utf8), .foreign), ([0x52, 0x46, 0x52, 0x4E], .tooShort),
            ([0x52, 0x46, 0x52, 0x4E, 2], .futureVersion), ([0x52, 0x46, 0x52, 0x4E, 255, 1, 2, 3], .futureVersion),
            ([0x52, 0x46, 0x52, 0x4E, 0], .corrupt), ([0x52, 0x46, 0x52, 0x4E, 1, 9], .corrupt),
            ([0x52, 0x46, 0x52, 0x4E, 1, 0], .tooShort),
        ] as [([UInt8], EntryFailure)])
    func beginnings(bytes: [UInt8], failure: EntryFailure) throws {
        for codec in try Fixture.codecs() { #expect(Fixture.failure(codec, bytes, Fixture.key(1)) == failure) }
    }

    @Test func sizesAreLimitedOnBothSides() throws {
        let key = Fixture.key(1)
        let content = Bytes([UInt8](repeating: 65, count: 5_000))
        let facts = Entry.Facts(createdAt: 0, ttl: 1, dialect: .chat, origin: .whole)
        let entry = Entry(facts: facts, whole: content, stream: content)
        let bytes = try Fixture.codec().encode(entry, under: key)
        #expect(bytes.count < 1_000)
        let small = Fixture.codec(limit: 9_999)
        #expect(throws: EncodeFailure.tooLarge) { try small.encode(entry, under: key) }
        // The bytes are few, but what they stand for is more than the reader takes.
        #expect(Fixture.failure(small, bytes.array, key) == .tooLarge)
        #expect(Fixture.failure(Fixture.codec(limit: 100), bytes.array, key) == .tooLarge)
        #expect(Fixture.failure(Fixture.codec(limit: -1), bytes.array, key) == .tooLarge)
    }

    /// A size that no block of that length can have is refused before it is allocated.
    @Test func aDeclaredSizeMustBePossible() throws {
        let key = Fixture.key(1)
        let facts = Entry.Facts(createdAt: 0, ttl: 1, dialect: .chat, origin: .whole)
        let entry = Entry(facts: facts, whole: Bytes([UInt8](repeating: 65, count: 500)), stream: nil)
        var bytes = try Fixture.codec().encode(entry, under: key).array
        let payload = EntryLayout.head + 28 + 2 + 2 + 8
        #expect(bytes[payload] == EntryLayout.Coding.lz4.rawValue)
        #expect(Array(bytes[(payload + 1)...(payload + 4)]) == [0, 0, 1, 0xF4])
        for (size, failure) in [
            (499, EntryFailure.corrupt), (501, .corrupt), (Fixture.limit, .corrupt), (1 << 31, .tooLarge),
        ] {
            withUnsafeBytes(of: UInt32(size).bigEndian) {
                bytes.replaceSubrange((payload + 1)...(payload + 4), with: $0)
            }
            Fixture.resum(&bytes)
            #expect(Fixture.failure(Fixture.codec(limit: Fixture.limit), bytes, key) == failure, "\(size)")
        }
    }
}
