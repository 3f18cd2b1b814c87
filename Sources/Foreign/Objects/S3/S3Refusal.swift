import Core

/// What a store that speaks S3 says when it does not do what it was asked.
struct S3Refusal {
    /// 0 where it is not known.
    var status: Int
    /// Amazon's word, `NoSuchKey` for one; empty where none came, as after HEAD.
    var code: String
    /// For people.
    var message: String

    private static let longestText = 200

    /// Whether there is no such object, in a bucket that is there.
    var isAbsence: Bool { status == 404 && (code.isEmpty || code == "NoSuchKey") || code == "NoSuchKey" }

    func failure(of operation: String) -> ObjectFailure {
        var text = operation
        if status != 0 { text += ": \(status)" }
        if !code.isEmpty { text += (status == 0 ? ": " : " ") + S3Refusal.printable(code) }
        if !message.isEmpty { text += ": " + S3Refusal.printable(message) }
        return ObjectFailure(kind, text)
    }

    private var kind: ObjectFailure.Kind {
        switch code {
        case "AccessDenied", "AccountProblem", "AllAccessDisabled", "AuthorizationHeaderMalformed",
            "CredentialsNotSupported", "ExpiredToken", "InvalidAccessKeyId", "InvalidSecurity", "InvalidToken",
            "MissingSecurityHeader", "NotSignedUp", "RequestTimeTooSkewed", "SignatureDoesNotMatch",
            "TokenRefreshRequired", "UnauthorizedAccess":
            .denied
        case "EntityTooLarge", "MaxMessageLengthExceeded": .tooLarge
        case "SlowDown", "ServiceUnavailable", "Throttling", "TooManyRequests": .busy
        case "QuotaExceeded", "InsufficientStorage", "XMinioStorageFull": .full
        case "RequestTimeout": .deadline
        default: kindOfStatus
        }
    }

    private var kindOfStatus: ObjectFailure.Kind {
        switch status {
        case 401, 403: .denied
        case 408: .deadline
        case 413: .tooLarge
        case 429, 503: .busy
        case 507: .full
        case 0, 404, 500...599: .unavailable
        default: .malformed
        }
    }

    /// What came from outside goes into log lines: bounded, and on one line.
    private static func printable(_ text: String) -> String {
        let scalars = text.unicodeScalars.prefix(longestText).map { $0.value < 32 || $0.value == 127 ? " " : $0 }
        return String(String.UnicodeScalarView(scalars))
    }
}
