/// An immutable run of bytes, allocated once and shared by reference count.
///
/// The body of a request, a chunk of a stream and the content of a cached entry are all `Bytes`: whoever
/// holds one may read it from any thread, and a socket may be handed its memory without a copy.
///
/// Sendable although it wraps raw memory: the memory is written only inside `init(capacity:fill:)`, before
/// any other thread can know the object, and never again; `ManagedBuffer` frees it with the last reference.
package struct Bytes: @unchecked Sendable {
    private let storage: ManagedBuffer<Int, UInt8>

    package static let empty = Bytes(capacity: 0) { _ in 0 }

    /// Allocates `capacity` bytes and lets `fill` write them; `fill` returns how many it wrote.
    package init<Failure: Error>(
        capacity: Int, fill: (UnsafeMutableRawBufferPointer) throws(Failure) -> Int
    ) throws(Failure) {
        storage = .create(minimumCapacity: capacity) { _ in 0 }
        // Typed throws does not reach through the buffer's own closure, so its base address is used directly;
        // `storage` outlives the call.
        let base = storage.withUnsafeMutablePointerToElements { UnsafeMutableRawPointer($0) }
        let written = try fill(UnsafeMutableRawBufferPointer(start: base, count: capacity))
        precondition(written >= 0 && written <= capacity, "Bytes: wrote outside its own memory")
        storage.header = written
    }

    package init(copying source: UnsafeRawBufferPointer) {
        self.init(capacity: source.count) { target in
            target.copyMemory(from: source)
            return source.count
        }
    }

    package init(_ array: [UInt8]) {
        self = array.withUnsafeBytes { Bytes(copying: $0) }
    }

    package init(_ text: String) {
        var text = text
        self = text.withUTF8 { Bytes(copying: UnsafeRawBufferPointer($0)) }
    }

    package var count: Int { storage.header }
    package var isEmpty: Bool { count == 0 }

    /// Lends the memory; the pointer must not leave the closure unless the caller also keeps `self`.
    @inline(__always)
    package func withUnsafeBytes<Result: ~Copyable, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let base = storage.withUnsafeMutablePointerToElements { UnsafeRawPointer($0) }
        defer { withExtendedLifetime(storage) {} }
        return try body(UnsafeRawBufferPointer(start: base, count: storage.header))
    }

    /// The object that keeps the memory alive, for C code that takes a pointer and a release callback.
    package var owner: AnyObject { storage }

    package var array: [UInt8] { withUnsafeBytes { [UInt8]($0) } }

    /// The bytes as text; ill-formed UTF-8 is replaced.
    package var text: String { withUnsafeBytes { String(decoding: $0, as: UTF8.self) } }
}

extension Bytes: Equatable {
    package static func == (a: Bytes, b: Bytes) -> Bool {
        guard a.count == b.count else { return false }
        return a.withUnsafeBytes { x in b.withUnsafeBytes { y in x.elementsEqual(y) } }
    }
}
