import Core
import TestKit
import Testing

@testable import Warmup

@Suite struct LineFramerTests {
    private struct Got: Equatable {
        var text: [UInt8]
        var number: Int
        var offset: Int
        var isTooLong: Bool
    }

    private func lines(_ bytes: [UInt8], chunks: [Int], limit: Int = 1 << 20) -> [Got] {
        var framer = LineFramer(limit: limit)
        var got: [Got] = []
        func note(_ line: LineFramer.Line) {
            got.append(
                Got(text: [UInt8](line.bytes), number: line.number, offset: line.offset, isTooLong: line.isTooLong))
        }
        var start = 0
        for size in chunks where start < bytes.count {
            let end = min(bytes.count, start + size)
            bytes[start..<end].withUnsafeBytes { framer.feed($0, note) }
            start = end
        }
        framer.finish(note)
        return got
    }

    @Test(arguments: [
        ("", []), ("a", ["a"]), ("a\n", ["a"]), ("\n", [""]), ("a\r\nb\r\n", ["a", "b"]), ("a\n\nb", ["a", "", "b"]),
        ("\u{FEFF}a\n\u{FEFF}b", ["a", "\u{FEFF}b"]), ("\u{FEFF}", [""]), ("a\rb\n", ["a\rb"]), ("\r\n", [""]),
    ])
    func cuts(text: String, expected: [String]) {
        let got = lines(Array(text.utf8), chunks: [1 << 20])
        #expect(got.map { String(decoding: $0.text, as: UTF8.self) } == expected)
        #expect(got.map(\.number) == Array(1..<expected.count + 1))
    }

    @Test func longLinesArePassedOver() {
        let text = Array("ab\n".utf8) + [UInt8](repeating: 120, count: 5_000) + Array("\ncd".utf8)
        let got = lines(text, chunks: Array(repeating: 700, count: 10), limit: 1_000)
        #expect(got.map(\.isTooLong) == [false, true, false])
        #expect(got.map(\.number) == [1, 2, 3] && got.map(\.offset) == [0, 3, 5_004])
        #expect(lines(Array(repeating: 120, count: 9), chunks: [4, 5], limit: 8).map(\.isTooLong) == [true])
        #expect(lines(Array(repeating: 120, count: 8), chunks: [4, 4], limit: 8).map(\.isTooLong) == [false])
    }

    /// However a file is cut into chunks, its lines are the same, and stand where they say.
    @Test(arguments: 1...30 as ClosedRange<UInt64>)
    func chunksDoNotMatter(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let bytes = (0..<Int(random.next() % 2_000)).map { _ -> UInt8 in
            [10, 10, 13, 97, 98, 0xEF, 0xBB, 0xBF, 200][Int(random.next() % 9)]
        }
        let whole = lines(bytes, chunks: [1 << 20], limit: 40)
        let chunks = (0..<bytes.count).map { _ in Int(random.next() % 90) + 1 }
        #expect(lines(bytes, chunks: chunks, limit: 40) == whole, "seed \(seed)")
        for line in whole where !line.isTooLong {
            #expect(Array(bytes[line.offset..<line.offset + line.text.count]) == line.text, "seed \(seed)")
        }
        #expect(
            whole.count == bytes.split(separator: 10, omittingEmptySubsequences: false).count
                - (bytes.last.map { $0 == 10 } ?? true ? 1 : 0))
    }
}
