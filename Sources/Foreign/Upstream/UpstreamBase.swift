import Core

/// The address of a model server as the operator wrote it, and how clients' paths are put onto it.
///
/// 1. A base without a path (`https://api.deepseek.com`) takes every path as it is, except that the five endpoints
///    may be spelled without `/v1`, which is then added.
/// 2. A base with a path (`…/v1`, `…/openai/v1`, `…/beta`) stands in the place of `/v1`: a leading `/v1` of the
///    client's path is dropped, the rest is appended.
/// 3. Anthropic's clients append `/v1/messages` to whatever base they are given (`…/anthropic`). So under a base whose
///    path does not end in `/v1`, `/v1/messages` and what is below it keeps its `/v1`, and `/messages` gets it.
///
/// Nothing else of the target is touched: not its query, escapes, dots, doubled or trailing slashes. Bytes above
/// ASCII, which no valid target has, are sent percent-encoded.
package struct UpstreamBase: Sendable, Equatable {
    /// `scheme://host[:port]`.
    package let origin: String
    /// Empty, or a path with a leading and without a trailing slash.
    package let prefix: String
    private let isVerbatim: Bool

    package var isSecure: Bool { origin.hasPrefix("https:") }

    package init(_ url: UpstreamURL) {
        origin = (url.isTLS ? "https://" : "http://") + url.authority
        prefix = url.path
        isVerbatim = false
    }

    /// A server to which the rules above do not apply: targets are appended as they are.
    package init(verbatim origin: String) {
        self.origin = origin
        prefix = ""
        isVerbatim = true
    }

    /// The full URL for a client's target; nil if the target is not a path that fits on a request line.
    package func url(for target: String) -> String? {
        guard target.utf8.first == UInt8(ascii: "/"),
            target.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "#") })
        else { return nil }
        guard !isVerbatim else { return origin + target }
        let path = target.utf8.prefix { $0 != UInt8(ascii: "?") }
        if prefix.isEmpty {
            let isShort = !UpstreamBase.isBelow("/v1", path) && Dialect(path: String(Substring(path))) != nil
            return isShort ? origin + "/v1" + target : origin + target
        }
        if !prefix.hasSuffix("/v1") {
            if UpstreamBase.isBelow("/v1/messages", path) { return origin + prefix + target }
            if UpstreamBase.isBelow("/messages", path) { return origin + prefix + "/v1" + target }
        }
        guard UpstreamBase.isBelow("/v1", path) else { return origin + prefix + target }
        return origin + prefix + target.dropFirst("/v1".count)
    }

    private static func isBelow(_ root: String, _ path: Substring.UTF8View) -> Bool {
        guard path.starts(with: root.utf8) else { return false }
        let next = path.dropFirst(root.utf8.count).first
        return next == nil || next == UInt8(ascii: "/")
    }
}
