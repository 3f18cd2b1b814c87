import CMicrohttpd
import Glibc

/// A client's connection and the moment by which something must have happened on it.
///
/// The library's own timeout restarts with every byte, so a client that trickles its header would hold a connection
/// for as long as it likes. Deadlines are counted in ticks of the server's timer: setting one is a store, and one
/// pass over all connections a tick finds those that are late.
final class HTTPConnection {
    static let never = UInt64.max

    let descriptor: CInt
    /// Where the server keeps it.
    var index = 0
    /// The tick after which the connection is cut.
    var deadline = HTTPConnection.never
    /// The exchange that is going on.
    var exchange: HTTPExchange?
    /// Between two exchanges: closing it loses nothing.
    var isIdle = true

    init(descriptor: CInt) { self.descriptor = descriptor }

    /// Ends the connection. The descriptor stays the library's, which sees the end of the stream and cleans up.
    func cut() {
        deadline = HTTPConnection.never
        shutdown(descriptor, CInt(SHUT_RDWR))
    }
}
