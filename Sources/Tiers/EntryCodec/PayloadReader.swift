import Core

/// Reads what `PayloadWriter` wrote, and trusts none of it.
struct PayloadReader {
    private var reader: ByteReader
    private let compression: any Compressing
    /// What the contents may still take, in bytes.
    private var room: Int

    init(_ payload: UnsafeRawBufferPointer, _ compression: any Compressing, limit: Int) {
        reader = ByteReader(payload)
        self.compression = compression
        room = limit
    }

    mutating func entry(_ head: EntryHead) throws(EntryFailure) -> Entry {
        do {
            return try read(head)
        } catch .tooShort {
            // The payload's own size was right, so a field in it that reaches beyond is wrong.
            throw .corrupt
        }
    }

    private mutating func read(_ head: EntryHead) throws(EntryFailure) -> Entry {
        typealias Shape = EntryLayout.Shape
        let status = try reader.number(UInt16.self)
        let dialect = Dialect(rawValue: try reader.number(UInt8.self))
        let shape = try reader.number(UInt8.self)
        guard let dialect, shape & ~Shape.all == 0, shape & (Shape.hasWhole | Shape.hasStream) != 0 else {
            throw .corrupt
        }
        var facts = Entry.Facts(
            createdAt: head.createdAt, ttl: head.ttl, dialect: dialect,
            origin: shape & Shape.originIsStream != 0 ? .stream : .whole)
        facts.generation = head.generation
        facts.status = status
        facts.storedUpstream = shape & Shape.storedUpstream != 0
        facts.tenant = try reader.number(UInt64.self)
        facts.promptTokens = try reader.number(Int32.self)
        facts.completionTokens = try reader.number(Int32.self)
        facts.usageStart = try reader.number(UInt32.self)
        facts.usageEnd = try reader.number(UInt32.self)

        var headers: [HeaderField] = []
        for _ in 0..<(try reader.number(UInt16.self)) {
            headers.append(HeaderField(try reader.text(), try reader.text()))
        }
        let tagCount = try reader.number(UInt16.self)
        let model = try reader.text()
        let namespace = try reader.text()
        var tags: [String] = []
        for _ in 0..<tagCount { tags.append(try reader.text()) }

        let whole = shape & Shape.hasWhole != 0 ? try content() : nil
        let stream = shape & Shape.hasStream != 0 ? try content() : nil
        guard reader.rest.isEmpty, facts.usageStart <= facts.usageEnd, facts.usageEnd <= stream?.count ?? 0 else {
            throw .corrupt
        }
        return Entry(
            facts: facts, headers: headers, model: model, namespace: namespace, tags: tags, whole: whole,
            stream: stream)
    }

    /// One content, nothing being allocated before its declared size was found to be possible and allowed.
    private mutating func content() throws(EntryFailure) -> Bytes {
        let coding = EntryLayout.Coding(rawValue: try reader.number(UInt8.self))
        let original = Int(try reader.number(UInt32.self))
        let stored = try reader.take(Int(try reader.number(UInt32.self)))
        guard let coding else { throw .corrupt }
        guard original <= room else { throw .tooLarge }
        room -= original
        switch coding {
        case .raw:
            guard stored.count == original else { throw .corrupt }
            return Bytes(copying: stored)
        case .lz4:
            guard original <= compression.largestOriginal(of: stored.count) else { throw .corrupt }
            let compression = compression
            return try Bytes(capacity: original) { (target) throws(EntryFailure) in
                guard compression.decompress(stored, into: target) else { throw .corrupt }
                return original
            }
        }
    }
}
