import Core
import Dialects
import TestKit

/// Reads a body with a fresh reader; the canonical form, or why it was refused.
func canonical(
    _ body: String, _ dialect: Dialect = .chat, rules: RequestRules = RequestRules()
) -> Result<String, BypassReason> {
    canonical(Array(body.utf8), dialect, rules: rules)
}

func canonical(
    _ body: [UInt8], _ dialect: Dialect = .chat, rules: RequestRules = RequestRules()
) -> Result<String, BypassReason> {
    body.withUnsafeBytes { bytes in
        let reader = RequestReader(rules: rules)
        do throws(BypassReason) {
            _ = try reader.read(bytes, as: dialect)
            return .success(String(decoding: reader.canonical, as: UTF8.self))
        } catch {
            return .failure(error)
        }
    }
}

/// The canonical form of one value, which stands as a member of a body.
func canonicalValue(_ value: String) -> Result<String, BypassReason> {
    canonical(#"{"a":\#(value),"model":"m"}"#).map { text in
        String(text.dropFirst(#"{"a":"#.count).dropLast(#","model":"m"}"#.count))
    }
}

func facts(_ body: String, _ dialect: Dialect = .chat) throws(BypassReason) -> RequestFacts {
    try Bytes(body).withUnsafeBytes { bytes throws(BypassReason) in
        try RequestReader(rules: RequestRules()).read(bytes, as: dialect)
    }
}

/// The key of a body, nil where it is refused.
func key(
    _ body: [UInt8], scope: KeyScope = KeyScope(tenant: CacheKey(1, 2, 3, 4)), dialect: Dialect = .chat,
    reader: RequestReader = RequestReader(rules: RequestRules())
) -> CacheKey? {
    body.withUnsafeBytes { bytes in
        guard (try? reader.read(bytes, as: dialect)) != nil else { return nil }
        return reader.key(scope: scope, dialect: dialect, digest: MixingDigest())
    }
}
