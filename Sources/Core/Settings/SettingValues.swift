/// A number of bytes, so that no signature leaves the unit open.
package struct ByteCount: Hashable, Sendable, Comparable {
    package var bytes: Int

    package init(bytes: Int) { self.bytes = bytes }

    package static func kibibytes(_ count: Int) -> ByteCount { ByteCount(bytes: count << 10) }
    package static func mebibytes(_ count: Int) -> ByteCount { ByteCount(bytes: count << 20) }
    package static func gibibytes(_ count: Int) -> ByteCount { ByteCount(bytes: count << 30) }

    package static func < (a: ByteCount, b: ByteCount) -> Bool { a.bytes < b.bytes }
}

/// A host name or address literal, and a port. Port 0 lets the system choose.
package struct NetworkAddress: Hashable, Sendable, CustomStringConvertible {
    /// Without the brackets of an IPv6 literal.
    package var host: String
    package var port: UInt16

    package init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    /// Reads `host:port` or `[ipv6]:port`.
    package init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        var host = text[..<colon]
        let digits = text[text.index(after: colon)...]
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (48...57).contains($0) }), let port = UInt16(digits) else {
            return nil
        }
        if host.hasPrefix("[") && host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        guard !host.isEmpty, host.utf8.allSatisfy({ NetworkAddress.isHostByte($0) }) else { return nil }
        self.init(host: String(host), port: port)
    }

    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// Letters, digits, and the marks of names and address literals.
    package static func isHostByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 48...58, 65...90, 97...122, 45, 46, 95, 37: true
        default: false
        }
    }
}

/// A text that must not be seen: it prints as stars wherever it is interpolated, dumped or mirrored.
package struct Secret: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The text itself, for the one place that uses it.
    package let revealed: String

    package init(_ text: String) { revealed = text }

    package var isEmpty: Bool { revealed.isEmpty }
    package var description: String { isEmpty ? "" : Secret.mask }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }

    package static let mask = "***"
}

/// Where an upstream is: `http` or `https`, a host, an optional port and an optional path before every target.
package struct UpstreamURL: Hashable, Sendable, CustomStringConvertible {
    package var isTLS: Bool
    /// As written, brackets of an IPv6 literal included.
    package var host: String
    /// nil: the scheme's own.
    package var port: UInt16?
    /// Empty, or starting with a slash and not ending with one.
    package var path: String

    /// The value of an upstream whose URL was not given yet; never passes the table's check.
    package static let unset = UpstreamURL(isTLS: false, host: "", port: nil, path: "")

    package init(isTLS: Bool, host: String, port: UInt16?, path: String) {
        self.isTLS = isTLS
        self.host = host
        self.port = port
        self.path = path
    }

    /// Reads an absolute URL without credentials, query and fragment.
    package init?(_ text: String) {
        let lowered = text.prefix(8).lowercased()
        guard lowered.hasPrefix("http://") || lowered == "https://" else { return nil }
        let isTLS = lowered == "https://"
        let rest = text.dropFirst(isTLS ? 8 : 7)
        // Printable ASCII only: what a request line could not carry is refused here, not at the first request.
        guard rest.utf8.allSatisfy({ $0 > 32 && $0 < 127 && $0 != 63 && $0 != 35 && $0 != 64 && $0 != 92 }) else {
            return nil
        }
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        var path = rest[slash...]
        while path.hasSuffix("/") { path = path.dropLast() }
        var authority = rest[..<slash]
        var port: UInt16?
        if let colon = authority.lastIndex(of: ":"), !authority.hasSuffix("]") {
            guard let number = UInt16(authority[authority.index(after: colon)...]), number > 0 else { return nil }
            port = number
            authority = authority[..<colon]
        }
        let isLiteral = authority.hasPrefix("[") && authority.hasSuffix("]")
        let name = isLiteral ? authority.dropFirst().dropLast() : authority
        guard !name.isEmpty, isLiteral == name.contains(":"), name.utf8.allSatisfy({ NetworkAddress.isHostByte($0) })
        else { return nil }
        self.init(isTLS: isTLS, host: String(authority), port: port, path: String(path))
    }

    /// The host, with the port where one was written: the value of `Host`.
    package var authority: String { port.map { "\(host):\($0)" } ?? host }
    package var description: String { (isTLS ? "https://" : "http://") + authority + path }
}

extension Duration {
    /// Whole nanoseconds; durations of settings lie far inside the range.
    package var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds &* Duration64.nanosecondsPerSecond &+ attoseconds / 1_000_000_000
    }

    /// Whole milliseconds, rounded down.
    package var milliseconds: Int64 { nanoseconds / Duration64.nanosecondsPerMillisecond }
}
