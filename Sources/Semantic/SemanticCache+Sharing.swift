import Core
import Synchronization

/// What sidecars tell each other, and what outlives a restart.
///
/// An announcement begins with one byte that says what it is:
/// ```
/// 0, 1  a question of that store: the record as `RecordCodec` writes it
/// 2     a pair that a person refused: both keys as a line of text
/// 3     a match that was found to be wrong: 8 matcher · 32 key · 32 key of the entry · 4 score
/// ```
extension SemanticCache {
    /// The two ways of comparing, each with what it remembers.
    package enum Store: UInt8, Sendable, CaseIterable {
        case meanings = 0
        case letters = 1
    }

    private func index(_ store: Store) -> GrowingIndex? { store == .letters ? letters : meanings }

    // MARK: Telling

    struct Teller: Sendable {
        var codec: RecordCodec
        var tell: @Sendable (Bytes) -> Void
    }

    /// Has what is learned from now on told to others: `tell` is called with the bytes of an announcement.
    package func announce(_ codec: RecordCodec, _ tell: @escaping @Sendable (Bytes) -> Void) {
        teller.withLock { $0 = Teller(codec: codec, tell: tell) }
    }

    func announce(_ record: SemanticRecord, _ store: Store) {
        guard let teller = teller.withLock({ $0 }), let bytes = teller.codec.encode(record) else { return }
        teller.tell(
            Bytes(capacity: bytes.count + 1) { target in
                target[0] = store.rawValue
                bytes.withUnsafeBytes { UnsafeMutableRawBufferPointer(rebasing: target[1...]).copyMemory(from: $0) }
                return bytes.count + 1
            })
    }

    func announceRefusal(of key: CacheKey, by entry: CacheKey) {
        teller.withLock { $0 }?.tell(Bytes([SemanticCache.refusal] + SemanticCache.line(key, entry).utf8))
    }

    func announceError(of match: SemanticMatch, for key: CacheKey) {
        guard let teller = teller.withLock({ $0 }) else { return }
        teller.tell(
            Bytes(capacity: SemanticCache.errorSize) { target in
                var writer = RecordWriter(target)
                writer.put(SemanticCache.error)
                writer.put(teller.codec.matcher)
                writer.put(key)
                writer.put(match.key)
                writer.put(match.score.bitPattern)
                return writer.count
            })
    }

    /// Begin announcements of pairs, where others have their store.
    private static let refusal: UInt8 = 2
    private static let error: UInt8 = 3
    private static let errorSize = 1 + 8 + 32 + 32 + 4

    // MARK: Hearing

    /// Another sidecar's announcement. What cannot be read, or is not of use here, is dropped and counted.
    @discardableResult
    package func heard(
        _ announcement: Bytes, _ codec: RecordCodec, isWelcome: (CacheKey, SemanticFacts) -> Bool
    ) -> AnnouncementResult {
        let result = announcement.withUnsafeBytes { taken($0, codec, isWelcome) }
        metrics.countAnnouncement(result)
        return result
    }

    private func taken(
        _ bytes: UnsafeRawBufferPointer, _ codec: RecordCodec, _ isWelcome: (CacheKey, SemanticFacts) -> Bool
    ) -> AnnouncementResult {
        guard let first = bytes.first else { return .damaged }
        let rest = UnsafeRawBufferPointer(rebasing: bytes[1...])
        if first == SemanticCache.refusal {
            let lines = String(decoding: rest.prefix(SemanticCache.longestLine), as: UTF8.self)
            return refuse(lines: lines) > 0 ? .taken : .damaged
        }
        if first == SemanticCache.error {
            do throws(RecordFault) { try takeError(rest, codec) } catch {
                return error == .otherMatcher ? .otherMatcher : .damaged
            }
            return .taken
        }
        guard let store = Store(rawValue: first) else { return .damaged }
        let record: SemanticRecord
        do throws(RecordFault) { record = try codec.decode(rest) } catch {
            return error == .otherMatcher ? .otherMatcher : .damaged
        }
        // How wide vectors are is not for others to say.
        guard let index = index(store), index.isSettled, isWelcome(record.key, record.facts) else { return .unwanted }
        return index.insert(record, now: clock.wall()) ? .taken : .unwanted
    }

    private func takeError(_ bytes: UnsafeRawBufferPointer, _ codec: RecordCodec) throws(RecordFault) {
        var reader = RecordReader(bytes)
        // Scores of another matcher say something else.
        guard try reader.number(UInt64.self) == codec.matcher else { throw .otherMatcher }
        let key = CacheKey(digest: try reader.take(32))
        let entry = CacheKey(digest: try reader.take(32))
        let score = Float(bitPattern: try reader.number(UInt32.self))
        guard score.isFinite, reader.rest.isEmpty else { throw .corrupt }
        doubts.insert(key, entry)
        judge.hearError(of: entry, score: score)
    }

    // MARK: The next start

    /// Hands over what is remembered, piece by piece; how many questions, nil where `write` gave up.
    package func snapshot(_ store: Store, _ codec: RecordCodec, into write: (Bytes) -> Bool) -> Int? {
        guard let index = index(store)?.index else { return 0 }
        return index.snapshot(codec, into: write)
    }

    /// Takes back what `snapshot` handed over.
    package func restore(
        _ store: Store, _ codec: RecordCodec, isWelcome: (CacheKey, SemanticFacts) -> Bool,
        from read: (UnsafeMutableRawBufferPointer) throws(SnapshotFault) -> Int
    ) throws(SnapshotFault) -> Restored {
        let width = store == .letters ? LexicalSketch.width : encoder?.width
        guard let width, let index = index(store)?.made(width: width) else { return Restored() }
        return try index.restore(codec, now: clock.wall(), isWelcome: isWelcome, from: read)
    }

    // MARK: Refused pairs

    /// Pairs that somebody said do not belong together, as lines of text.
    package var refusedLines: String { refusals.all.map { SemanticCache.line($0.key, $0.other) }.joined() }

    private static func line(_ key: CacheKey, _ entry: CacheKey) -> String { "\(key.hex) \(entry.hex)\n" }
    /// Two keys of 64 digits.
    private static let longestLine = 2 * 64 + 2

    /// How many of the lines name a pair.
    @discardableResult
    package func refuse(lines: String) -> Int {
        var count = 0
        for line in lines.split(separator: "\n").suffix(SemanticCache.mostRefusals) {
            let keys = line.split(separator: " ").compactMap { CacheKey(hex: String($0)) }
            guard keys.count == 2 else { continue }
            refusals.insert(keys[0], keys[1])
            count += 1
        }
        return count
    }
}
