/// Percent-encoding (RFC 3986, 2.1).
package enum PercentEncoding {
    /// Encodes everything but the unreserved characters and those of `keeping`, which is ASCII, with digits in upper
    /// case, as the rules of signatures want it too.
    package static func encode(_ text: String, keeping: String = "") -> String {
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case 48...57, 65...90, 97...122, 45, 46, 95, 126: bytes.append(byte)
            case _ where keeping.utf8.contains(byte): bytes.append(byte)
            default: bytes += [UInt8(ascii: "%"), upperHex(byte >> 4), upperHex(byte & 15)]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func upperHex(_ digit: UInt8) -> UInt8 { digit < 10 ? 48 + digit : 55 + digit }
}
