import Core
import Dialects
import TestKit
import Testing

struct SSESplitterTests {
    struct Seen: Equatable, CustomStringConvertible {
        var name: String?
        var data: String?
        var raw: String
        var description: String { "\(name ?? "-")|\(data ?? "-")|\(raw.debugDescription)" }
    }

    static func split(_ stream: [UInt8], cuts: [Int] = [], limit: Int = 1 << 20) throws -> [Seen] {
        var splitter = SSESplitter(limit: limit)
        var seen: [Seen] = []
        func keep(_ block: SSEBlock) {
            let raw = String(decoding: block.raw, as: UTF8.self)
            if case .event(let name, let data) = block.content {
                seen.append(
                    Seen(
                        name: String(decoding: name, as: UTF8.self), data: String(decoding: data, as: UTF8.self),
                        raw: raw))
            } else {
                seen.append(Seen(name: nil, data: nil, raw: raw))
            }
        }
        var start = 0
        for end in cuts.sorted() + [stream.count] {
            try stream[start..<end].withUnsafeBytes { try splitter.feed($0, block: keep) }
            start = end
        }
        splitter.finish(block: keep)
        return seen
    }

    static func comment(_ raw: String) -> Seen { Seen(name: nil, data: nil, raw: raw) }

    static let cases: [(stream: String, blocks: [Seen])] = [
        ("data: x\n\n", [Seen(name: "", data: "x", raw: "data: x\n\n")]),
        ("data: x\r\n\r\n", [Seen(name: "", data: "x", raw: "data: x\r\n\r\n")]),
        ("data: x\r\r", [Seen(name: "", data: "x", raw: "data: x\r\r")]),
        ("data:x\ndata:  y\n\n", [Seen(name: "", data: "x\n y", raw: "data:x\ndata:  y\n\n")]),
        ("event: e\ndata: x\nid: 7\n\n", [Seen(name: "e", data: "x", raw: "event: e\ndata: x\nid: 7\n\n")]),
        (": keep-alive\n\n", [comment(": keep-alive\n"), comment("\n")]),
        ("\n\r\n\r", [comment("\n"), comment("\r\n"), comment("\r")]),
        (
            ": a\ndata: x\n: b\n\n",
            [comment(": a\n"), Seen(name: "", data: "x", raw: "data: x\n: b\n\n")]
        ),
        ("retry: 10\n\n", [comment("retry: 10\n\n")]),
        ("event: e\n\n", [comment("event: e\n\n")]),
        ("data\n\n", [Seen(name: "", data: "", raw: "data\n\n")]),
        ("database: x\n\n", [comment("database: x\n\n")]),
        ("\u{FEFF}data: x\n\n", [comment("\u{FEFF}"), Seen(name: "", data: "x", raw: "data: x\n\n")]),
        ("data: x\n", []), ("", []),
        ("data: x\n\ndata: y", [Seen(name: "", data: "x", raw: "data: x\n\n")]),
    ]

    @Test(arguments: cases.indices)
    func `blocks come with their own bytes`(index: Int) throws {
        let (stream, blocks) = SSESplitterTests.cases[index]
        #expect(try SSESplitterTests.split(Array(stream.utf8)) == blocks)
    }

    @Test(arguments: cases.indices)
    func `the cut does not matter, wherever it falls`(index: Int) throws {
        let (stream, blocks) = SSESplitterTests.cases[index]
        let bytes = Array(stream.utf8)
        for cut in 0...bytes.count { #expect(try SSESplitterTests.split(bytes, cuts: [cut]) == blocks) }
        #expect(try SSESplitterTests.split(bytes, cuts: Array(bytes.indices)) == blocks)
    }

    @Test(arguments: 0..<200)
    func `streams of odd lines are split the same however they are cut`(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let parts = [
            "data: ", "data", ":", " ", "x", "é", "\n", "\r", "\r\n", "\n\n", "event: e", "id: 1", "\u{FEFF}",
        ]
        var bytes: [UInt8] = []
        for _ in 0..<Int.random(in: 0..<60, using: &random) {
            bytes += (parts.randomElement(using: &random) ?? "").utf8
        }
        let blocks = try SSESplitterTests.split(bytes)
        let cuts = (0..<Int.random(in: 0..<20, using: &random)).map { _ in
            Int.random(in: 0...bytes.count, using: &random)
        }
        #expect(try SSESplitterTests.split(bytes, cuts: cuts) == blocks)
        // Every byte is in a block, or behind the last one.
        #expect(bytes.starts(with: Array(blocks.map(\.raw).joined().utf8)))
    }

    @Test func `an event that never ends is given up, and what came of it is held out`() throws {
        var splitter = SSESplitter(limit: 80)
        var blocks = 0
        let opening = Bytes("data: x\n\ndata: " + String(repeating: "y", count: 50))
        try opening.withUnsafeBytes { try splitter.feed($0) { _ in blocks += 1 } }
        #expect(blocks == 1)
        #expect(throws: SSESplitter.Failure.tooLarge) {
            try Bytes(String(repeating: "y", count: 50)).withUnsafeBytes { try splitter.feed($0) { _ in blocks += 1 } }
        }
        #expect(blocks == 1)
        #expect(splitter.rest == Array(("data: " + String(repeating: "y", count: 100)).utf8))
    }
}
