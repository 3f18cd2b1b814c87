import Core

/// How the objects of a bucket are spelled on the wire.
struct S3Place: Sendable {
    let url: BucketURL
    /// `scheme://host[:port]`, with the bucket where it is part of the host's name.
    let origin: String
    /// Before all keys and objects' names; empty, or ending with a slash.
    let keyPrefix: String
    private let root: String

    init(_ url: BucketURL) {
        self.url = url
        let scheme = url.endpoint.isTLS ? "https://" : "http://"
        let isVirtual = url.style == .virtual
        origin = scheme + (isVirtual ? url.bucket + "." : "") + url.endpoint.authority
        root = isVirtual ? "/" : "/" + url.bucket
        keyPrefix = url.prefix.isEmpty ? "" : url.prefix + "/"
    }

    /// The object's key in the bucket.
    func key(_ name: ObjectName) throws(ObjectFailure) -> String {
        let key = keyPrefix + name.text
        guard key.utf8.count <= ObjectName.longest else {
            throw ObjectFailure(.malformed, "the key of \(name) is longer than \(ObjectName.longest) bytes")
        }
        return key
    }

    /// The object whose key it is; nil where it is none of ours.
    func name(ofKey key: String) -> ObjectName? {
        key.hasPrefix(keyPrefix) ? ObjectName(String(key.dropFirst(keyPrefix.count))) : nil
    }

    func target(_ name: ObjectName) throws(ObjectFailure) -> String {
        (root == "/" ? "/" : root + "/") + S3Place.encode(try key(name), keepsSlashes: true)
    }

    /// The bucket itself; the parameters are sorted and encoded as signatures want them.
    func target(_ parameters: [(name: String, value: String)]) -> String {
        let query = parameters.sorted { $0.name < $1.name }.map { parameter in
            S3Place.encode(parameter.name) + "=" + S3Place.encode(parameter.value)
        }
        return root + "?" + query.joined(separator: "&")
    }

    /// Percent-encodes everything but RFC 3986's unreserved characters, in upper case, as the signing rules want it.
    static func encode(_ text: String, keepsSlashes: Bool = false) -> String {
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case 48...57, 65...90, 97...122, 45, 46, 95, 126: bytes.append(byte)
            case UInt8(ascii: "/") where keepsSlashes: bytes.append(byte)
            default:
                bytes.append(UInt8(ascii: "%"))
                bytes.append(upperHex(byte >> 4))
                bytes.append(upperHex(byte & 15))
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func upperHex(_ digit: UInt8) -> UInt8 { digit < 10 ? 48 + digit : 55 + digit }
}
