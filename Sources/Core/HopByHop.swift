/// Which header lines go on to the next connection, for both directions of an upstream call.
package enum HopByHop {
    /// Names that concern one connection only (RFC 9110, 7.6.1, and the proxy's own).
    private static let names = [
        "connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "proxy-authenticate",
        "proxy-authorization", "proxy-authentication-info", "proxy-connection",
    ]

    /// Leaves out the lines that concern one connection only, and those that `Connection` names.
    package static func removed(from fields: [HeaderField]) -> [HeaderField] {
        var named: [String] = []
        for field in fields where field.isNamed("connection") {
            for name in field.value.utf8.split(separator: UInt8(ascii: ",")) {
                named.append(String(decoding: name.filter { $0 != 0x20 && $0 != 0x09 }, as: UTF8.self))
            }
        }
        return fields.filter { !isOne($0) && !named.contains(where: $0.isNamed) }
    }

    private static func isOne(_ field: HeaderField) -> Bool {
        // The length alone settles it for most lines.
        lengths >> UInt64(min(field.name.utf8.count, 63)) & 1 == 1 && names.contains(where: field.isNamed)
    }

    private static let lengths = names.reduce(UInt64(0)) { $0 | 1 << UInt64($1.utf8.count) }
}
