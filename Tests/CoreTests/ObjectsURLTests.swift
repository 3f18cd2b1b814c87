import Core
import Testing

struct ObjectsURLTests {
    @Test(arguments: [
        ("file:///var/lib/refrain", "/var/lib/refrain"), ("FILE:///a%20b/%C3%BC", "/a b/ü"), ("file:///", "/"),
    ])
    func directories(text: String, path: String) throws {
        #expect(try ObjectsURL(text) == .directory(path))
    }

    private func bucket(_ text: String) throws -> BucketURL {
        guard case .bucket(let url) = try ObjectsURL(text) else { throw NoBucket() }
        return url
    }

    private struct NoBucket: Error {}

    @Test func aBucketAtAmazonNeedsItsNameOnly() throws {
        let url = try bucket("s3://answers")
        #expect(url.signature == .v4)
        #expect(url.bucket == "answers" && url.prefix == "" && url.region == "us-east-1")
        #expect(url.endpoint.description == "https://s3.us-east-1.amazonaws.com")
        #expect(url.style == .virtual && url.verifiesTLS && url.caFile == nil && url.credentialsFile == nil)
        #expect(try bucket("s3://answers?region=eu-west-3").endpoint.host == "s3.eu-west-3.amazonaws.com")
    }

    @Test func everyPartCanBeTold() throws {
        let url = try bucket(
            "s3://my.Bucket_1/team%20a/x/?endpoint=https://minio:9000&region=here&style=path&ca=/etc/ca.pem"
                + "&credentials=/etc/%2Bkeys")
        #expect(url.bucket == "my.Bucket_1" && url.prefix == "team a/x" && url.region == "here")
        #expect(url.endpoint.description == "https://minio:9000")
        #expect(url.style == .path && url.caFile == "/etc/ca.pem" && url.credentialsFile == "/etc/+keys")
        #expect(try bucket("s3://b?endpoint=http://h").style == .path)
        #expect(try bucket("s3+v2://b?endpoint=http://h").signature == .v2)
        #expect(try bucket("s3+v2://b?endpoint=https://h&verify=off").verifiesTLS == false)
    }

    @Test(arguments: [
        ("", "is no URL"), ("/var/lib", "is no URL"), ("file://lib", "three slashes"),
        ("file:///a?b=c", "no parameters"),
        ("file:///a%0", "two hexadecimal"), ("file:///%FF", "UTF-8"), ("gs://bucket", "no kind"),
        ("s3://", "no bucket"),
        ("s3://b c", "is no URL"), ("s3:///prefix", "no bucket"), ("s3://bucket/a//b", "no prefix"),
        ("s3://bucket/../b", "no prefix"), ("s3://bucket?endpont=http://h", "no parameter"),
        ("s3://bucket?style=host", "no style"), ("s3://bucket?region=", "no value"),
        ("s3://bucket?region=a/b", "no region"),
        ("s3://bucket?region=a&region=b", "twice"), ("s3://bucket?endpoint=minio:9000", "no endpoint"),
        ("s3://bucket?endpoint=http://h/path", "no endpoint"), ("s3://bucket?verify=no", "'off' only"),
        ("s3://Bucket", "style=path"), ("s3://a.b", "style=path"), ("s3+v2://bucket", "endpoint="),
        ("s3+v2://bucket?endpoint=https://h", "verify=off"), ("s3+v2://bucket?endpoint=http://h&ca=/a", "no ca"),
        ("s3+v2://bucket/a%20b?endpoint=http://h", "no prefix with spaces"),
    ])
    func whatCannotBeUsedIsRefusedInWords(text: String, words: String) {
        let failure = #expect(throws: ObjectsURL.Invalid.self) { try ObjectsURL(text) }
        #expect(failure?.description.contains(words) == true, "\(failure?.description ?? "")")
    }

    @Test(arguments: [
        "file:///var/lib/refrain", "file:///", "file:///a%20b/%C3%BC%25", "s3://answers",
        "s3://answers?region=eu-west-3",
        "s3://answers/a?ca=/a%26b", "s3://my.Bucket_1/team%20a/x?endpoint=https://minio:9000&region=here",
        "s3://answers?endpoint=https://h&style=virtual", "s3://b?endpoint=http://[::1]:9000",
        "s3://answers?endpoint=https://s3.us-east-1.amazonaws.com", "s3+v2://b?endpoint=http://h",
        "s3+v2://b?endpoint=https://h&credentials=/etc/%2Bkeys&verify=off",
    ])
    func printedTheyReadBackAsThemselves(text: String) throws {
        let url = try ObjectsURL(text)
        #expect(try ObjectsURL(url.description) == url)
        #expect(url.description == text)
    }

    private static let file = """
        # a remark
        [default]
        aws_access_key_id = KEY
        aws_secret_access_key=se=cret

        [ other ]
          aws_access_key_id = OTHER
        aws_secret_access_key = secret2
        aws_session_token = token
        """

    private func credentials(
        file: String? = nil, _ environment: [String: String]
    ) throws(BucketCredentials.Missing) -> BucketCredentials {
        try BucketCredentials(file: file, environment: environment) { path throws(BucketCredentials.Missing) in
            path == "/keys" ? ObjectsURLTests.file : "[default]\naws_access_key_id = half"
        }
    }

    @Test func credentialsAreFoundWhereOtherClientsFindThem() throws {
        let inFile = BucketCredentials(accessKey: "KEY", secret: Secret("se=cret"))
        let other = BucketCredentials(accessKey: "OTHER", secret: Secret("secret2"), sessionToken: Secret("token"))
        let environment = ["AWS_ACCESS_KEY_ID": "E", "AWS_SECRET_ACCESS_KEY": "S", "AWS_SESSION_TOKEN": "T"]
        let inEnvironment = BucketCredentials(accessKey: "E", secret: Secret("S"), sessionToken: Secret("T"))
        #expect(try credentials(environment) == inEnvironment)
        #expect(try credentials(file: "/keys", environment) == inFile)
        #expect(try credentials(file: "/keys", ["AWS_PROFILE": "other"]) == other)
        #expect(try credentials(["AWS_SHARED_CREDENTIALS_FILE": "/keys"]) == inFile)
    }

    @Test(
        arguments: [
            ([:], "set AWS_ACCESS_KEY_ID"), (["AWS_ACCESS_KEY_ID": "K"], "AWS_SECRET_ACCESS_KEY is not"),
            (["AWS_SHARED_CREDENTIALS_FILE": "/half"], "/half has no"),
            (["AWS_SHARED_CREDENTIALS_FILE": "/keys", "AWS_PROFILE": "nobody"], "under [nobody]"),
            (["AWS_ACCESS_KEY_ID": "K", "AWS_SECRET_ACCESS_KEY": "a\nb"], "no credential has"),
        ] as [([String: String], String)])
    func missingCredentialsAreNamed(environment: [String: String], words: String) {
        let failure = #expect(throws: BucketCredentials.Missing.self) { try credentials(environment) }
        #expect(failure?.description.contains(words) == true, "\(failure?.description ?? "")")
    }
}
