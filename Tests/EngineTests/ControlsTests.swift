import Core
import TestKit
import Testing

@testable import Engine

@Suite struct ControlsTests {
    typealias Reader = (inout Controls, BytesView) throws(BypassReason) -> Void

    private func read(_ value: String, _ reader: Reader) -> Result<Controls, BypassReason> {
        var controls = Controls()
        do throws(BypassReason) {
            try Bytes(value).withUnsafeBytes { (bytes) throws(BypassReason) in try reader(&controls, bytes) }
            return .success(controls)
        } catch {
            return .failure(error)
        }
    }

    private func cacheControl(_ line: String) -> Result<Controls, BypassReason> {
        read(line) { (controls, bytes) throws(BypassReason) in try controls.readCacheControl(bytes) }
    }

    private func ttl(_ value: String) -> Result<Controls, BypassReason> {
        read(value) { (controls, bytes) throws(BypassReason) in try controls.readTTL(bytes) }
    }

    private func priority(_ value: String) -> Result<Controls, BypassReason> {
        read(value) { (controls, bytes) throws(BypassReason) in try controls.readPriority(bytes) }
    }

    private func semantic(_ value: String) -> Result<Controls, BypassReason> {
        read(value) { (controls, bytes) throws(BypassReason) in try controls.readSemantic(bytes) }
    }

    private func purpose(_ value: String) -> Result<Controls, BypassReason> {
        read(value) { (controls, bytes) throws(BypassReason) in try controls.readPurpose(bytes) }
    }

    @Test func warmingSaysSo() throws {
        #expect(try purpose(" Warm ").get().isWarming)
        for value in ["", "warming", "1"] { #expect(purpose(value) == .failure(.badControl)) }
    }

    private static let lines: [(String, @Sendable (inout Controls) -> Void)] = [
        ("no-cache", { $0.noCache = true }),
        ("No-Cache , NO-STORE", { ($0.noCache, $0.noStore) = (true, true) }),
        ("only-if-cached", { $0.onlyIfCached = true }),
        ("max-age=0", { $0.maxAge = 0 }),
        ("max-age=\"60\"", { $0.maxAge = 60 }),
        ("max-age = 60", { $0.maxAge = 60 }),
        ("max-age=000000000000000000000000000060", { $0.maxAge = 60 }),
        ("max-age=99999999999999999999999999999999", { $0.maxAge = 1 << 31 }),
        ("stale-if-error=9223372036854775807", { $0.staleIfError = 1 << 31 }),
        ("private, min-fresh=abc, x=\"y\"", { _ in }), ("", { _ in }), (",,", { _ in }), ("=5", { _ in }),
    ]

    @Test("Cache-Control", arguments: lines.indices) func cacheControl(index: Int) {
        let (line, change) = Self.lines[index]
        var expected = Controls()
        change(&expected)
        #expect(cacheControl(line) == .success(expected), "\(line)")
    }

    @Test(
        "a Cache-Control that cannot be read",
        arguments: [
            "max-age", "max-age=", "max-age=\"\"", "max-age=\"", "max-age=-1", "max-age=1.5", "max-age=1e3",
            "stale-if-error=soon", "max-age=0x10", "max-age=+5", "no-cache, max-age=\"5",
        ])
    func unreadable(line: String) { #expect(cacheControl(line) == .failure(.badControl)) }

    private static let longest: Int64 = (1 << 31) * 1000
    private static let lifetimes: [(String, Int64)] = [
        ("0", 0), ("90", 90_000), (" 90s ", 90_000), ("500ms", 500), ("10m", 600_000), ("24h", 86_400_000),
        ("7d", 604_800_000), ("9223372036854775807", longest), ("200000d", longest), ("106751991167d", longest),
    ]

    @Test("x-refrain-ttl, in milliseconds", arguments: lifetimes) func lifetime(value: String, expected: Int64) {
        #expect(ttl(value).map(\.ttl) == .success(expected))
    }

    @Test(
        "a ttl that cannot be read",
        arguments: [
            "", "-1", "-1s", "soon", "1.5h", "99999999999999999999", "9999999999999999999d",
        ])
    func badLifetime(value: String) { #expect(ttl(value) == .failure(.badControl)) }

    @Test("priority and semantic") func words() {
        for (word, expected) in [("0", Priority.interactive), (" 1 ", .standard), ("2", .batch)] {
            #expect(priority(word).map(\.priority) == .success(.some(expected)))
        }
        for word in ["", "3", "-1", "01", "high"] { #expect(priority(word) == .failure(.badControl)) }
        #expect(Controls().priority == nil)
        #expect(semantic("OFF").map(\.isSemanticOff) == .success(true))
        #expect(semantic("on") == .failure(.badControl))
    }

    @Test(
        "whether another model may answer",
        arguments: [("allow", true), (" Allow ", true), ("off", false), ("", nil), ("yes", nil), ("gpt-4o-mini", nil)])
    func fallback(value: String, expected: Bool?) {
        let read = read(value) { (controls, bytes) throws(BypassReason) in try controls.readFallback(bytes) }
        #expect(read.map(\.allowsFallback) == expected.map { .success($0) } ?? .failure(.badControl))
    }
}
