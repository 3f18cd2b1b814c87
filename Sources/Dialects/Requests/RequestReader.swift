import Core

/// Which parts of a request make its key.
package struct RequestRules: Sendable, Equatable {
    /// Members of the outermost object that do not change the answer and so are not part of the key.
    package var leftOut: [String]
    /// How many objects and arrays may stand inside one another, at most `depthLimit`.
    package var maxDepth: Int {
        didSet { maxDepth = min(maxDepth, RequestRules.depthLimit) }
    }

    package static let defaultLeftOut = Settings.Cache().leftOut

    /// Reading nests calls as the body nests values, and a thread's stack is finite.
    package static let depthLimit = 512

    package init(leftOut: [String] = RequestRules.defaultLeftOut, maxDepth: Int = 64) {
        self.leftOut = leftOut
        self.maxDepth = min(maxDepth, RequestRules.depthLimit)
    }
}

/// Reads requests and names them. It owns memory that is reused, so each worker has its own; a warm reader
/// allocates nothing.
package final class RequestReader {
    private var writer: CanonicalWriter

    /// Part of every key, so that keys made under other rules are never found.
    private static let formatVersion: UInt8 = 1
    /// The same for partitions, far from the versions of keys.
    private static let partitionVersion: UInt8 = 0x81

    package init(rules: RequestRules) { writer = CanonicalWriter(rules: rules) }

    /// Reads one body. On success its canonical form stays in the reader until the next call.
    package func read(
        _ body: UnsafeRawBufferPointer, as dialect: Dialect
    ) throws(BypassReason) -> RequestFacts {
        try writer.run(body, as: dialect)
    }

    /// The canonical form of the last body that was read with success, else empty; valid until the next call of
    /// any function of the reader.
    package var canonical: UnsafeRawBufferPointer { writer.canonical }

    /// The members of the last body that are not part of its canonical form.
    package var leftOutFields: [String] { writer.leftOutNames }

    /// The key of the last body that was read: SHA-256 over format version, tenant, namespace, dialect, query,
    /// key headers and the canonical form, each behind its length, so that no two lists of fields read the same.
    package func key(scope: KeyScope, dialect: Dialect, digest: some Digesting) -> CacheKey {
        key(version: RequestReader.formatVersion, scope: scope, dialect: dialect, digest: digest)
    }

    /// The digest of the last body that was read as one with a gap (`VariableText`), and of who compares what stands
    /// there. Never that of a request as it is.
    package func partition(
        scope: KeyScope, dialect: Dialect, matcher: String, digest: some Digesting
    ) -> CacheKey {
        var scope = scope
        scope.add(HeaderField("", matcher))
        return key(version: RequestReader.partitionVersion, scope: scope, dialect: dialect, digest: digest)
    }

    private func key(version: UInt8, scope: KeyScope, dialect: Dialect, digest: some Digesting) -> CacheKey {
        let word = dialect.word
        let count = KeyWriter.count(scope: scope, word: word)
        let start = writer.makeRoom(count)
        let canonical = writer.canonical
        var fields = KeyWriter(position: start)
        fields.put(byte: version)
        fields.put(scope.tenant)
        fields.put(scope.namespace)
        fields.put(word)
        fields.put(scope.query)
        fields.put(UInt32(truncatingIfNeeded: scope.headers.count))
        for header in scope.headers {
            fields.put(header.name)
            fields.put(header.value)
        }
        fields.put(UInt32(truncatingIfNeeded: canonical.count))
        precondition(fields.position == start + count, "RequestReader: the fields of a key outgrew their room")
        return digest.sha256(UnsafeRawBufferPointer(start: start, count: count + canonical.count))
    }
}
