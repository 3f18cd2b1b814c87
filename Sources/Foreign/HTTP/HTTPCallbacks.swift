import CMicrohttpd
import Glibc

/// The C functions that libmicrohttpd calls. Each finds its object and passes the call on.
///
/// The context is the server, unretained: the library is stopped before the server goes. A request's context is its
/// exchange, retained from the request line to `completed`. A connection's context is owned by the server.
enum HTTPCallbacks {
    static let log: MHD_LogCallback = { context, format, arguments in
        guard let format, let arguments else { return }
        let server = server(context)
        guard server.handler.wantsLog else { return }
        var line = [CChar](repeating: 0, count: 512)
        vsnprintf(&line, line.count, format, arguments)
        let text = line.withUnsafeBytes { String(decoding: $0.prefix { $0 != 0 && $0 != 10 }, as: UTF8.self) }
        server.handler.logged(text)
    }

    static let accept: MHD_AcceptPolicyCallback = { context, _, _ in
        server(context).mayAccept() ? .YES : .NO
    }

    static let connection: MHD_NotifyConnectionCallback = { context, raw, slot, event in
        guard let raw, let slot else { return }
        let server = server(context)
        if event == .CONNECTION_NOTIFY_STARTED {
            guard let info = refrain_mhd_connection_info(raw, .CONNECTION_INFO_CONNECTION_FD) else { return }
            slot.pointee = server.opened(info.pointee.connect_fd)
        } else if let connection = slot.pointee {
            server.closed(Unmanaged<HTTPConnection>.fromOpaque(connection).takeUnretainedValue())
            slot.pointee = nil
        }
    }

    typealias Target =
        @convention(c) (
            UnsafeMutableRawPointer?, UnsafePointer<CChar>?, OpaquePointer?
        ) -> UnsafeMutableRawPointer?

    static let target: Target = { context, text, raw in
        guard let text, let raw, let info = refrain_mhd_connection_info(raw, .CONNECTION_INFO_SOCKET_CONTEXT),
            let connection = info.pointee.socket_context
        else { return nil }
        let reference = server(context).makeExchange()
        reference._withUnsafeGuaranteedRef {
            $0.start(
                on: Unmanaged<HTTPConnection>.fromOpaque(connection).takeUnretainedValue(), raw: raw, target: text)
        }
        return reference.toOpaque()
    }

    typealias Unescape = @convention(c) (UnsafeMutableRawPointer?, OpaquePointer?, UnsafeMutablePointer<CChar>?) -> Int

    /// The target is read as it was written.
    static let unescape: Unescape = { _, _, text in text.map { strlen($0) } ?? 0 }

    static let access: MHD_AccessHandlerCallback = { _, _, _, method, version, bytes, count, slot in
        guard let context = slot?.pointee, let method, let version, let count else { return .NO }
        let exchange = Unmanaged<HTTPExchange>.fromOpaque(context)
        return exchange._withUnsafeGuaranteedRef { exchange in
            if exchange.phase == .head { return exchange.headArrived(method: method, version: version) }
            guard count.pointee > 0 else { return exchange.requestComplete() }
            let piece = UnsafeRawBufferPointer(start: bytes, count: count.pointee)
            guard let taken = exchange.bodyArrived(piece) else { return .NO }
            count.pointee -= taken
            return .YES
        }
    }

    static let completed: MHD_RequestCompletedCallback = { context, _, slot, reason in
        guard let slot, let exchange = slot.pointee else { return }
        slot.pointee = nil
        server(context).release(
            Unmanaged<HTTPExchange>.fromOpaque(exchange), isComplete: reason == .REQUEST_TERMINATED_COMPLETED_OK)
    }

    @inline(__always)
    private static func server(_ context: UnsafeMutableRawPointer?) -> HTTPServer {
        // Given at the start, never nil.
        Unmanaged<HTTPServer>.fromOpaque(context!).takeUnretainedValue()
    }
}
