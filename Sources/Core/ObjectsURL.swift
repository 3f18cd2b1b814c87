/// Where the object tier keeps its objects: a directory or a bucket.
package enum ObjectsURL: Sendable, Equatable {
    /// An absolute path.
    case directory(String)
    case bucket(BucketURL)

    /// What is wrong with a URL. It quotes no part where somebody could have written credentials.
    package struct Invalid: Error, Sendable, Equatable, CustomStringConvertible {
        package let description: String

        init(_ description: String) { self.description = description }
    }

    /// Reads `file:///dir`, `s3://bucket/prefix?…` or `s3+v2://bucket/prefix?…`.
    package init(_ text: String) throws(Invalid) {
        guard let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")),
            text[colon...].hasPrefix("://"), text.utf8.allSatisfy({ $0 > 32 && $0 != 127 && $0 != 35 })
        else { throw Invalid("this is no URL: write file:///dir, s3://bucket or s3+v2://bucket") }
        let rest = text[text.index(colon, offsetBy: 3)...]
        switch text[..<colon].lowercased() {
        case "file": self = .directory(try ObjectsURL.path(rest))
        case "s3": self = .bucket(try BucketURL(rest, signature: .v4))
        case "s3+v2": self = .bucket(try BucketURL(rest, signature: .v2))
        default: throw Invalid("this is no kind of object store: file, s3 or s3+v2 is")
        }
    }

    private static func path(_ rest: Substring) throws(Invalid) -> String {
        guard rest.hasPrefix("/") else {
            throw Invalid("'file://\(rest)' names no absolute path: write file:///dir, with three slashes")
        }
        guard !rest.contains("?") else { throw Invalid("'file://\(rest)': a directory takes no parameters") }
        return try decode(rest)
    }

    /// Undoes percent-encoding (RFC 3986, 2.1).
    static func decode(_ text: Substring) throws(Invalid) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(Hex.value(of:)), let low = rest.popFirst().flatMap(Hex.value(of:))
            else { throw Invalid("a % has no two hexadecimal digits behind it") }
            bytes.append(high << 4 | low)
        }
        guard let decoded = String(validating: bytes, as: UTF8.self), !bytes.contains(0) else {
            throw Invalid("a part of it is not UTF-8, or holds a zero byte")
        }
        return decoded
    }
}

