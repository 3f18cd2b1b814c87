import Core

/// How one HTTP server listens and what it puts up with. Times are in nanoseconds, sizes in bytes.
package struct HTTPServerOptions: Sendable {
    /// A numeric IPv4 or IPv6 address.
    package var address = "127.0.0.1"
    /// 0 lets the system choose; `HTTPServer.boundPort` tells which.
    package var port: UInt16 = 0
    /// Several servers, one per worker, share the port and the kernel spreads connections over them.
    package var reusePort = false
    /// With `reusePort`, the first of those that share the port: refuses to start where anybody else listens already.
    package var claimsPort = false
    /// Connections the kernel holds that were not accepted yet.
    package var backlog: Int32 = 1024
    /// More than this many connections at once are closed as they arrive.
    package var connectionLimit = 10_000
    /// The request line and all header lines together.
    package var headLimit = 8 * 1024
    /// From the end of one exchange to the next request line.
    package var idleTimeout: Int64 = 75_000_000_000
    /// From the connection, or from the request line, to the end of the header, however it trickles.
    package var headTimeout: Int64 = 10_000_000_000
    /// Without a byte of a body that is still to come.
    package var bodyTimeout: Int64 = 30_000_000_000
    /// Without a byte of an answer taken by the client; whole seconds, at least one.
    package var sendTimeout: Int64 = 60_000_000_000

    /// What the bodies of all connections may hold together, beyond 64 KiB each; shared between servers. nil: no bound.
    package var bodyBudget: ByteBudget?

    /// An answer's status line and header lines together; with a longer head the connection breaks.
    package static let answerHeadLimit = 16 * 1024

    package init() {}
}

package struct HTTPServerError: Error, CustomStringConvertible {
    package let description: String
    init(_ description: String) { self.description = description }
}
