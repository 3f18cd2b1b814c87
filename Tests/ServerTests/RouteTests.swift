import Core
import Testing

@testable import Server

@Suite struct RouteTests {
    private func dialect(_ target: String) -> Dialect? {
        Array(target.utf8).withUnsafeBytes { Route(target: $0).dialect }
    }

    private func query(_ target: String) -> String {
        Array(target.utf8).withUnsafeBytes { Route(target: $0).query.text }
    }

    @Test(arguments: Dialect.allCases)
    func everyDialectIsReachedWithAndWithoutItsVersion(_ wanted: Dialect) {
        #expect(dialect(wanted.path) == wanted)
        #expect(dialect(String(wanted.path.dropFirst(3))) == wanted)
        #expect(dialect(wanted.path + "?a=b") == wanted)
    }

    @Test(arguments: [
        "/", "", "/v1", "/v1/", "/v1/models", "/v1/chat/completions/", "/V1/chat/completions", "/v1/Chat/completions",
        "/v1/v1/messages", "/v2/messages", "//messages", "/v1//messages", "/messages/count_tokens", "*",
        "/chat%2Fcompletions",
    ])
    func everythingElseIsPassedThrough(_ target: String) { #expect(dialect(target) == nil) }

    @Test(arguments: [
        ("/v1/messages", ""), ("/v1/messages?", ""), ("/v1/messages?beta=true", "beta=true"), ("/x?a=?b", "a=?b"),
    ])
    func theQueryIsWhatStandsBehindTheFirstMark(_ target: String, _ wanted: String) { #expect(query(target) == wanted) }
}
