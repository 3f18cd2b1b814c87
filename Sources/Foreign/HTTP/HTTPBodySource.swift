import CMicrohttpd
import Core

/// An answer's body that is made while it is sent. Belongs to the loop's thread.
package protocol HTTPBodySource: AnyObject {
    /// Copies what is there. `.later` stops the asking until `HTTPExchange.wake`; `.broken` cuts the connection, so
    /// that the client sees a broken message and not a short one.
    func read(into target: UnsafeMutableRawBufferPointer) -> BodyRead

    /// Nobody asks any more; `isComplete` tells whether all of it was handed to the kernel.
    func ended(isComplete: Bool)
}

/// The library's side of a streamed answer.
final class HTTPResponseStream {
    /// Holds the stream until the exchange ends.
    private weak var exchange: HTTPExchange?
    let source: any HTTPBodySource
    private var hasLength = false

    /// What is copied in one go where the answer is not chunked.
    private static let blockSize = 16 * 1024

    init(exchange: HTTPExchange, source: any HTTPBodySource) {
        self.exchange = exchange
        self.source = source
    }

    func makeResponse(length: Int64?) -> HTTPResponse {
        // Released by `releaseContext` when the library drops the response.
        let context = Unmanaged.passRetained(self as AnyObject)
        hasLength = length != nil
        let size = length.map { UInt64(max(0, $0)) } ?? UInt64.max
        return HTTPResponse(
            raw: MHD_create_response_from_callback(
                size, HTTPResponseStream.blockSize,
                { context, _, target, capacity in
                    // The retained stream; `target` has room for `capacity` bytes.
                    let stream = Unmanaged<HTTPResponseStream>.fromOpaque(context!).takeUnretainedValue()
                    return stream.fill(UnsafeMutableRawBufferPointer(start: target, count: capacity))
                }, context.toOpaque(), releaseContext))
    }

    private static let endOfStream = -1
    private static let endWithError = -2

    private func fill(_ target: UnsafeMutableRawBufferPointer) -> Int {
        guard let exchange, !exchange.isAborted else { return HTTPResponseStream.endWithError }
        exchange.willRead()
        switch source.read(into: target) {
        case .bytes(let count) where count > 0: return min(count, target.count)
        case .bytes, .later:
            exchange.waitForSource()
            return 0
        case .end:
            // The library asks no further than a length that was promised, so this end comes before it.
            return hasLength ? HTTPResponseStream.endWithError : HTTPResponseStream.endOfStream
        case .broken: return HTTPResponseStream.endWithError
        }
    }
}
