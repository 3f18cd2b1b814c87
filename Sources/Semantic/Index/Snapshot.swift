import Core
import Synchronization

/// The index as a file that outlives a restart. Numbers are most significant byte first.
///
/// ```
/// head    4 magic · 1 version · 4 width · 8 matcher
/// record  4 size, not 0 · the record as `RecordCodec` writes it
/// …       those that were matched longest ago first
/// end     4 zeros · 8 number of records
/// ```
enum SnapshotLayout {
    static let magic: UInt32 = 0x5246_5353  // "RFSS"
    static let version: UInt8 = 2
    static let head = 4 + 1 + 4 + 8
    static let end = 4 + 8
}

/// Why nothing of a snapshot can be used.
package enum SnapshotFault: Error, Sendable, Equatable, CustomStringConvertible {
    case foreign
    case otherVersion
    /// Of who compares texts in another way.
    case otherMatcher
    /// Of vectors of so many numbers.
    case otherWidth(Int)
    /// In words.
    case unreadable(String)

    package var description: String {
        switch self {
        case .foreign: "it is no snapshot of semantic entries"
        case .otherVersion: "another version wrote it"
        case .otherMatcher: "another model made it, or another version of how texts are compared by their letters"
        case .otherWidth(let width): "its vectors have \(width) numbers, which those of this model do not"
        case .unreadable(let reason): reason
        }
    }
}

/// What came of a snapshot.
package struct Restored: Sendable, Equatable {
    package var records: Int
    /// Their time was over, or the index would not have them.
    package var refused: Int
    /// Not records, by their fault.
    package var damaged: [RecordFault: Int]
    /// Whether it has its end. What came before the place where it broke off was taken.
    package var isWhole: Bool

    package init(records: Int = 0, refused: Int = 0, damaged: [RecordFault: Int] = [:], isWhole: Bool = false) {
        self.records = records
        self.refused = refused
        self.damaged = damaged
        self.isWhole = isWhole
    }
}

extension SemanticIndex {
    /// Hands the records over as the bytes of a snapshot, piece by piece. Each record is whole; those that come or go
    /// meanwhile may be in it or not. The lock is held for a few records at a time. How many there are in it, nil where
    /// `write` gave up.
    ///
    /// - Parameter write: takes a piece; whether it could.
    package func snapshot(_ codec: RecordCodec, into write: (Bytes) -> Bool) -> Int? {
        let head = Bytes(capacity: SnapshotLayout.head) { target in
            var writer = RecordWriter(target)
            writer.put(SnapshotLayout.magic)
            writer.put(SnapshotLayout.version)
            writer.put(UInt32(width))
            writer.put(codec.matcher)
            return writer.count
        }
        guard write(head) else { return nil }
        var count = 0
        for label in labelsByRecency() {
            guard let record = ledger.withLock({ $0.node(labelled: label)?.whole }),
                let bytes = codec.encode(record)
            else { continue }
            guard write(SemanticIndex.framed(bytes)) else { return nil }
            count += 1
        }
        let end = Bytes(capacity: SnapshotLayout.end) { target in
            var writer = RecordWriter(target)
            writer.put(UInt32(0))
            writer.put(UInt64(count))
            return writer.count
        }
        return write(end) ? count : nil
    }

    private func labelsByRecency() -> [UInt64] {
        var all: [(matched: UInt64, label: UInt64)] = []
        forEachSlot(step: 512) { ledger, slots in
            for slot in slots {
                if let node = ledger.node(at: slot) { all.append((node.matched, node.label)) }
            }
        }
        return all.sorted { $0.matched < $1.matched }.map(\.label)
    }

    private static func framed(_ bytes: Bytes) -> Bytes {
        Bytes(capacity: 4 + bytes.count) { target in
            var writer = RecordWriter(target)
            writer.put(UInt32(bytes.count))
            bytes.withUnsafeBytes { source in writer.skip(source.count).copyMemory(from: source) }
            return writer.count
        }
    }

    /// Takes the records of a snapshot in, as if they came now, one after the other.
    ///
    /// - Parameters:
    ///   - now: what has expired by then stays out; milliseconds since 1970.
    ///   - isWelcome: whether a record may be found; nothing that was purged is to come back.
    ///   - read: fills the memory with the next bytes; fewer are there only at the end.
    package func restore(
        _ codec: RecordCodec, now: Int64, isWelcome: (CacheKey, SemanticFacts) -> Bool = { _, _ in true },
        from read: (UnsafeMutableRawBufferPointer) throws(SnapshotFault) -> Int
    ) throws(SnapshotFault) -> Restored {
        try checkHead(codec, read)
        var restored = Restored()
        while true {
            guard let size = try SemanticIndex.take(4, read).map({ $0.number(at: 0, UInt32.self) }) else { break }
            if size == 0 {
                let count = try SemanticIndex.take(8, read)?.number(at: 0, UInt64.self)
                let taken = restored.records + restored.refused + restored.damaged.values.reduce(0, +)
                restored.isWhole = count == UInt64(taken)
                break
            }
            // What comes behind a size that cannot be cannot be told apart.
            guard size <= RecordCodec.limit, let bytes = try SemanticIndex.take(Int(size), read) else { break }
            do throws(RecordFault) {
                let record = try codec.decode(bytes)
                if isWelcome(record.key, record.facts), insert(record, now: now) {
                    restored.records += 1
                } else {
                    restored.refused += 1
                }
            } catch {
                restored.damaged[error, default: 0] += 1
            }
        }
        return restored
    }

    private func checkHead(
        _ codec: RecordCodec, _ read: (UnsafeMutableRawBufferPointer) throws(SnapshotFault) -> Int
    ) throws(SnapshotFault) {
        guard let head = try SemanticIndex.take(SnapshotLayout.head, read),
            head.number(at: 0, UInt32.self) == SnapshotLayout.magic
        else { throw .foreign }
        let version = head.number(at: 4, UInt8.self)
        guard version == SnapshotLayout.version else { throw .otherVersion }
        guard head.number(at: 9, UInt64.self) == codec.matcher else { throw .otherMatcher }
        let found = Int(head.number(at: 5, UInt32.self))
        guard found == width else { throw .otherWidth(found) }
    }

    /// So many bytes; nil where there are not as many.
    private static func take(
        _ count: Int, _ read: (UnsafeMutableRawBufferPointer) throws(SnapshotFault) -> Int
    ) throws(SnapshotFault) -> Bytes? {
        let bytes = try Bytes(capacity: count) { (target) throws(SnapshotFault) in try read(target) }
        return bytes.count == count ? bytes : nil
    }
}

extension Bytes {
    /// A number that is known to be there.
    fileprivate func number<Number: FixedWidthInteger>(at offset: Int, _: Number.Type) -> Number {
        withUnsafeBytes { Number(bigEndian: $0.loadUnaligned(fromByteOffset: offset, as: Number.self)) }
    }
}
