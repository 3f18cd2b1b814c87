import Core

/// The body with another model's name, where `rename` gives one for what it says; otherwise the body itself. Nothing but
/// the value of the outermost `model` is touched; where that stands twice, each of them is.
///
/// A body that is not one JSON object stays as it is.
package func renamingModel(in body: Bytes, _ rename: (String) -> String?) -> Bytes {
    guard let edits = try? body.withUnsafeBytes({ (bytes) throws(JSONFault) in try modelEdits(bytes, rename) }),
        !edits.isEmpty
    else { return body }
    return body.withUnsafeBytes { original in
        let growth = edits.reduce(0) { $0 + $1.text.count - $1.range.count }
        return Bytes(capacity: original.count + growth) { target in
            var (read, written) = (0, 0)
            func copy(_ part: UnsafeRawBufferPointer) {
                UnsafeMutableRawBufferPointer(rebasing: target[written...]).copyMemory(from: part)
                written += part.count
            }
            for edit in edits {
                copy(UnsafeRawBufferPointer(rebasing: original[read..<edit.range.lowerBound]))
                edit.text.withUnsafeBytes { copy($0) }
                read = edit.range.upperBound
            }
            copy(UnsafeRawBufferPointer(rebasing: original[read...]))
            return written
        }
    }
}

/// Where the value of a `model` stands, quotes included, and what is to stand there.
private struct ModelEdit {
    var range: Range<Int>
    var text: [UInt8]
}

private func modelEdits(
    _ bytes: UnsafeRawBufferPointer, _ rename: (String) -> String?
) throws(JSONFault) -> [ModelEdit] {
    var edits: [ModelEdit] = []
    var cursor = try JSONCursor(bytes)
    try cursor.openObject()
    while let name = try cursor.nextMember() {
        let isText = try cursor.peek() == UInt8(ascii: "\"")
        guard name.means("model"), isText else {
            try cursor.skip()
            continue
        }
        let start = cursor.position
        let model = try cursor.string().decoded()
        guard let own = rename(model) else { continue }
        var writer = JSONWriter()
        writer.value(own)
        edits.append(ModelEdit(range: start..<cursor.position, text: writer.bytes))
    }
    try cursor.finish()
    return edits
}
