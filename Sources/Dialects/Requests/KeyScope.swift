import Core

/// What besides the body tells answers apart.
package struct KeyScope: Sendable, Equatable {
    /// Whose answers these are.
    package var tenant: CacheKey
    package var namespace: String
    /// The query string of the request, without its question mark.
    package var query: String
    /// Headers that change the answer: names in lower case, in order; lines of one name as they came.
    package private(set) var headers: [HeaderField]

    package init(tenant: CacheKey, namespace: String = "", query: String = "", headers: [HeaderField] = []) {
        self.tenant = tenant
        self.namespace = namespace
        self.query = query
        self.headers = headers.isEmpty ? [] : KeyScope.normalized(headers)
    }

    /// Adds what is no header: no header has a name without letters.
    mutating func add(_ field: HeaderField) { headers = KeyScope.normalized(headers + [field]) }

    private static func normalized(_ headers: [HeaderField]) -> [HeaderField] {
        headers.map { HeaderField($0.name.lowercased(), $0.value) }.enumerated()
            .sorted { ($0.element.name, $0.offset) < ($1.element.name, $1.offset) }
            .map(\.element)
    }
}

/// Writes the fields of a key, numbers most significant byte first.
struct KeyWriter {
    private(set) var position: UnsafeMutableRawPointer

    init(position: UnsafeMutableRawPointer) { self.position = position }

    /// How many bytes stand before the canonical form.
    static func count(scope: KeyScope, word: String) -> Int {
        // The version; the tenant; the lengths of namespace, word, query and body; the number of headers.
        var count = 1 + 32 + 5 * 4
        count += scope.namespace.utf8.count + word.utf8.count + scope.query.utf8.count
        for header in scope.headers { count += 8 + header.name.utf8.count + header.value.utf8.count }
        return count
    }

    @inline(__always)
    mutating func put(byte: UInt8) {
        position.storeBytes(of: byte, as: UInt8.self)
        position += 1
    }

    @inline(__always)
    mutating func put(_ number: UInt32) {
        position.storeBytes(of: number.bigEndian, as: UInt32.self)
        position += 4
    }

    mutating func put(_ key: CacheKey) {
        put(key.word0)
        put(key.word1)
        put(key.word2)
        put(key.word3)
    }

    @inline(__always)
    private mutating func put(_ word: UInt64) {
        position.storeBytes(of: word.bigEndian, as: UInt64.self)
        position += 8
    }

    mutating func put(_ text: String) {
        put(UInt32(truncatingIfNeeded: text.utf8.count))
        let end = position
        let copied: Int? = text.utf8.withContiguousStorageIfAvailable { bytes in
            UnsafeMutableRawBufferPointer(start: end, count: bytes.count).copyMemory(
                from: UnsafeRawBufferPointer(bytes))
            return bytes.count
        }
        guard let copied else {
            for byte in text.utf8 { put(byte: byte) }
            return
        }
        position += copied
    }
}