/// A bucket of an object store that speaks S3, and how it is reached.
package struct BucketURL: Sendable, Equatable {
    package enum Signature: String, Sendable {
        case v2, v4
    }

    /// Where the bucket's name stands.
    package enum Style: String, Sendable, CaseIterable {
        /// `https://endpoint/bucket/key`
        case path
        /// `https://bucket.endpoint/key`
        case virtual
    }

    package var signature: Signature
    package var bucket: String
    /// What all keys begin with, without the slash behind it; empty, or itself the name of an object.
    package var prefix: String
    /// Without a path.
    package var endpoint: UpstreamURL
    package var region: String
    package var style: Style
    /// PEM file of the authorities to trust; nil: the system's.
    package var caFile: String?
    /// nil: the environment says where credentials are.
    package var credentialsFile: String?
    /// Whether the server's certificate is checked.
    package var verifiesTLS: Bool

    private static let parameters = ["endpoint", "region", "style", "ca", "credentials", "verify"]
    private static let defaultRegion = "us-east-1"

    /// Reads what follows the scheme: `bucket/prefix?endpoint=…&region=…&style=path|virtual&ca=…&credentials=…&verify=off`.
    init(_ text: Substring, signature: Signature) throws(ObjectsURL.Invalid) {
        let parts = text.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let values = try BucketURL.values(parts.count > 1 ? parts[1] : "")
        let place = parts[0].split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        self.signature = signature
        bucket = try BucketURL.checkedBucket(String(place[0]))
        prefix = try BucketURL.checkedPrefix(place.count > 1 ? place[1] : "")
        region = values["region"] ?? BucketURL.defaultRegion
        guard !region.isEmpty, region.utf8.allSatisfy({ BucketURL.isNameByte($0) }) else {
            throw ObjectsURL.Invalid("'\(region)' is no region: letters, digits and '-' make one")
        }
        endpoint = try BucketURL.endpoint(values["endpoint"], signature: signature, region: region)
        style = values["endpoint"] == nil ? .virtual : .path
        if let word = values["style"] {
            guard let style = Style(rawValue: word) else {
                throw ObjectsURL.Invalid("'\(word)' is no style: path or virtual is")
            }
            self.style = style
        }
        caFile = values["ca"]
        credentialsFile = values["credentials"]
        guard values["verify"] == nil || values["verify"] == "off" else {
            throw ObjectsURL.Invalid("verify can be 'off' only; leave it out to check the server's certificate")
        }
        verifiesTLS = values["verify"] == nil
        try checkTogether()
    }

    /// What each part allows but not all of them together.
    private func checkTogether() throws(ObjectsURL.Invalid) {
        if style == .virtual {
            let isLabel = bucket.utf8.allSatisfy { $0 != 95 && !(65...90).contains($0) }
            guard isLabel, bucket.utf8.count >= 3, bucket.utf8.count <= 63, !(endpoint.isTLS && bucket.contains("."))
            else {
                throw ObjectsURL.Invalid("the bucket '\(bucket)' cannot be part of a host name: add style=path")
            }
        }
        guard signature == .v2 else { return }
        guard !prefix.contains(" "), !prefix.contains("%") else {
            throw ObjectsURL.Invalid("s3+v2 takes no prefix with spaces or %: libs3 cannot spell them in keys")
        }
        guard caFile == nil else {
            throw ObjectsURL.Invalid(
                "s3+v2 takes no ca: libs3 does not check certificates; use s3:// if the server can")
        }
        guard !endpoint.isTLS || !verifiesTLS else {
            throw ObjectsURL.Invalid(
                "s3+v2 over https does not check certificates: use s3://, or accept that with verify=off")
        }
    }

    private static func values(_ query: Substring) throws(ObjectsURL.Invalid) -> [String: String] {
        var values: [String: String] = [:]
        for pair in query.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(parts[0])
            guard parameters.contains(name) else {
                throw ObjectsURL.Invalid("'\(name)' is no parameter of a bucket: \(parameters.joined(separator: ", "))")
            }
            guard parts.count == 2, !parts[1].isEmpty else { throw ObjectsURL.Invalid("\(name) has no value") }
            guard values.updateValue(try ObjectsURL.decode(parts[1]), forKey: name) == nil else {
                throw ObjectsURL.Invalid("\(name) is given twice")
            }
        }
        return values
    }

    private static func endpoint(
        _ text: String?, signature: Signature, region: String
    ) throws(ObjectsURL.Invalid) -> UpstreamURL {
        guard let text else {
            guard signature == .v4 else { throw ObjectsURL.Invalid("s3+v2 wants an endpoint=http://host:port") }
            return amazon(region)
        }
        guard let url = UpstreamURL(text), url.path.isEmpty else {
            throw ObjectsURL.Invalid("this is no endpoint: write http://host:port or https://host:port")
        }
        return url
    }

    private static func amazon(_ region: String) -> UpstreamURL {
        UpstreamURL(isTLS: true, host: "s3.\(region).amazonaws.com", port: nil, path: "")
    }

    private static func checkedBucket(_ text: String) throws(ObjectsURL.Invalid) -> String {
        guard (1...255).contains(text.utf8.count), text.utf8.allSatisfy({ isNameByte($0) || $0 == 46 || $0 == 95 }),
            text.utf8.first != 46
        else { throw ObjectsURL.Invalid("this is no bucket: letters, digits, '-', '.' and '_' make one") }
        return text
    }

    private static func checkedPrefix(_ text: Substring) throws(ObjectsURL.Invalid) -> String {
        var text = text
        while text.hasSuffix("/") { text.removeLast() }
        let prefix = try ObjectsURL.decode(text)
        guard prefix.isEmpty || ObjectName(prefix) != nil else {
            throw ObjectsURL.Invalid("this is no prefix: segments are not empty and begin with no dot")
        }
        return prefix
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 48...57, 65...90, 97...122, 45: true
        default: false
        }
    }
}

extension ObjectsURL: CustomStringConvertible {
    /// Reads back as the same.
    package var description: String {
        switch self {
        case .directory(let path): "file://" + PercentEncoding.encode(path, keeping: "/")
        case .bucket(let url): url.description
        }
    }
}

extension BucketURL: CustomStringConvertible {
    /// Reads back as the same.
    package var description: String {
        let place = bucket + (prefix.isEmpty ? "" : "/" + PercentEncoding.encode(prefix, keeping: "/"))
        var parameters: [(name: String, value: String)] = []
        if signature == .v2 || style == .path || endpoint != BucketURL.amazon(region) {
            parameters.append(("endpoint", endpoint.description))
            if style == .virtual { parameters.append(("style", style.rawValue)) }
        }
        if region != BucketURL.defaultRegion { parameters.append(("region", region)) }
        if let caFile { parameters.append(("ca", caFile)) }
        if let credentialsFile { parameters.append(("credentials", credentialsFile)) }
        if !verifiesTLS { parameters.append(("verify", "off")) }
        let query = parameters.map { "\($0.name)=\(PercentEncoding.encode($0.value, keeping: "/:[]"))" }
        return (signature == .v4 ? "s3://" : "s3+v2://") + place
            + (query.isEmpty ? "" : "?" + query.joined(separator: "&"))
    }
}
