import Core

/// Writes what the head does not hold:
///
/// ```
/// 2 status · 1 dialect · 1 shape · 8 tenant · 4 prompt tokens · 4 completion tokens · 4 usage start · 4 usage end
/// 2 header lines, then name and value of each
/// 2 tags, then the model, the namespace and each tag
/// for each form that is held, whole answer first: 1 coding · 4 original size · 4 stored size · the content
/// ```
/// Texts stand behind their size of four bytes.
struct PayloadWriter {
    private let entry: Entry
    private let headers: [HeaderField]
    private let labels: [String]

    init(_ entry: Entry) {
        self.entry = entry
        headers = entry.headers
        labels = [entry.model, entry.namespace] + entry.tags
    }

    /// Everything up to the texts.
    private static let fixedSize = 2 + 1 + 1 + 8 + 4 + 4 + 4 + 4 + 2 + 2

    /// How many bytes the payload takes at most, nil where it cannot be counted in the fields that say so.
    var largestSize: Int? {
        guard headers.count <= UInt16.max, labels.count - 2 <= UInt16.max else { return nil }
        let texts = headers.flatMap { [$0.name, $0.value] } + labels
        return PayloadWriter.fixedSize + texts.reduce(0) { $0 + 4 + $1.utf8.count }
            + contents.reduce(0) { $0 + EntryLayout.contentHead + $1.count }
    }

    func write(to writer: inout ByteWriter, _ compression: any Compressing) {
        let facts = entry.facts
        writer.put(facts.status)
        writer.put(facts.dialect.rawValue)
        writer.put(shape)
        writer.put(facts.tenant)
        writer.put(facts.promptTokens)
        writer.put(facts.completionTokens)
        writer.put(facts.usageStart)
        writer.put(facts.usageEnd)
        writer.put(UInt16(headers.count))
        for field in headers {
            writer.put(field.name)
            writer.put(field.value)
        }
        writer.put(UInt16(labels.count - 2))
        for label in labels { writer.put(label) }
        for content in contents { write(content, to: &writer, compression) }
    }

    private var contents: [UnsafeRawBufferPointer] { Form.allCases.compactMap { entry.content($0) } }

    private var shape: UInt8 {
        typealias Shape = EntryLayout.Shape
        return (entry.facts.origin == .stream ? Shape.originIsStream : 0)
            | (entry.has(.whole) ? Shape.hasWhole : 0) | (entry.has(.stream) ? Shape.hasStream : 0)
            | (entry.facts.storedUpstream ? Shape.storedUpstream : 0)
    }

    /// Compressed where that makes it smaller: the room for the result is one byte less than the original.
    private func write(
        _ content: UnsafeRawBufferPointer, to writer: inout ByteWriter, _ compression: any Compressing
    ) {
        let head = writer.skip(EntryLayout.contentHead)
        let room = UnsafeMutableRawBufferPointer(rebasing: writer.rest[..<max(0, content.count - 1)])
        let compressed = compression.compress(content, into: room)
        if let compressed { writer.skip(compressed) } else { writer.put(content) }
        var headWriter = ByteWriter(head)
        headWriter.put((compressed == nil ? EntryLayout.Coding.raw : .lz4).rawValue)
        headWriter.put(UInt32(content.count))
        headWriter.put(UInt32(compressed ?? content.count))
    }
}
