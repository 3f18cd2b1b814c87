import Core
import Neighbours
import Semantic
import TestKit
import Testing

@Suite struct SnapshotTests {
    private let codec = RecordCodec(matcher: "one", checksum: MixingChecksum())

    /// Bytes that are read a piece at a time.
    private final class Tape {
        var bytes: [UInt8]
        init(_ bytes: [UInt8]) { self.bytes = bytes }

        func read(_ target: UnsafeMutableRawBufferPointer) -> Int {
            let count = min(target.count, bytes.count)
            target.copyBytes(from: bytes[..<count])
            bytes.removeFirst(count)
            return count
        }
    }

    private func index(_ width: Int = 48, capacity: Int = 64 << 20) -> SemanticIndex {
        SemanticIndex(width: width, capacity: capacity, kernels: HNSWKernels())
    }

    private func filled(_ source: inout RecordSource, _ count: Int = 300) -> SemanticIndex {
        let index = index()
        for number in 0..<count {
            index.insert(
                source.record(
                    number, partition: number % 4, expiresAt: number % 10 == 0 ? 50 : .max, tokens: number % 3),
                now: 0)
        }
        return index
    }

    private func snapshot(_ index: SemanticIndex) -> [UInt8] {
        var bytes: [UInt8] = []
        _ = index.snapshot(codec) {
            bytes += $0.array
            return true
        }
        return bytes
    }

    private func restore(_ bytes: [UInt8], into index: SemanticIndex, now: Int64 = 0) throws -> Restored {
        let tape = Tape(bytes)
        return try index.restore(codec, now: now) { (target) throws(SnapshotFault) in tape.read(target) }
    }

    @Test func allOfItComesBack() throws {
        var source = RecordSource(seed: 1)
        let old = filled(&source)
        let new = index()
        let restored = try restore(snapshot(old), into: new)
        #expect(restored == Restored(records: 300, refused: 0, damaged: [:], isWhole: true))
        for number in 0..<300 {
            let key = RecordSource.key(number)
            #expect(new.record(under: key) == old.record(under: key))
        }
        #expect(new.stats.bytes == old.stats.bytes)
    }

    @Test func whatExpiredOrWasPurgedStaysOut() throws {
        var source = RecordSource(seed: 2)
        let bytes = snapshot(filled(&source))
        let new = index()
        #expect(try restore(bytes, into: new, now: 50).refused == 30)
        let tape = Tape(bytes)
        let choosy = index()
        let restored = try choosy.restore(codec, now: 0, isWelcome: { _, facts in facts.tenant == 1 }) {
            (target) throws(SnapshotFault) in tape.read(target)
        }
        #expect(restored.records == 75 && restored.refused == 225 && restored.isWhole)
    }

    /// What was matched last is what stays where there is no room for all.
    @Test func recencyComesBack() throws {
        var source = RecordSource(seed: 3)
        let old = filled(&source)
        for number in 0..<20 { old.matched(RecordSource.key(number)) }
        let small = index(capacity: old.stats.bytes / 4)
        _ = try restore(snapshot(old), into: small)
        #expect(small.stats.records < 150 && small.stats.bytes <= small.capacity)
        for number in 0..<20 { #expect(small.record(under: RecordSource.key(number)) != nil) }
    }

    @Test func whatIsNoSnapshot() throws {
        var source = RecordSource(seed: 4)
        let bytes = snapshot(filled(&source, 3))
        #expect(throws: SnapshotFault.foreign) { try restore([], into: index()) }
        #expect(throws: SnapshotFault.foreign) { try restore(Array("{\"records\": []}".utf8), into: index()) }
        #expect(throws: SnapshotFault.otherWidth(48)) { try restore(bytes, into: index(64)) }
        var later = bytes
        for version: UInt8 in [1, 3] {
            later[4] = version
            #expect(throws: SnapshotFault.otherVersion) { try restore(later, into: index()) }
        }
        #expect(throws: SnapshotFault.unreadable("broken")) {
            try index().restore(codec, now: 0) { (_) throws(SnapshotFault) in throw .unreadable("broken") }
        }
        let empty = snapshot(index())
        #expect(try restore(empty, into: index()) == Restored(isWhole: true))
    }

    @Test func nothingOfAnotherMatcherIsTaken() throws {
        var source = RecordSource(seed: 7)
        let tape = Tape(snapshot(filled(&source, 3)))
        let other = RecordCodec(matcher: "two", checksum: MixingChecksum())
        let index = index()
        #expect(throws: SnapshotFault.otherMatcher) {
            try index.restore(other, now: 0) { (target) throws(SnapshotFault) in tape.read(target) }
        }
        #expect(index.stats.records == 0)
    }

    @Test func whereItBreaksOff() throws {
        var source = RecordSource(seed: 5)
        let bytes = snapshot(filled(&source, 40))
        for count in stride(from: 17, to: bytes.count, by: 13) {
            let restored = try restore(Array(bytes[..<count]), into: index())
            #expect(!restored.isWhole && restored.records < 41 && restored.damaged.isEmpty)
        }
    }

    @Test(arguments: 1...120 as ClosedRange<UInt64>) func damageTakesOnlyWhatItTouches(seed: UInt64) throws {
        var source = RecordSource(seed: seed)
        let old = filled(&source, 20)
        var bytes = snapshot(old)
        for _ in 0...Int.random(in: 0...2, using: &source.random) { RandomText.damage(&bytes, using: &source.random) }
        let new = index()
        guard (try? restore(bytes, into: new)) != nil else { return }
        // Whatever came through is what was there.
        for number in 0..<20 {
            if let record = new.record(under: RecordSource.key(number)) {
                #expect(record == old.record(under: RecordSource.key(number)), "seed \(seed)")
            }
        }
        #expect(new.stats.records <= 20, "seed \(seed)")
    }

    @Test func aWriterThatCannot() {
        var source = RecordSource(seed: 6)
        let index = filled(&source, 10)
        for limit in 0..<12 {
            var left = limit
            let count = index.snapshot(codec) { _ in
                left -= 1
                return left >= 0
            }
            #expect(count == nil)
        }
    }
}
