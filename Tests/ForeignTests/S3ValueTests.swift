import Core
import Testing

@testable import Foreign

struct S3ValueTests {
    @Test(arguments: [
        ("", ""), ("aZ09-._~", "aZ09-._~"), ("a b", "a%20b"), ("+=&~%/?", "%2B%3D%26~%25%2F%3F"), ("ü", "%C3%BC"),
    ])
    func everythingButUnreservedCharactersIsEncoded(text: String, encoded: String) {
        #expect(PercentEncoding.encode(text) == encoded)
    }

    @Test(arguments: [
        ("s3://b/p%20q?endpoint=http://h:1", "http://h:1", "/b/p%20q/v1/x%2By", "/b?a=%2F&z="),
        ("s3://bucket?endpoint=https://h&style=virtual", "https://bucket.h", "/v1/x%2By", "/?a=%2F&z="),
    ])
    func placesAreSpelledInBothStyles(text: String, origin: String, object: String, list: String) throws {
        let place = S3Place(try bucketURL(text))
        #expect(place.origin == origin)
        #expect(try place.target(DirectoryFixture.name("v1/x+y")) == object)
        #expect(place.target([(name: "z", value: ""), (name: "a", value: "/")]) == list)
    }

    @Test func keysThatAreTooLongAreRefused() throws {
        let place = S3Place(try bucketURL("s3://bucket/" + String(repeating: "p", count: 200)))
        let long = Array(repeating: String(repeating: "x", count: 206), count: 4).joined(separator: "/")
        let failure = #expect(throws: ObjectFailure.self) { try place.key(DirectoryFixture.name(long)) }
        #expect(failure?.kind == .malformed)
    }

    @Test(arguments: ["a", "a b", "a%20b", "100%", "%25", "%2520", " %", "ü +"])
    func spacesAreEscapedForLibs3(text: String) {
        let key = S3V2Spelling.escape(text)
        #expect(!key.contains(" "))
        #expect(S3V2Spelling.unescape(key) == text)
    }

    @Test(arguments: ["%", "a%2", "%41", "a b"])
    func keysOfOthersAreNoEscapes(key: String) {
        #expect(S3V2Spelling.unescape(key) == nil)
    }

    @Test(arguments: [
        ("1970-01-01T00:00:00Z", 0), ("2026-11-24T07:49:46.764Z", 1_795_506_586_764),
        ("2000-02-29T23:59:59.9Z", 951_868_799_900), ("2026-11-24T07:49:46.764999Z", 1_795_506_586_764),
        ("1969-12-31T23:59:59.000Z", -1_000),
    ])
    func timesAreRead(text: String, milliseconds: Int64) {
        #expect(InternetTime.milliseconds(text) == milliseconds)
    }

    @Test(arguments: [
        "", "2026-11-24", "2026-11-24T07:49:46", "2026-13-24T07:49:46Z", "2026-11-24T24:49:46Z",
        "2026-11-24T07:49:46.Z0",
        "2026-11-24T07:49:46+01:00Z", "2o26-11-24T07:49:46Z", "2026-11-24T07:49:46.123456789012Z",
    ])
    func otherTimesAreNot(text: String) {
        #expect(InternetTime.milliseconds(text) == nil)
    }

    @Test func listsAreReadWhole() {
        let document = """
            <?xml version="1.0" encoding="UTF-8"?>
            <ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name>
              <IsTruncated>true</IsTruncated><NextContinuationToken>a&amp;b</NextContinuationToken>
              <Contents><Key> a &lt;b&gt; &#xFC;</Key><LastModified>1970-01-01T00:00:01Z</LastModified><Size>7</Size>
              <Owner><ID>x</ID><Key>not this one</Key></Owner></Contents>
              <Contents><Key><![CDATA[c&d]]></Key><Size>0</Size></Contents>
            </ListBucketResult>
            """
        var expected = S3Document.Listing()
        expected.items = [
            S3Document.Listing.Item(key: " a <b> ü", size: 7, modifiedAt: 1000), S3Document.Listing.Item(key: "c&d"),
        ]
        expected.isTruncated = true
        expected.continuation = "a&b"
        #expect(S3Document.listing(Bytes(document), limit: 2) == expected)
        #expect(S3Document.listing(Bytes(document), limit: 1) == nil)
        for count in 0..<document.utf8.count {
            #expect(S3Document.listing(Bytes(Array(document.utf8.prefix(count))), limit: 2) == nil)
        }
    }

    @Test func documentsDoNotReachDeepOrOutside() {
        let deep = String(repeating: "<a>", count: 100_000)
        #expect(S3Document.refusal(Bytes(deep)) == ("", ""))
        let outside = "<!DOCTYPE Error SYSTEM \"file:///etc/hostname\"><Error><Code>x</Code></Error>"
        #expect(S3Document.refusal(Bytes(outside)) == ("", ""))
    }

    @Test func whatServersSayIsKeptShortAndOnOneLine() {
        let refusal = S3Refusal(status: 418, code: "Tea\nPot", message: String(repeating: "x", count: 10_000))
        let failure = refusal.failure(of: "GET")
        #expect(failure.kind == .malformed)
        #expect(failure.message.hasPrefix("GET: 418 Tea Pot: xxx") && failure.message.count < 250)
    }
}
