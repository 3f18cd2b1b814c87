import Core
import Semantic
import TestKit
import Testing

@Suite struct RecordCodecTests {
    private let plain = RecordCodec(matcher: "one", checksum: MixingChecksum())
    private let sealed = RecordCodec(matcher: "one", checksum: MixingChecksum(), sealing: MaskingSeal(keyID: 7))

    @Test(arguments: 1...50 as ClosedRange<UInt64>) func comesBackAsItWas(seed: UInt64) throws {
        var source = RecordSource(seed: seed, width: Int(seed) * 8)
        let text = RandomText.any(using: &source.random)
        let record = source.record(Int(seed), text: text, tokens: Int(seed % 9))
        for codec in [plain, sealed] {
            let bytes = try #require(codec.encode(record))
            #expect(try codec.decode(bytes) == record, "seed \(seed)")
        }
    }

    @Test func vectorsKeepTheirLength() throws {
        var source = RecordSource(seed: 1, width: 384)
        let vector = source.vector()
        let record = source.record(1, vector: vector)
        let bytes = try #require(plain.encode(record))
        let back = try plain.decode(bytes)
        #expect(abs(back.sketch.cosine(with: vector) - 1) < 0.001)
    }

    @Test func sealsHideAndAreRequired() throws {
        var source = RecordSource(seed: 2)
        let record = source.record(1, text: "a secret of somebody's")
        let bytes = try #require(sealed.encode(record))
        #expect(!bytes.text.contains("secret"))
        #expect(throws: RecordFault.unknownEncryptionKey) { try plain.decode(bytes) }
        #expect(throws: RecordFault.unsealed) { try sealed.decode(try #require(plain.encode(record))) }
        let other = RecordCodec(matcher: "one", checksum: MixingChecksum(), sealing: MaskingSeal(keyID: 8))
        #expect(throws: RecordFault.unknownEncryptionKey) { try other.decode(bytes) }
    }

    @Test func recordsOfAnotherMatcherAreRefused() throws {
        var source = RecordSource(seed: 4)
        let record = source.record(1)
        for (mine, theirs) in [(plain, nil), (sealed, MaskingSeal(keyID: 7))] as [(RecordCodec, MaskingSeal?)] {
            let other = RecordCodec(matcher: "two", checksum: MixingChecksum(), sealing: theirs)
            let bytes = try #require(other.encode(record))
            #expect(throws: RecordFault.otherMatcher) { try mine.decode(bytes) }
            #expect(try other.decode(bytes) == record)
        }
    }

    @Test func whatIsTooLargeIsNotWritten() {
        var source = RecordSource(seed: 3)
        let long = String(repeating: "x", count: RecordCodec.limit)
        #expect(plain.encode(source.record(1, text: long)) == nil)
        #expect(throws: RecordFault.tooLarge) { try plain.decode(Bytes(long + "y")) }
    }

    @Test func emptyFieldsAndNoTokens() throws {
        let record = SemanticRecord(
            key: RecordSource.key(1), partition: RecordSource.key(2), text: "", sketch: QuantizedVector([0, 0, 0]),
            facts: SemanticFacts(
                tenant: 0, namespace: "", model: "", tags: [], createdAt: .min, expiresAt: .max, generation: .max))
        #expect(try plain.decode(try #require(plain.encode(record))) == record)
    }

    /// Every damage is a fault: the checksum covers all of it. Behind a checksum that fits, damage may make another
    /// record, and must not stop the process.
    @Test(arguments: 1...20 as ClosedRange<UInt64>) func damageIsAFault(seed: UInt64) throws {
        var source = RecordSource(seed: seed)
        let record = source.record(5, tokens: 2)
        for codec in [plain, sealed] {
            let whole = try #require(codec.encode(record)).array
            for _ in 0..<200 {
                var bytes = whole
                RandomText.damage(&bytes, using: &source.random)
                guard bytes != whole else { continue }
                #expect(throws: RecordFault.self, "seed \(seed)") { try codec.decode(Bytes(bytes)) }
            }
            for count in 0..<whole.count {
                #expect(throws: RecordFault.self) { try codec.decode(Bytes(Array(whole[..<count]))) }
            }
        }
        let trusting = RecordCodec(matcher: "one", checksum: NoChecksum())
        let whole = try #require(trusting.encode(record)).array
        for _ in 0..<2000 {
            var bytes = whole
            RandomText.damage(&bytes, using: &source.random)
            if let other = try? trusting.decode(Bytes(bytes)) { #expect(other.text.utf8.count <= bytes.count) }
        }
    }
}
