import Core
import Foreign
import TestKit
import Testing

@testable import Tiers

@Suite struct HottestKeysTests {
    private let store = FakeObjectStore()
    private static let limit = Duration64.nanosecondsPerSecond

    private var hottest: HottestKeys { HottestKeys(store: store, checksum: XXH3Checksum(), clock: ManualClock()) }

    private static func keys(_ count: Int) -> [CacheKey] {
        var entries = RandomEntries(seed: UInt64(count))
        return (0..<count).map { _ in entries.key() }
    }

    private func name() throws -> ObjectName { try #require(ObjectName("hottest/v1")) }

    @Test("keys come back in their order", arguments: [0, 1, 2, 1000]) func roundTrip(count: Int) async throws {
        let keys = Self.keys(count)
        try await hottest.save(keys, limit: Self.limit)
        #expect(try await hottest.load(limit: Self.limit) == keys)
        let size = try #require(store[try name()]).count
        #expect(size == 16 + 32 * count)
    }

    @Test("the last one to stop decides") func replaced() async throws {
        try await hottest.save(Self.keys(5), limit: Self.limit)
        try await hottest.save(Self.keys(2), limit: Self.limit)
        #expect(try await hottest.load(limit: Self.limit) == Self.keys(2))
    }

    @Test("where nothing was noted there are none") func nothing() async throws {
        #expect(try await hottest.load(limit: Self.limit) == [])
    }

    @Test("damaged bytes are no keys") func damaged() async throws {
        try await hottest.save(Self.keys(3), limit: Self.limit)
        let name = try name()
        let good = try #require(store[name]).array
        for place in good.indices {
            for bit in [1, 128] as [UInt8] {
                var bad = good
                bad[place] ^= bit
                store[name] = Bytes(bad)
                #expect(try await hottest.load(limit: Self.limit) == [], "byte \(place)")
            }
            store[name] = Bytes(Array(good.prefix(place)))
            #expect(try await hottest.load(limit: Self.limit) == [], "the first \(place) bytes")
        }
        store[name] = Bytes(good + [0])
        #expect(try await hottest.load(limit: Self.limit) == [])
        // A count that would be more than there can be.
        store[name] = Bytes(Array(good.prefix(4)) + [255, 255, 255, 255] + Array(good.dropFirst(8)))
        #expect(try await hottest.load(limit: Self.limit) == [])
        store[name] = Bytes(good)
        #expect(try await hottest.load(limit: Self.limit) == Self.keys(3))
    }

    @Test("a store that fails is told of") func failing() async throws {
        store.failure = ObjectFailure(.unavailable, "as scripted")
        await #expect(throws: ObjectFailure.self) { try await hottest.save([], limit: Self.limit) }
        await #expect(throws: ObjectFailure.self) { _ = try await hottest.load(limit: Self.limit) }
    }
}
