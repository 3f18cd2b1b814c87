import Core
import TestKit
import Testing

@testable import Engine

@Suite struct UpstreamProfileTests {
    private func prepare(
        _ headers: [(String, String)], target: String = "/v1/chat/completions",
        _ change: (inout Settings.Upstream) -> Void
    ) -> UpstreamRequest {
        var settings = Settings.Upstream()
        change(&settings)
        let request = UpstreamRequest(
            method: "POST", target: target, headers: headers.map { HeaderField($0.0, $0.1) },
            body: .bytes(Bytes(#"{"model":"big","n":1.0}"#)), decodes: true)
        return UpstreamProfile(settings, credentialHeaders: ["x-goog-api-key"]).prepare(request)
    }

    private func lines(_ request: UpstreamRequest) -> [String] { request.headers.map { "\($0.name): \($0.value)" } }

    private static let clients = [
        ("Authorization", "Bearer client"), ("X-Api-Key", "client"), ("api-key", "client"), ("Cookie", "client"),
        ("x-goog-api-key", "client"), ("Accept", "*/*"),
    ]

    @Test(arguments: [
        ("/v1/chat/completions", "Authorization: Bearer own"), ("/v1/models?x=1", "Authorization: Bearer own"),
        ("/v1/messages", "x-api-key: own"), ("/messages?beta=true", "x-api-key: own"),
        ("/v1/messages/count_tokens", "x-api-key: own"),
    ]) func theClientsCredentialStaysHere(target: String, line: String) {
        let request = prepare(Self.clients, target: target) { $0.apiKey = Secret("own") }
        #expect(lines(request) == ["Accept: */*", line])
        #expect(!lines(request).contains { $0.contains("client") })
    }

    @Test func azureClientsAreAnsweredInKind() {
        #expect(lines(prepare([("api-key", "client")]) { $0.apiKey = Secret("own") }) == ["api-key: own"])
    }

    @Test func withoutAKeyTheClientsGoesOn() {
        #expect(prepare(Self.clients) { _ in }.headers.count == Self.clients.count)
    }

    @Test func linesAreReplacedAndTakenAway() {
        let request = prepare([("X-Region", "us"), ("OpenAI-Organization", "o"), ("Accept", "*/*")]) {
            $0.headers = [
                SecretHeader("x-region", Secret("eu")), SecretHeader("openai-organization", Secret("")),
                SecretHeader("x-new", Secret("1")),
            ]
        }
        #expect(lines(request) == ["Accept: */*", "x-region: eu", "x-new: 1"])
    }

    @Test func aClientCannotTakeThemAway() {
        let request = prepare([("Connection", "close, authorization, X-Region, x-mine"), ("X-Mine", "1")]) {
            $0.apiKey = Secret("own")
            $0.headers = [SecretHeader("x-region", Secret("eu"))]
        }
        #expect(lines(request) == ["Authorization: Bearer own", "x-region: eu"])
    }

    @Test func modelsGoByTheirNamesThere() {
        func body(_ models: [String: String]) -> String? {
            guard case .bytes(let bytes) = prepare([], { $0.models = models }).body else { return nil }
            return bytes.text
        }
        #expect(body(["big": "their/big"]) == #"{"model":"their/big","n":1.0}"#)
        #expect(body(["small": "x"]) == #"{"model":"big","n":1.0}"#)
    }
}
