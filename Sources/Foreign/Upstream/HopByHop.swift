import Core

/// Which header lines go on to the next connection, for both directions of an upstream call.
enum HopByHop {
    /// Names that concern one connection only (RFC 9110, 7.6.1, and the proxy's own).
    private static let names = [
        "connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "proxy-authenticate",
        "proxy-authorization", "proxy-authentication-info", "proxy-connection",
    ]

    /// Leaves out the lines that concern one connection only, and those that `Connection` names.
    static func removed(from fields: [HeaderField]) -> [HeaderField] {
        let named = fields.filter { $0.isNamed("Connection") }.flatMap { field in
            field.value.split(separator: ",").map { $0.filter { $0 != " " && $0 != "\t" } }
        }
        return fields.filter { field in
            !names.contains(where: field.isNamed) && !named.contains(where: field.isNamed)
        }
    }
}
