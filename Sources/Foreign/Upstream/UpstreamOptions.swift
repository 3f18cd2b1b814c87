import Core

/// How one model server is reached.
package struct UpstreamOptions: Sendable {
    package var base: UpstreamBase
    /// Name resolution, TCP and TLS together.
    package var connectTimeout: Duration = .seconds(10)
    /// From the last byte of the request (while it is still being sent: from its last piece) to the response head.
    package var firstByteTimeout: Duration = .seconds(300)
    /// Between two pieces of the response body; not counted while the sink pauses the call.
    package var idleTimeout: Duration = .seconds(120)
    /// The whole call, pauses included; zero: no limit.
    package var totalTimeout: Duration = .zero
    /// PEM file of the authorities to trust; nil: the system's.
    package var caFile: String?
    package var verifiesTLS = true
    /// Offer HTTP/2 to `https` servers.
    package var http2 = true
    /// Connections open at once; calls beyond wait. Zero: no limit.
    package var maxConnections = 512
    /// Idle connections kept for the next call.
    package var maxIdleConnections = 64
    /// A connection unused for longer is not used again; below the 60 s after which common servers close theirs.
    package var maxIdleAge: Duration = .seconds(55)
    package var proxy: UpstreamProxy = .fromEnvironment
    /// Status line and headers of a response together.
    package var maxHeadBytes = 64 * 1024
    /// Signs every request; nil: none.
    var signing: CurlSigning?

    package init(base: UpstreamBase) { self.base = base }
}

package enum UpstreamProxy: Sendable, Equatable {
    /// `http_proxy`, `https_proxy`, `all_proxy` and `no_proxy`, as curl reads them.
    case fromEnvironment
    case none
    case url(String)
}

/// What one call took, for metrics.
package struct UpstreamObservation: Sendable {
    /// Nanoseconds from the start to the response head; nil if none came.
    package var timeToFirstByte: Int64?
    /// Nanoseconds from the start to the end.
    package var total: Int64
    package var status: Int?
    package var end: UpstreamEnd
    /// The request went over a connection that an earlier call had opened.
    package var reusedConnection: Bool
}

/// libcurl's AWS Signature Version 4.
///
/// It signs every header line it is given and trips over lines that take one away, so none of those is used; queries
/// must come sorted by name, and everything in the target strictly percent-encoded.
struct CurlSigning: Sendable {
    var region: String
    var service: String
    var user: String
    var password: Secret
}
