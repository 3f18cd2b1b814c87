/// A cached answer: immutable, in one allocation, readable from any thread.
///
/// The fixed fields are its `Facts`; behind them in the same allocation stand the kept headers, the labels and
/// the content in one or both forms. One allocation per entry keeps the overhead of a small answer small, and
/// lets a socket be handed the content without a copy (`owner` keeps it alive).
package struct Entry: @unchecked Sendable {
    // Sendable for the same reason as `Bytes`: written only in `init`, before anyone else can hold it.
    private let storage: ManagedBuffer<Layout, UInt8>

    /// The fixed-size facts of an answer.
    package struct Facts: Sendable, Equatable {
        /// When the upstream finished the answer, in milliseconds since 1970.
        package var createdAt: Int64
        /// How long it is fresh, in milliseconds.
        package var ttl: Int64
        /// The generation of the groups it belongs to when it was asked for; purges raise it.
        package var generation: UInt64 = 0
        /// The first eight bytes of the tenant, enough to purge by tenant.
        package var tenant: UInt64 = 0
        /// -1 where the upstream did not say.
        package var promptTokens: Int32 = -1
        package var completionTokens: Int32 = -1
        package var status: UInt16 = 200
        package var dialect: Dialect
        /// The form in which the upstream sent it; the other one, where present, was derived.
        package var origin: Form
        /// Whether the provider keeps the answer under its id (`store` of the Responses API).
        package var storedUpstream: Bool = false
        /// Within the stream, where the chunk stands that reports usage: clients that did not ask for it are
        /// sent everything around it. Both 0 where there is none.
        package var usageStart: UInt32 = 0
        package var usageEnd: UInt32 = 0

        package init(createdAt: Int64, ttl: Int64, dialect: Dialect, origin: Form) {
            self.createdAt = createdAt
            self.ttl = ttl
            self.dialect = dialect
            self.origin = origin
        }

        /// Of prompt and answer, nil where the upstream did not say.
        package var totalTokens: Int? {
            promptTokens < 0 && completionTokens < 0 ? nil : Int(max(promptTokens, 0)) + Int(max(completionTokens, 0))
        }

        package var expiresAt: Int64 { createdAt.addingReportingOverflow(ttl).partialValue }
    }

    private struct Layout {
        var facts: Facts
        var headersEnd: UInt32
        var labelsEnd: UInt32
        var wholeEnd: UInt32
        var streamEnd: UInt32
        var hasWhole: Bool
        var hasStream: Bool
    }

    /// `whole` and `stream` are copied; at least one must be given.
    package init(
        facts: Facts, headers: [HeaderField] = [], model: String = "", namespace: String = "", tags: [String] = [],
        whole: Bytes?, stream: Bytes?
    ) {
        precondition(whole != nil || stream != nil, "Entry: an answer has at least one form")
        // Header lines are kept as C strings, name then value, so that a C server can be lent them.
        var head: [UInt8] = []
        for field in headers {
            Entry.append(field.name, to: &head)
            Entry.append(field.value, to: &head)
        }
        let headersEnd = head.count
        for label in [model, namespace] + tags {
            Entry.append(label, to: &head)
        }
        let wholeCount = whole?.count ?? 0
        let streamCount = stream?.count ?? 0
        let total = head.count + wholeCount + streamCount
        let layout = Layout(
            facts: facts, headersEnd: UInt32(headersEnd), labelsEnd: UInt32(head.count),
            wholeEnd: UInt32(head.count + wholeCount), streamEnd: UInt32(total), hasWhole: whole != nil,
            hasStream: stream != nil)
        storage = .create(minimumCapacity: total) { _ in layout }
        storage.withUnsafeMutablePointerToElements { base in
            let target = UnsafeMutableRawBufferPointer(start: base, count: total)
            head.withUnsafeBytes { target.copyMemory(from: $0) }
            whole?.withUnsafeBytes {
                UnsafeMutableRawBufferPointer(rebasing: target[head.count...]).copyMemory(from: $0)
            }
            stream?.withUnsafeBytes {
                UnsafeMutableRawBufferPointer(rebasing: target[(head.count + wholeCount)...]).copyMemory(from: $0)
            }
        }
    }

    package var facts: Facts { storage.header.facts }

    /// The object that keeps the content alive, for C code that takes a pointer and a release callback.
    package var owner: AnyObject { storage }

    /// Whether two values are the same allocation.
    package func isIdentical(to other: Entry) -> Bool { storage === other.storage }

    package func has(_ form: Form) -> Bool {
        form == .whole ? storage.header.hasWhole : storage.header.hasStream
    }

    /// The content in one form, nil where it is not held. The memory is valid while `owner` is.
    package func content(_ form: Form) -> UnsafeRawBufferPointer? {
        guard has(form) else { return nil }
        let layout = storage.header
        return form == .whole
            ? slice(Int(layout.labelsEnd), Int(layout.wholeEnd)) : slice(Int(layout.wholeEnd), Int(layout.streamEnd))
    }

    /// The kept header lines as C strings, name and value in turn. The memory is valid while `owner` is.
    package var headerStrings: UnsafeRawBufferPointer { slice(0, Int(storage.header.headersEnd)) }

    package var headers: [HeaderField] {
        let strings = Entry.strings(in: headerStrings)
        return stride(from: 0, to: strings.count, by: 2).map { HeaderField(strings[$0], strings[$0 + 1]) }
    }

    package var model: String { labels[0] }
    package var namespace: String { labels[1] }
    package var tags: [String] { Array(labels.dropFirst(2)) }

    /// What it costs to hold it: the object, its content and the allocator's rounding.
    package var byteCount: Int {
        let content = Int(storage.header.streamEnd)
        return (Entry.objectOverhead + content + 15) & ~15
    }

    /// The object header, the layout and the allocator's word before each block.
    private static let objectOverhead = 16 + MemoryLayout<Layout>.stride + 8

    private var labels: [String] {
        Entry.strings(in: slice(Int(storage.header.headersEnd), Int(storage.header.labelsEnd)))
    }

    /// Leaves out zeros, which would make two strings of one and so shift those behind it.
    private static func append(_ text: String, to head: inout [UInt8]) {
        if text.utf8.contains(0) {
            head.append(contentsOf: text.utf8.filter { $0 != 0 })
        } else {
            head.append(contentsOf: text.utf8)
        }
        head.append(0)
    }

    private func slice(_ start: Int, _ end: Int) -> UnsafeRawBufferPointer {
        let base = storage.withUnsafeMutablePointerToElements { UnsafeRawPointer($0) }
        return UnsafeRawBufferPointer(start: base + start, count: end - start)
    }

    private static func strings(in bytes: UnsafeRawBufferPointer) -> [String] {
        bytes.split(separator: 0, omittingEmptySubsequences: false).dropLast().map {
            String(decoding: $0, as: UTF8.self)
        }
    }
}
