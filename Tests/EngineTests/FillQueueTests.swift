import Core
import TestKit
import Testing

@testable import Engine

@Suite struct FillQueueTests {
    private static func key(_ number: UInt64) -> CacheKey { CacheKey(number, 0, 0, 0) }

    /// `version` tells entries under one key apart.
    private static func item(_ number: UInt64, version: Int64 = 0, size: Int = 100) -> FillQueue.Item {
        FillQueue.Item(
            key: key(number),
            entry: Entry(
                facts: Entry.Facts(createdAt: version, ttl: 1, dialect: .chat, origin: .whole),
                whole: Bytes([UInt8](repeating: 65, count: size)), stream: nil))
    }

    private static let cost = item(0).entry.byteCount

    private func drain(_ queue: inout FillQueue) -> [UInt64] {
        var taken: [UInt64] = []
        while let item = queue.takeFirst() { taken.append(item.key.word0) }
        return taken
    }

    @Test("the oldest comes first, and a newer entry under a key takes the newest place") func order() {
        var queue = FillQueue(mostItems: 10, mostBytes: 1 << 20)
        for number: UInt64 in [1, 2, 3] { #expect(queue.append(Self.item(number)).isEmpty) }
        #expect(queue.append(Self.item(1, version: 7)).isEmpty)
        #expect(queue.count == 3)
        #expect(queue.bytes == 3 * Self.cost)
        #expect(drain(&queue) == [2, 3, 1])
        #expect(queue.bytes == 0)
    }

    @Test("the newer of two entries under a key is the one that is left") func replacement() {
        var queue = FillQueue(mostItems: 10, mostBytes: 1 << 20)
        _ = queue.append(Self.item(1, version: 1))
        _ = queue.append(Self.item(1, version: 2))
        #expect(queue.takeFirst()?.entry.facts.createdAt == 2)
        #expect(queue.takeFirst() == nil)
    }

    @Test(
        "what has no room makes the oldest give way",
        arguments: [
            (items: 2, bytes: 1 << 20, dropped: [1, 2]), (items: 4, bytes: 3 * cost, dropped: [1]),
            (items: 0, bytes: 1 << 20, dropped: [1, 2, 3]), (items: 4, bytes: cost, dropped: [1, 2, 3]),
            (items: 4, bytes: cost - 1, dropped: [1, 2, 3, 4]), (items: 4, bytes: -1, dropped: [1, 2, 3, 4]),
        ])
    func room(items: Int, bytes: Int, dropped: [UInt64]) {
        var queue = FillQueue(mostItems: items, mostBytes: bytes)
        var gone: [UInt64] = []
        for number: UInt64 in 1...4 { gone += queue.append(Self.item(number)).map(\.key.word0) }
        #expect(gone == dropped)
        #expect(drain(&queue) == (1...4).filter { !dropped.contains($0) })
    }

    @Test("an entry larger than all the room is dropped, and takes the one that it replaces with it") func tooLarge() {
        var queue = FillQueue(mostItems: 4, mostBytes: 2 * Self.cost)
        _ = queue.append(Self.item(1))
        _ = queue.append(Self.item(2))
        #expect(queue.append(Self.item(1, size: 3 * Self.cost)).map(\.key.word0) == [1])
        #expect(drain(&queue) == [2])
    }

    @Test("keys that are busy are passed over") func busy() {
        var queue = FillQueue(mostItems: 10, mostBytes: 1 << 20)
        for number: UInt64 in 1...3 { _ = queue.append(Self.item(number)) }
        #expect(queue.takeFirst(unless: [Self.key(1), Self.key(2)])?.key.word0 == 3)
        #expect(queue.takeFirst(unless: [Self.key(1), Self.key(2)]) == nil)
        #expect(drain(&queue) == [1, 2])
    }

    @Test("used-up places are given back") func places() {
        var queue = FillQueue(mostItems: 100, mostBytes: 1 << 20)
        for number: UInt64 in 0..<10_000 {
            _ = queue.append(Self.item(number % 50, version: Int64(number)))
            if number % 3 == 0 { _ = queue.takeFirst() }
        }
        #expect(queue.placeCount <= 2 * queue.count + 65)
        #expect(queue.removeAll() > 0)
        #expect((queue.count, queue.bytes, queue.placeCount) == (0, 0, 0))
    }

    @Test("it does what a plain array does", arguments: 0..<100 as Range<UInt64>) func model(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let mostItems = Int.random(in: 1...8, using: &random)
        let mostBytes = Int.random(in: 1...6, using: &random) * 300
        var queue = FillQueue(mostItems: mostItems, mostBytes: mostBytes)
        var model: [FillQueue.Item] = []
        var bytes: Int { model.reduce(0) { $0 + $1.entry.byteCount } }
        for step in 0..<400 {
            let number = UInt64.random(in: 0..<10, using: &random)
            switch Int.random(in: 0..<20, using: &random) {
            case 0..<10:
                let item = Self.item(number, version: Int64(step), size: Int.random(in: 0...400, using: &random))
                let dropped = queue.append(item)
                model.removeAll { $0.key == item.key }
                var expected: [FillQueue.Item] = []
                if item.entry.byteCount > mostBytes {
                    expected = [item]
                } else {
                    while model.count >= mostItems || bytes + item.entry.byteCount > mostBytes {
                        expected.append(model.removeFirst())
                    }
                    model.append(item)
                }
                #expect(dropped.map(\.entry.facts) == expected.map(\.entry.facts), "seed \(seed), step \(step)")
            case 10..<16:
                let busy = Set((0..<3).map { _ in Self.key(.random(in: 0..<10, using: &random)) })
                let place = model.firstIndex { !busy.contains($0.key) }
                let expected = place.map { model.remove(at: $0) }
                let taken = queue.takeFirst(unless: busy)
                #expect(taken?.entry.facts == expected?.entry.facts, "seed \(seed), step \(step)")
            case 16..<19:
                queue.remove(Self.key(number))
                model.removeAll { $0.key == Self.key(number) }
            default:
                #expect(queue.contains(Self.key(number)) == model.contains { $0.key == Self.key(number) })
            }
            #expect((queue.count, queue.bytes) == (model.count, bytes), "seed \(seed), step \(step)")
        }
        #expect(drain(&queue) == model.map(\.key.word0), "seed \(seed)")
    }
}
