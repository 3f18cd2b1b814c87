import Core
import FoundationEssentials
import Synchronization
import TestKit
import Testing

@testable import Foreign

@Suite struct RotatingFileTests {
    private let folder: String
    private let failures = Failures()

    private final class Failures: Sendable {
        private let count = Atomic(0)
        var value: Int { count.load(ordering: .relaxed) }
        func note() { count.wrappingAdd(1, ordering: .relaxed) }
    }

    init() throws {
        folder = "/tmp/refrain-rotation-\(SystemRandom().next())"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    private func file(
        maxSize: Int = 1 << 20, keep: Int = 2, clock: any Clock = ManualClock()
    ) throws -> RotatingFile {
        try RotatingFile(
            path: folder + "/log", maxSize: ByteCount(bytes: maxSize), keep: keep, clock: clock
        ) { [failures] _ in failures.note() }
    }

    private func text(_ name: String) -> String? {
        FileManager.default.contents(atPath: folder + "/" + name).map { String(decoding: $0, as: UTF8.self) }
    }

    private func line(_ text: String) -> [UInt8] { Array((text + "\n").utf8) }

    @Test func fullFilesMoveAlong() throws {
        let file = try file(maxSize: 8)
        for number in 1...7 { #expect(file.put(line("n=\(number)"))) }
        #expect(text("log") == "n=7\n" && text("log.1") == "n=5\nn=6\n" && text("log.2") == "n=3\nn=4\n")
        #expect(text("log.3") == nil)
    }

    @Test func aLongLineHasAFileOfItsOwn() throws {
        let file = try file(maxSize: 8)
        for text in ["a", "much longer than a file", "b"] { #expect(file.put(line(text))) }
        #expect(text("log") == "b\n" && text("log.1") == "much longer than a file\n" && text("log.2") == "a\n")
    }

    @Test func noneIsKeptWhereNoneIsWanted() throws {
        let file = try file(maxSize: 4, keep: 0)
        for number in 1...3 { #expect(file.put(line("n=\(number)"))) }
        #expect(text("log") == "n=3\n" && text("log.1") == nil)
    }

    @Test func goesOnWhereAnEarlierProcessStopped() throws {
        #expect(try file(maxSize: 8).put(line("old")))
        let file = try file(maxSize: 8)
        #expect(file.put(line("new")) && file.put(line("next")))
        #expect(text("log.1") == "old\nnew\n" && text("log") == "next\n")
    }

    @Test func whatWasMovedAwayIsLeftAlone() throws {
        let file = try file()
        #expect(file.put(line("one")))
        try FileManager.default.moveItem(atPath: folder + "/log", toPath: folder + "/moved")
        #expect(file.put(line("two")))
        file.reopen()
        #expect(file.put(line("three")))
        #expect(text("moved") == "one\ntwo\n" && text("log") == "three\n")
    }

    @Test func aFolderThatGoesAndComesBackIsToldOnce() throws {
        let clock = ManualClock()
        let file = try file(clock: clock)
        try FileManager.default.removeItem(atPath: folder)
        file.reopen()
        for _ in 0..<5 { #expect(!file.put(line("lost"))) }
        #expect(failures.value == 1)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        // Not tried again at once: somebody who waits for a disk must not spin.
        #expect(!file.put(line("lost")))
        clock.advance(.seconds(2))
        #expect(file.put(line("back")) && text("log") == "back\n" && failures.value == 1)
    }
}

@Suite struct AccessLogLineTests {
    private func record(_ outcome: Outcome) -> AccessRecord {
        AccessRecord(
            time: 1_700_000_000_123, id: 0xab, trace: nil, dialect: .chat, outcome: outcome, status: 200,
            duration: 1_234_567)
    }

    private func text(_ record: AccessRecord) -> String { String(decoding: AccessLog.line(record), as: UTF8.self) }

    @Test func aHit() {
        var record = record(.hit(.memory))
        record.key = CacheKey(1, 2, 3, 4)
        record.model = "m\"\n"
        record.tenant = 0xcd
        record.namespace = ""
        record.isStream = true
        record.promptTokens = 3
        record.completionTokens = 0
        record.savedPicodollars = 1_500_000
        let key = "0000000000000001000000000000000200000000000000030000000000000004"
        #expect(
            text(record)
                == #"{"time":"2023-11-14T22:13:20.123Z","id":"00000000000000ab","dialect":"chat","model":"m\"\n","#
                + #""stream":true,"outcome":"hit","tier":"memory","status":200,"key":"\#(key)","#
                + #""tenant":"00000000000000cd","namespace":"","durationMs":1.234,"promptTokens":3,"completionTokens":0,"#
                + #""savedUSD":1.5e-06}"# + "\n")
    }

    @Test func aBypassInATrace() {
        var record = record(.bypass(.notJSON))
        record.dialect = nil
        record.trace = TraceContext(traceHigh: 1, traceLow: 2, parent: 3, flags: 1)
        record.upstreamDuration = 1_000_000
        #expect(
            text(record) == #"{"time":"2023-11-14T22:13:20.123Z","id":"00000000000000ab","#
                + #""trace":"00000000000000010000000000000002","parent":"0000000000000003","outcome":"bypass","#
                + #""reason":"not-json","status":200,"durationMs":1.234,"upstreamMs":1.0}"# + "\n")
    }

    @Test func aBodyIsOneLine() {
        var record = record(.miss)
        record.body = Bytes("{\r\n \"a\": \"b\\n\"\n}")
        #expect(text(record).hasSuffix(#","request":{   "a": "b\n" }}"# + "\n"))
    }
}
