import Core
import Testing

@testable import Server

@Suite struct PurgeRequestTests {
    private static let hex = String(repeating: "0123456789abcdef", count: 4)

    private func read(_ body: String) throws(PurgeRequest.Unreadable) -> PurgeRequest {
        let bytes = Bytes(body)
        return try bytes.withUnsafeBytes { (view) throws(PurgeRequest.Unreadable) in try PurgeRequest(view) }
    }

    @Test(arguments: [
        (#"{"all":true}"#, "all", 0), (#"{"key":"\#(hex)"}"#, "key:" + hex, 0), (#"{"model":"m"}"#, "model:m", 0),
        (#"{"model":""}"#, "model:", 0), (#"{"model":"a:b ü\n"}"#, "model:a:b ü\n", 0), (#"{"tag":"t"}"#, "tag:t", 0),
        (#"{"namespace":"n"}"#, "namespace:n", 0),
        (#"{"tenant":"00000000000000ff"}"#, "tenant:00000000000000ff", 0),
        (#"{"olderThan":"24h"}"#, "older", 86_400_000), (#"{"olderThan":"0s"}"#, "older", 0),
        (#"{"olderThan":"20ms"}"#, "older", 20), (#" { "all" : true } "#, "all", 0),
    ])
    func reads(body: String, name: String, age: Int64) throws {
        let request = try read(body)
        #expect(request.group.name == name)
        #expect(request.age == age)
        #expect(!request.isDry)
    }

    @Test(arguments: [
        (#"{"all":true,"dryRun":true}"#, true), (#"{"dryRun":true,"model":"m"}"#, true),
        (#"{"all":true,"dryRun":false}"#, false),
    ])
    func dryRun(body: String, isDry: Bool) throws { #expect(try read(body).isDry == isDry) }

    @Test(arguments: [
        ("", "not-json"), ("[]", "not-json"), ("true", "not-json"), (#""all""#, "not-json"),
        (#"{"all":true"#, "not-json"),
        ("\u{FFFD}", "not-json"), ("{}", "nothing-named"), (#"{"dryRun":true}"#, "nothing-named"),
        (#"{"all":true,"model":"m"}"#, "nothing-named"), (#"{"all":false}"#, "bad-value"), (#"{"all":1}"#, "bad-value"),
        (#"{"all":"true"}"#, "bad-value"), (#"{"all":true,"dryRun":1}"#, "bad-value"),
        (#"{"all":true,"dryRun":null}"#, "bad-value"), (#"{"key":"12"}"#, "bad-value"),
        (#"{"key":"\#(hex)0"}"#, "bad-value"), (#"{"key":7}"#, "bad-value"), (#"{"model":null}"#, "bad-value"),
        (#"{"model":["m"]}"#, "bad-value"), (#"{"tenant":"ff"}"#, "bad-value"),
        (#"{"tenant":"+0000000000000ff"}"#, "bad-value"), (#"{"tenant":"-0000000000000ff"}"#, "bad-value"),
        (#"{"tenant":"000000000000000g"}"#, "bad-value"), (#"{"olderThan":"24"}"#, "bad-value"),
        (#"{"olderThan":24}"#, "bad-value"), (#"{"olderThan":"-1h"}"#, "bad-value"),
        (#"{"olderThan":""}"#, "bad-value"),
        (#"{"older":"1h"}"#, "bad-value"), (#"{"everything":true}"#, "bad-value"), (#"{"All":true}"#, "bad-value"),
    ])
    func refuses(body: String, code: String) {
        let failure = #expect(throws: PurgeRequest.Unreadable.self) { try read(body) }
        #expect(failure?.code == code)
        #expect(failure?.message.isEmpty == false)
    }

    @Test("a name may be so long and no longer") func longest() throws {
        #expect(try read(#"{"model":"\#(String(repeating: "m", count: 4096))"}"#).group.name.utf8.count == 4102)
        #expect(throws: PurgeRequest.Unreadable.self) {
            try read(#"{"model":"\#(String(repeating: "m", count: 4097))"}"#)
        }
    }
}
