import Core
import Dialects

extension Entry {
    /// The same answer in both forms, nil where the other one cannot be made faithfully.
    func withBothForms() -> Entry? {
        var facts = facts
        let dialect = facts.dialect
        var whole = bytes(.whole)
        var stream = bytes(.stream)
        do throws(ConversionFailure) {
            if whole == nil, let held = content(.stream) {
                whole = try wholeFromStream(held, dialect: dialect)
            }
            if stream == nil, let held = content(.whole) {
                let rendition = try streamFromWhole(held, dialect: dialect)
                stream = rendition.bytes
                facts.usageStart = UInt32(clamping: rendition.usageStart)
                facts.usageEnd = UInt32(clamping: rendition.usageEnd)
            }
        } catch {
            return nil
        }
        // Positions within an entry have 32 bits.
        guard (whole?.count ?? 0) + (stream?.count ?? 0) <= Int(UInt32.max / 2) else { return nil }
        return Entry(
            facts: facts, headers: headers, model: model, namespace: namespace, tags: tags, whole: whole,
            stream: stream)
    }

    /// What a client is sent: the content in one form, without the usage event if it did not ask for that. Two
    /// slices, the second one often empty. The memory is valid while `owner` is.
    package func slices(_ form: Form, wantsUsage: Bool) -> (BytesView, BytesView)? {
        guard let content = content(form) else { return nil }
        let facts = facts
        let start = Int(facts.usageStart)
        let end = Int(facts.usageEnd)
        guard form == .stream, !wantsUsage, end > start, end <= content.count else {
            return (content, UnsafeRawBufferPointer(rebasing: content[content.count...]))
        }
        return (
            UnsafeRawBufferPointer(rebasing: content[..<start]), UnsafeRawBufferPointer(rebasing: content[end...])
        )
    }

    private func bytes(_ form: Form) -> Bytes? { content(form).map { Bytes(copying: $0) } }
}
