/// Named blobs kept outside the process: a directory, or a bucket of an object store. Any call may fail at any time.
///
/// Deadlines are moments of the monotonic clock, in nanoseconds. A call returns by then, with `deadline` if need be, and
/// whatever it still does behind the caller's back has no effect but its own: a late `put` either happens or not.
package protocol ObjectStore: Sendable {
    /// The whole object, nil where there is none. Fails as `tooLarge` above `limit` bytes.
    func get(_ name: ObjectName, limit: Int, deadline: Int64) async throws(ObjectFailure) -> Bytes?

    /// Makes or replaces an object; readers see the old content or the new one, never a part.
    func put(_ name: ObjectName, _ content: Bytes, deadline: Int64) async throws(ObjectFailure)

    /// Whether there was one.
    @discardableResult
    func delete(_ name: ObjectName, deadline: Int64) async throws(ObjectFailure) -> Bool

    /// Objects whose name begins with `prefix`, in the store's own order, at most `limit` of them.
    ///
    /// - Parameter continuation: `ObjectPage.next` of the page before; nil for the first one.
    func list(
        prefix: String, continuation: String?, limit: Int, deadline: Int64
    ) async throws(ObjectFailure) -> ObjectPage
}

package struct ObjectPage: Sendable {
    package struct Item: Sendable, Equatable {
        package var name: ObjectName
        /// In bytes.
        package var size: Int64
        /// When it was written, or found last where the store keeps that; in milliseconds since 1970.
        package var modifiedAt: Int64

        package init(name: ObjectName, size: Int64, modifiedAt: Int64) {
            self.name = name
            self.size = size
            self.modifiedAt = modifiedAt
        }
    }

    package var items: [Item]
    /// Where to go on, nil after the last page.
    package var next: String?

    package init(items: [Item], next: String?) {
        self.items = items
        self.next = next
    }
}

/// A name that every store can take: segments joined by `/`, of which none is empty, begins with a dot or holds a
/// control character. So no name leads out of a directory, and names that begin with a dot are left to the stores.
package struct ObjectName: Hashable, Sendable, CustomStringConvertible {
    package let text: String

    /// In bytes, as S3 counts them.
    package static let longest = 1024
    package static let mostSegments = 8
    private static let longestSegment = 255

    package init?(_ text: String) {
        let segments = text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard text.utf8.count <= ObjectName.longest, segments.count <= ObjectName.mostSegments,
            segments.allSatisfy({ ObjectName.isSegment($0) })
        else { return nil }
        self.text = text
    }

    /// The place of an entry: `v1/ab/cdef…`, 256 folders that fill evenly because keys are digests.
    package init(entry key: CacheKey) {
        let hex = key.hex
        text = ObjectName.entries + hex.prefix(2) + "/" + hex.dropFirst(2)
    }

    /// What the names of all entries begin with; the number is that of this layout.
    package static let entries = "v1/"

    /// The key whose entry has this name, nil where it is no entry's name.
    package var entryKey: CacheKey? {
        guard text.hasPrefix(ObjectName.entries) else { return nil }
        let hex = String(text.dropFirst(ObjectName.entries.count)).filter { $0 != "/" }
        guard let key = CacheKey(hex: hex), ObjectName(entry: key) == self else { return nil }
        return key
    }

    package static func isSegment(_ bytes: some Collection<UInt8>) -> Bool {
        !bytes.isEmpty && bytes.count <= longestSegment && bytes.first != UInt8(ascii: ".")
            && bytes.allSatisfy { $0 >= 32 && $0 != 127 && $0 != UInt8(ascii: "/") }
    }

    package var description: String { text }
}

package struct ObjectFailure: Error, Sendable, Equatable {
    package enum Kind: String, Sendable, CaseIterable {
        case deadline
        /// Too many calls wait already.
        case busy
        /// Credentials or permissions do not allow it.
        case denied
        /// There is no room.
        case full
        case tooLarge = "too-large"
        /// The store cannot be reached.
        case unavailable
        /// The store answers in a way that cannot be right.
        case malformed
        /// Reading or writing failed.
        case broken
        case shutdown
    }

    package var kind: Kind
    /// For people. Without credentials.
    package var message: String

    package init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }
}
