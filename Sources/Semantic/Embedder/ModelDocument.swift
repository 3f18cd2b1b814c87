import Core
import Dialects

/// Small files of a model's folder.
enum ModelDocument {
    /// JSON of a model is smaller than this, tokenizers with large vocabularies included.
    static let limit = 64 << 20

    /// The whole file; nil where there is none.
    static func bytes(_ path: String, in folder: any ModelFolder) throws(ModelFault) -> Bytes? {
        do throws(ModelFileFault) {
            guard let file = try folder.open(path) else { return nil }
            guard file.size <= limit else { throw ModelFileFault("is larger than \(limit) bytes") }
            return try Bytes(capacity: file.size) { (target) throws(ModelFileFault) in
                try file.read(at: 0, into: target)
                return file.size
            }
        } catch {
            throw ModelFault(path, error.reason)
        }
    }

    /// The file as JSON; nil where there is none.
    static func json(_ path: String, in folder: any ModelFolder) throws(ModelFault) -> JSONValue? {
        guard let bytes = try bytes(path, in: folder) else { return nil }
        return try bytes.withUnsafeBytes { (bytes) throws(ModelFault) in try parse(bytes, path) }
    }

    static func parse(_ bytes: UnsafeRawBufferPointer, _ path: String) throws(ModelFault) -> JSONValue {
        do throws(JSONFault) {
            return try JSONValue.parse(bytes)
        } catch {
            throw ModelFault(path, "is not JSON that can be read: \(error)")
        }
    }
}

/// The members of an object, with faults that name the file.
struct ModelObject {
    let path: String
    let value: JSONValue

    /// nil where the member is absent or null.
    func bool(_ name: String) throws(ModelFault) -> Bool? {
        guard let member = present(name) else { return nil }
        guard case .bool(let flag) = member else { throw ModelFault(path, "has a \(name) that is not true or false") }
        return flag
    }

    /// nil where the member is absent or null.
    func text(_ name: String) throws(ModelFault) -> String? {
        guard let member = present(name) else { return nil }
        guard let text = member.text else { throw ModelFault(path, "has a \(name) that is not a text") }
        return text
    }

    /// A whole number in `range`; nil where the member is absent or null.
    func integer(_ name: String, in range: ClosedRange<Int>) throws(ModelFault) -> Int? {
        guard let member = present(name) else { return nil }
        guard let number = member.integer, range.contains(number) else {
            throw ModelFault(
                path, "has a \(name) that is not a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    func required(_ name: String, in range: ClosedRange<Int>) throws(ModelFault) -> Int {
        guard let number = try integer(name, in: range) else { throw ModelFault(path, "has no \(name)") }
        return number
    }

    private func present(_ name: String) -> JSONValue? {
        guard let member = value[name], !member.isNull else { return nil }
        return member
    }
}
