import Testing

@testable import Server

@Suite struct AdminPlaneTests {
    @Test(arguments: [
        "localhost", "localhost:8401", "127.0.0.1", "127.0.0.1:8401", "127.9.8.7", "[::1]:8401", "::1", "",
    ])
    func namesThatMeanThisMachine(_ host: String) { #expect(AdminPlane.isLoopback(host)) }

    @Test(arguments: [
        "evil.example", "evil.example:8401", "localhost.evil.example", "127.0.0.1.evil.example", "127.evil.example",
        "127.0.0.evil", "10.0.0.1", "0.0.0.0", "[::2]", "127.0.0", "1270.0.0.1",
    ])
    func namesThatMayMeanAnother(_ host: String) { #expect(!AdminPlane.isLoopback(host)) }
}
