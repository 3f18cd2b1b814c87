import Core
import Testing

@testable import Engine

@Suite struct RateHeadersTests {
    /// 2026-03-01T12:00:00Z
    private static let now: Int64 = 1_772_366_400_000
    private static let second = Duration64.nanosecondsPerSecond

    private func read(_ lines: [(String, String)]) -> RateNews? {
        RateHeaders.read(lines.map { HeaderField($0.0, $0.1) }, wall: Self.now)
    }

    @Test(arguments: [
        ("0", 0), ("20", 20_000), ("1s", 1_000), ("6m0s", 360_000), ("1h30m", 5_400_000), ("150ms", 150),
        ("1.5s", 1_500), ("1m30.5s", 90_500), ("99999999999999999", 86_400_000), ("400d", 86_400_000),
        ("Sun, 01 Mar 2026 12:00:30 GMT", 30_000), ("Sunday, 01-Mar-26 12:00:30 GMT", 30_000),
        ("Sun Mar  1 12:00:30 2026", 30_000), ("Sun, 01 Mar 2026 11:00:00 GMT", 0),
        ("2026-03-01T12:00:07Z", 7_000), ("2026-03-01T13:00:07.25+01:00", 7_000),
        ("Sat, 29 Feb 2028 00:00:00 GMT", 86_400_000), ("Fri, 31 Dec 9999 23:59:59 GMT", 86_400_000),
        ("9999-12-31T23:59:59Z", 86_400_000), ("999999999999999999999999", 86_400_000),
    ]) func waits(text: String, milliseconds: Int64) {
        #expect(RateHeaders.wait(text, wall: Self.now) == milliseconds * Duration64.nanosecondsPerMillisecond)
        #expect(read([("Retry-After", text)])?.retryAfter == milliseconds * Duration64.nanosecondsPerMillisecond)
    }

    @Test(arguments: [
        "", "soon", "-1", "1x", "1s2", "s", ".", "1..5", "Sun, 01 Foo 2026 12:00:30 GMT", "2026-13-01T00:00:00Z",
        "2026-03-01", "Sun, 01 Mar 2026 25:00:30 GMT", "+5", "1e9", "٣", "2026-03-01T12:00:07+99", "nan", "inf",
    ]) func otherTextIsNoWait(text: String) { #expect(RateHeaders.wait(text, wall: Self.now) == nil) }

    @Test func quotas() {
        let news = read([
            ("x-ratelimit-limit-requests", "60"), ("x-ratelimit-remaining-requests", "0"),
            ("x-ratelimit-reset-requests", "1s"), ("X-RateLimit-Limit-Tokens", "150000"),
            ("x-ratelimit-remaining-tokens", "149984"), ("x-ratelimit-reset-tokens", "6m0s"),
        ])
        #expect(news?.requests == .init(limit: 60, remaining: 0, reset: Self.second))
        #expect(news?.tokens == .init(limit: 150_000, remaining: 149_984, reset: 360 * Self.second))
        #expect(news?.retryAfter == nil)
    }

    @Test func anthropicsQuotas() {
        let news = read([
            ("anthropic-ratelimit-requests-limit", "50"), ("anthropic-ratelimit-requests-remaining", "49"),
            ("anthropic-ratelimit-requests-reset", "2026-03-01T12:00:10Z"),
            ("anthropic-ratelimit-tokens-remaining", "0"),
        ])
        #expect(news?.requests == .init(limit: 50, remaining: 49, reset: 10 * Self.second))
        #expect(news?.tokens == .init(remaining: 0))
    }

    @Test func millisecondsAreFiner() {
        #expect(read([("retry-after", "1"), ("retry-after-ms", "250")])?.retryAfter == Self.second / 4)
    }

    @Test func nothingOfUse() {
        for lines in [
            [], [("content-type", "x")], [("x-ratelimit-remaining", "5")], [("x-ratelimit-limit-requests", "5")],
            [("x-ratelimit-remaining-requests", "-3")], [("retry-after", "later")],
        ] { #expect(read(lines) == nil, "\(lines)") }
    }
}
