import Core

/// What a record's bytes hold:
///
/// ```
/// 32 key · 32 partition · 8 createdAt · 8 expiresAt · 8 generation · 8 tenant
/// 2 width · the vector, a byte a number
/// 2 tokens · 2 width of theirs · their vectors, a byte a number       0 tokens: none are held
/// text · model · namespace · 2 tags · each tag                       each text behind its size of four bytes
/// ```
/// Scales are not written: vectors have the length one.
struct RecordPayload {
    private let record: SemanticRecord

    init(_ record: SemanticRecord) { self.record = record }

    private static let fixedSize = 32 + 32 + 8 * 4 + 2 + 2 + 2 + 2

    /// nil where it cannot be counted in the fields that say so.
    var size: Int? {
        let facts = record.facts
        guard record.sketch.values.count <= UInt16.max, facts.tags.count <= UInt16.max,
            record.tokens?.width ?? 0 <= UInt16.max, record.tokens?.count ?? 1 > 0
        else { return nil }
        let texts = [record.text, facts.model, facts.namespace] + facts.tags
        return RecordPayload.fixedSize + record.sketch.values.count + (record.tokens?.values.count ?? 0)
            + texts.reduce(0) { $0 + 4 + $1.utf8.count }
    }

    func write(to writer: inout RecordWriter) {
        let facts = record.facts
        writer.put(record.key)
        writer.put(record.partition)
        writer.put(facts.createdAt)
        writer.put(facts.expiresAt)
        writer.put(facts.generation)
        writer.put(facts.tenant)
        writer.put(UInt16(record.sketch.values.count))
        writer.put(record.sketch.values)
        writer.put(UInt16(record.tokens?.count ?? 0))
        writer.put(UInt16(record.tokens?.width ?? 0))
        writer.put(record.tokens?.values ?? [])
        writer.put(record.text)
        writer.put(facts.model)
        writer.put(facts.namespace)
        writer.put(UInt16(facts.tags.count))
        for tag in facts.tags { writer.put(tag) }
    }

    static func read(from reader: inout RecordReader) throws(RecordFault) -> SemanticRecord {
        let key = CacheKey(digest: try reader.take(32))
        let partition = CacheKey(digest: try reader.take(32))
        var facts = SemanticFacts(
            tenant: 0, namespace: "", model: "", tags: [], createdAt: try reader.number(Int64.self),
            expiresAt: try reader.number(Int64.self), generation: try reader.number(UInt64.self))
        facts.tenant = try reader.number(UInt64.self)
        let sketch = QuantizedVector(values: try reader.values(Int(try reader.number(UInt16.self))))
        let tokens = try tokens(from: &reader)
        let text = try reader.text()
        facts.model = try reader.text()
        facts.namespace = try reader.text()
        let tags = Int(try reader.number(UInt16.self))
        // Each takes four bytes at least.
        guard tags <= reader.rest.count / 4 else { throw .corrupt }
        for _ in 0..<tags { facts.tags.append(try reader.text()) }
        return SemanticRecord(
            key: key, partition: partition, text: text, sketch: sketch, tokens: tokens, facts: facts)
    }

    private static func tokens(from reader: inout RecordReader) throws(RecordFault) -> TokenVectors? {
        let count = Int(try reader.number(UInt16.self))
        let width = Int(try reader.number(UInt16.self))
        guard count > 0 else {
            guard width == 0 else { throw .corrupt }
            return nil
        }
        guard width > 0, let tokens = TokenVectors(values: try reader.values(count * width), width: width) else {
            throw .corrupt
        }
        return tokens
    }
}

/// Writes into memory that was measured before, most significant byte first.
struct RecordWriter {
    private var rest: UnsafeMutableRawBufferPointer
    private let total: Int

    init(_ target: UnsafeMutableRawBufferPointer) {
        rest = target
        total = target.count
    }

    var count: Int { total - rest.count }

    mutating func put<Number: FixedWidthInteger>(_ number: Number) {
        skip(MemoryLayout<Number>.size).storeBytes(of: number.bigEndian, as: Number.self)
    }

    mutating func put(_ key: CacheKey) {
        for word in [key.word0, key.word1, key.word2, key.word3] { put(word) }
    }

    mutating func put(_ values: [Int8]) {
        values.withUnsafeBytes { skip($0.count).copyMemory(from: $0) }
    }

    mutating func put(_ text: String) {
        var text = text
        text.withUTF8 {
            put(UInt32($0.count))
            skip($0.count).copyMemory(from: UnsafeRawBufferPointer($0))
        }
    }

    @discardableResult
    mutating func skip(_ count: Int) -> UnsafeMutableRawBufferPointer {
        let skipped = UnsafeMutableRawBufferPointer(rebasing: rest[..<count])
        rest = UnsafeMutableRawBufferPointer(rebasing: rest[count...])
        return skipped
    }
}

/// Reads what `RecordWriter` wrote; every read checks what is left.
struct RecordReader {
    private(set) var rest: UnsafeRawBufferPointer

    init(_ bytes: UnsafeRawBufferPointer) { rest = bytes }

    mutating func take(_ count: Int) throws(RecordFault) -> UnsafeRawBufferPointer {
        guard count >= 0, count <= rest.count else { throw .tooShort }
        let taken = UnsafeRawBufferPointer(rebasing: rest[..<count])
        rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        return taken
    }

    mutating func number<Number: FixedWidthInteger>(_: Number.Type) throws(RecordFault) -> Number {
        Number(bigEndian: try take(MemoryLayout<Number>.size).loadUnaligned(as: Number.self))
    }

    mutating func values(_ count: Int) throws(RecordFault) -> [Int8] {
        try take(count).map { Int8(bitPattern: $0) }
    }

    mutating func text() throws(RecordFault) -> String {
        let bytes = try take(Int(try number(UInt32.self)))
        guard let text = String(validating: bytes, as: UTF8.self) else { throw .corrupt }
        return text
    }
}
