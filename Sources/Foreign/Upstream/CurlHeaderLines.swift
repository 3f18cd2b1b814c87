import CCurl
import Core

/// The header lines of a request as libcurl's list, in memory that serves one request after the other: the list that
/// libcurl makes itself costs two allocations a line.
struct CurlHeaderLines: ~Copyable {
    /// The lines one after the other, each ended by a zero byte.
    private var text = HTTPBuffer()
    private var starts: [Int] = []
    private var nodes = UnsafeMutableBufferPointer<curl_slist>(start: nil, count: 0)

    init() {}
    deinit { nodes.deallocate() }

    /// Adds one line in libcurl's spelling: `Name: value`, or `Name;` for an empty value. False, with nothing added,
    /// if it is not a valid one.
    mutating func add(_ field: HeaderField) -> Bool {
        var name = field.name
        var value = field.value
        return name.withUTF8 { name in
            value.withUTF8 { value in
                let name = UnsafeRawBufferPointer(name)
                let value = UnsafeRawBufferPointer(value)
                guard HTTPSyntax.isToken(name), HTTPSyntax.isFieldValue(value) else { return false }
                starts.append(text.count)
                text.append(name)
                text.append(value.isEmpty ? ";" : ": ")
                text.append(value)
                text.append("\0")
                return true
            }
        }
    }

    /// Adds `Name:`, which makes libcurl send no such line.
    mutating func suppress(_ name: StaticString) {
        starts.append(text.count)
        text.append(name)
        text.append(":\0")
    }

    /// The list, valid until the next change; nil where there are no lines.
    mutating func list() -> UnsafeMutablePointer<curl_slist>? {
        if nodes.count < starts.count {
            nodes.deallocate()
            nodes = .allocate(capacity: max(starts.count * 2, 32))
        }
        guard let first = nodes.baseAddress, let base = text.bytes.baseAddress, !starts.isEmpty else { return nil }
        for (index, start) in starts.enumerated() {
            // libcurl only reads the lines; its type lacks the const.
            let line = UnsafeMutablePointer(mutating: (base + start).assumingMemoryBound(to: CChar.self))
            let isLast = index + 1 == starts.count
            (first + index).initialize(to: curl_slist(data: line, next: isLast ? nil : first + index + 1))
        }
        return first
    }

    mutating func clear() {
        text.clear()
        starts.removeAll(keepingCapacity: true)
    }
}
