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
        (root == "/" ? "/" : root + "/") + PercentEncoding.encode(try key(name), keeping: "/")
    }

    /// The bucket itself; the parameters are sorted and encoded as signatures want them.
    func target(_ parameters: [(name: String, value: String)]) -> String {
        let query = parameters.sorted { $0.name < $1.name }.map { parameter in
            PercentEncoding.encode(parameter.name) + "=" + PercentEncoding.encode(parameter.value)
        }
        return root + "?" + query.joined(separator: "&")
    }
}
