import Core
import Foreign
import TestKit
import Testing

@testable import Tiers

/// Damaged entries: the decoder refuses them or, where the damage was given a right checksum, reads something; it never
/// crashes and never reads outside. Run it under the address sanitizer too. `REFRAIN_ROUNDS` says how many inputs,
/// `REFRAIN_SEED` which.
struct EntryFuzzTests {
    private static let rounds = Int(CodecFixture.number(named: "REFRAIN_ROUNDS") ?? 20_000)
    private static let seed = CodecFixture.number(named: "REFRAIN_SEED") ?? 1

    /// Inputs made of one entry, so that entries vary as well.
    private static let mutantsPerEntry = 50

    @Test(arguments: [false, true]) func damagedEntries(isSealed: Bool) throws {
        let codec = isSealed ? CodecFixture.codec(try CodecFixture.seal(CodecFixture.firstKey)) : CodecFixture.codec()
        var entries = RandomEntries(seed: Self.seed, largest: 200)
        var random = SeededRandom(seed: Self.seed)
        var served = 0
        var failures: [EntryFailure: Int] = [:]
        for _ in 0..<max(1, Self.rounds / 2 / Self.mutantsPerEntry) {
            let key = entries.key()
            let entry = entries.next()
            let bytes = try codec.encode(entry, under: key).array
            for _ in 0..<Self.mutantsPerEntry {
                let mutant = Mutation.mutate(bytes, using: &random)
                guard let failure = CodecFixture.failure(codec, mutant, key) else {
                    served += 1
                    #expect(!isSealed || mutant == bytes, "seed \(Self.seed): a damaged entry was opened")
                    continue
                }
                failures[failure, default: 0] += 1
            }
        }
        // The mutations reach every layer: what is refused by size, by checksum and behind the checksum.
        #expect(failures[.tooShort, default: 0] > 0 && failures[.corrupt, default: 0] > 0)
        #expect(isSealed ? failures[.forged, default: 0] > 0 : served > 0)
    }
}

enum Mutation {
    /// Changes some bytes, cuts, doubles or moves pieces, or writes a number that sizes are afraid of; mostly with a
    /// checksum that is right again.
    static func mutate(_ original: [UInt8], using random: inout SeededRandom) -> [UInt8] {
        var bytes = original
        for _ in 0..<Int.random(in: 1...4, using: &random) { step(&bytes, &random) }
        if Int.random(in: 0..<4, using: &random) > 0 {
            if Bool.random(using: &random) { refit(&bytes) }
            CodecFixture.resum(&bytes)
        }
        return bytes
    }

    private static func step(_ bytes: inout [UInt8], _ random: inout SeededRandom) {
        guard !bytes.isEmpty else { return bytes.append(UInt8.random(in: 0...255, using: &random)) }
        let place = Int.random(in: 0..<bytes.count, using: &random)
        let end = min(bytes.count, place + Int.random(in: 0..<40, using: &random))
        switch Int.random(in: 0..<8, using: &random) {
        case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 1: bytes[place] = UInt8.random(in: 0...255, using: &random)
        case 2: bytes[place] = [0, 1, 127, 128, 254, 255].randomElement(using: &random) ?? 0
        case 3: bytes.removeSubrange(place..<end)
        case 4: bytes.insert(contentsOf: Array(bytes[place..<end]), at: place)
        case 5: bytes.removeSubrange(place...)
        case 6:
            let numbers: [UInt32] = [0, 1, 0x7F, 0xFF, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF]
            let number = numbers.randomElement(using: &random) ?? 0
            withUnsafeBytes(of: number.bigEndian) { source in
                for (offset, byte) in source.enumerated() where place + offset < bytes.count {
                    bytes[place + offset] = byte
                }
            }
        default:
            for index in place..<end { bytes[index] = UInt8.random(in: 0...255, using: &random) }
        }
    }

    /// Makes the payload's size fit the length, as a careful forger would.
    private static func refit(_ bytes: inout [UInt8]) {
        let size = bytes.count - EntryLayout.overhead(.plain)
        guard size >= 0 else { return }
        withUnsafeBytes(of: UInt32(size).bigEndian) {
            bytes.replaceSubrange((EntryLayout.head - 4)..<EntryLayout.head, with: $0)
        }
    }
}
