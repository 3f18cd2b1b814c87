import CMicrohttpd
import Core
import Glibc

/// An answer's header lines and body, which may be sent any number of times.
///
/// The body is lent to the library, not copied: its owner is retained until the last byte has been handed to the
/// kernel and this object is gone. Belongs to the thread of the loop that sends it.
package final class HTTPResponse {
    let raw: OpaquePointer
    private var saysClose = false

    package convenience init(body: Bytes = .empty) {
        // `owner` keeps the memory alive for as long as the library holds it.
        let run = body.withUnsafeBytes { $0 }
        self.init(owner: body.owner, run)
    }

    /// A body in memory that `owner` keeps alive and unchanged.
    package convenience init(owner: AnyObject, _ body: UnsafeRawBufferPointer) {
        let context = Unmanaged.passRetained(owner)
        // The library only reads the buffer; its parameter lacks the const.
        let response = MHD_create_response_from_buffer_with_free_callback_cls(
            body.count, UnsafeMutableRawPointer(mutating: body.baseAddress), releaseContext, context.toOpaque())
        self.init(raw: response)
    }

    /// A body in two runs, sent one after the other.
    package convenience init(owner: AnyObject, _ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer) {
        let context = Unmanaged.passRetained(owner)
        var pieces = (
            MHD_IoVec(iov_base: first.baseAddress, iov_len: first.count),
            MHD_IoVec(iov_base: second.baseAddress, iov_len: second.count)
        )
        let response = withUnsafeBytes(of: &pieces) {
            MHD_create_response_from_iovec(
                $0.assumingMemoryBound(to: MHD_IoVec.self).baseAddress, 2, releaseContext, context.toOpaque())
        }
        self.init(raw: response)
    }

    /// For an answer that ends with its head, but tells how long a body would be. Whoever sends a body with it breaks
    /// the connection.
    package convenience init(announcing length: Int64) {
        let size = UInt64(max(0, length))
        self.init(raw: MHD_create_response_from_callback(size, 1024, { _, _, _, _ in -2 }, nil, nil))
    }

    init(raw: OpaquePointer?) {
        // The library refuses to make a response only when memory is out, which Swift does not survive either.
        self.raw = raw!
    }

    deinit { MHD_destroy_response(raw) }

    /// Adds a header line. Lines that HTTP forbids (line breaks, an empty value) and `Content-Length` and
    /// `Transfer-Encoding`, which belong to the server, are left out; false says so.
    @discardableResult
    package func add(_ name: String, _ value: String) -> Bool {
        name.withCString { name in value.withCString { add(name, $0) } }
    }

    @discardableResult
    package func add(_ name: StaticString, _ value: StaticString) -> Bool {
        add(
            UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self),
            UnsafeRawPointer(value.utf8Start).assumingMemoryBound(to: CChar.self))
    }

    /// As above, from memory that ends in a zero byte.
    @discardableResult
    package func add(_ name: StaticString, _ value: UnsafePointer<CChar>) -> Bool {
        add(UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self), value)
    }

    @discardableResult
    package func add(_ name: UnsafePointer<CChar>, _ value: UnsafePointer<CChar>) -> Bool {
        MHD_add_response_header(raw, name, value) == .YES
    }

    /// Adds lines kept as C strings, name and value in turn, such as `Entry.headerStrings`.
    package func add(lines: UnsafeRawBufferPointer) {
        guard let start = lines.baseAddress else { return }
        var position = start.assumingMemoryBound(to: CChar.self)
        let end = position + lines.count
        while position < end {
            let value = position + strlen(position) + 1
            guard value < end else { return }
            add(position, value)
            position = value + strlen(value) + 1
        }
    }

    /// Makes the connection end with this answer, each time it is sent from now on.
    package func close() {
        guard !saysClose else { return }
        saysClose = true
        MHD_add_response_header(raw, "Connection", "close")
    }
}

/// Ends the library's hold on the object that a response was given as its context.
let releaseContext: MHD_ContentReaderFreeCallback = { context in
    // Always given together with a retained object.
    Unmanaged<AnyObject>.fromOpaque(context!).release()
}
