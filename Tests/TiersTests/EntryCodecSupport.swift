import Core
import Foreign
import Foundation
import TestKit

@testable import Tiers

/// Codecs and entries for the tests of the format.
enum CodecFixture {
    static let limit = 1 << 20
    static let firstKey = [UInt8](1...32)
    static let secondKey = [UInt8](101...132)

    static func seal(_ keys: [UInt8]..., seed: UInt64 = 1) throws -> EntrySeal {
        try EntrySeal(keys: keys, random: SeededSource(seed: seed))
    }

    static func codec(_ sealing: (any Sealing)? = nil, limit: Int = limit) -> EntryCodec {
        EntryCodec(compression: LZ4Compression(), checksum: XXH3Checksum(), sealing: sealing, limit: limit)
    }

    /// One without encryption and one with.
    static func codecs() throws -> [EntryCodec] { [codec(), codec(try seal(firstKey))] }

    static func key(_ seed: UInt64) -> CacheKey {
        var entries = RandomEntries(seed: seed)
        return entries.key()
    }

    static func failure(_ codec: EntryCodec, _ bytes: [UInt8], _ key: CacheKey) -> EntryFailure? {
        do throws(EntryFailure) {
            // In memory of exactly that size, so that a sanitizer sees a read beyond it.
            _ = try codec.decode(Bytes(bytes), under: key)
            return nil
        } catch {
            return error
        }
    }

    /// Makes the checksum right again after a change, so that what lies behind it is reached.
    static func resum(_ bytes: inout [UInt8]) {
        guard bytes.count >= EntryLayout.checksum else { return }
        let end = bytes.count - EntryLayout.checksum
        let sum = bytes.withUnsafeBytes {
            XXH3Checksum().checksum(UnsafeRawBufferPointer(rebasing: $0[..<end]))
        }
        withUnsafeBytes(of: sum.bigEndian) { bytes.replaceSubrange(end..., with: $0) }
    }

    static func hex(_ bytes: Bytes) -> String {
        String(decoding: bytes.array.flatMap { [Hex.digit($0 >> 4), Hex.digit($0 & 15)] }, as: UTF8.self)
    }

    static func number(named name: String) -> UInt64? {
        ProcessInfo.processInfo.environment[name].flatMap(UInt64.init)
    }
}
