/// What a bucket's requests are signed with.
package struct BucketCredentials: Sendable, Equatable {
    package var accessKey: String
    package var secret: Secret
    /// For temporary credentials.
    package var sessionToken: Secret?

    package struct Missing: Error, Sendable, Equatable, CustomStringConvertible {
        package let description: String

        package init(_ description: String) { self.description = description }
    }

    package init(accessKey: String, secret: Secret, sessionToken: Secret? = nil) {
        self.accessKey = accessKey
        self.secret = secret
        self.sessionToken = sessionToken
    }

    /// Looks where other clients of S3 look: in a file that was named, in `AWS_ACCESS_KEY_ID`,
    /// `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`, then in the file that `AWS_SHARED_CREDENTIALS_FILE` names.
    ///
    /// - Parameters:
    ///   - file: a file to prefer to the environment.
    ///   - read: a file's text; throws in words why it cannot be read.
    package init(
        file: String?, environment: [String: String], read: (String) throws(Missing) -> String
    ) throws(Missing) {
        let profile = environment["AWS_PROFILE"] ?? "default"
        if let file {
            try self.init(file: file, text: try read(file), profile: profile)
        } else if let key = environment["AWS_ACCESS_KEY_ID"], !key.isEmpty {
            guard let secret = environment["AWS_SECRET_ACCESS_KEY"], !secret.isEmpty else {
                throw Missing("AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not")
            }
            try self.init(key, secret, environment["AWS_SESSION_TOKEN"], from: "the environment")
        } else if let file = environment["AWS_SHARED_CREDENTIALS_FILE"], !file.isEmpty {
            try self.init(file: file, text: try read(file), profile: profile)
        } else {
            throw Missing(
                "the bucket has no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a file with "
                    + "AWS_SHARED_CREDENTIALS_FILE or objects.credentialsFile")
        }
    }

    /// Reads a credentials file of the AWS clients: `[profile]`, then `name = value` lines, `#` or `;` before remarks.
    private init(file: String, text: String, profile: String) throws(Missing) {
        var values: [Substring: Substring] = [:]
        var isWanted = false
        for line in text.split(whereSeparator: \.isNewline) {
            let line = BucketCredentials.trimmed(line)
            if line.hasPrefix("[") && line.hasSuffix("]") {
                isWanted = BucketCredentials.trimmed(line.dropFirst().dropLast()) == profile
            } else if isWanted, !line.hasPrefix("#"), !line.hasPrefix(";") {
                let parts = line.split(separator: "=", maxSplits: 1)
                guard parts.count == 2 else { continue }
                values[BucketCredentials.trimmed(parts[0])] = BucketCredentials.trimmed(parts[1])
            }
        }
        guard let key = values["aws_access_key_id"], let secret = values["aws_secret_access_key"] else {
            throw Missing("\(file) has no aws_access_key_id and aws_secret_access_key under [\(profile)]")
        }
        try self.init(String(key), String(secret), values["aws_session_token"].map(String.init), from: file)
    }

    /// All three go into header lines.
    private init(_ key: String, _ secret: String, _ token: String?, from source: String) throws(Missing) {
        guard [key, secret, token ?? "x"].allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy { 33...126 ~= $0 } }) else {
            throw Missing("the credentials in \(source) hold spaces or characters that no credential has")
        }
        self.init(accessKey: key, secret: Secret(secret), sessionToken: token.map { Secret($0) })
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return text
    }
}
