import Core
import TestKit
import Testing

@testable import Warmup

@Suite struct PairJoinerTests {
    /// Joins files that can be read again (or not, then through a store of lines).
    private func joined(_ files: [String], again: Bool = true, limit: Int = 100) -> (PairJoiner, [AnsweredRequest]) {
        var pairs: [AnsweredRequest] = []
        var kept: [[UInt8]] = []
        let joiner = PairJoiner(
            options: .init(), limit: limit,
            line: { location in
                if location.source == LineLocation.spool { return kept[location.offset] }
                let bytes = Array(files[Int(location.source)].utf8)
                return Array(bytes[location.offset..<location.offset + Int(location.length)])
            }, found: { pairs.append($0) })
        joiner.keep = { line in
            kept.append([UInt8](line))
            return LineLocation(source: LineLocation.spool, offset: kept.count - 1, length: UInt32(line.count))
        }
        for (source, file) in files.enumerated() {
            joiner.begin(source: source, canBeReadAgain: again)
            Bytes(file).withUnsafeBytes { joiner.feed($0) }
            joiner.end()
        }
        joiner.finish()
        return (joiner, pairs)
    }

    private func input(_ id: String, _ text: String) -> String {
        "{\"custom_id\":\"\(id)\",\"url\":\"/v1/chat/completions\",\"body\":\(chat(text))}\n"
    }

    private func output(_ id: String, _ text: String, status: Int = 200) -> String {
        "{\"custom_id\":\"\(id)\",\"response\":{\"status_code\":\(status),\"body\":{\"a\":\"\(text)\"}},\"error\":null}\n"
    }

    private func reasons(_ joiner: PairJoiner) -> [UnusablePair: Int] {
        Dictionary(uniqueKeysWithValues: joiner.tally.rows.map { ($0.reason, $0.count) })
    }

    @Test(arguments: [true, false], [true, false])
    func batchesAreJoinedInAnyOrder(again: Bool, inputFirst: Bool) {
        let files = [
            input("1", "q1") + input("2", "q2") + input("3", "q3"),
            output("3", "a3") + output("1", "a1") + output("2", "", status: 429) + output("9", "a9"),
        ]
        let (joiner, pairs) = joined(inputFirst ? files : files.reversed(), again: again)
        #expect(
            Set(pairs.map { String(decoding: $0.line, as: UTF8.self) })
                == Set(
                    [1, 3].map {
                        "{\"dialect\":\"chat\",\"request\":\(chat("q\($0)")),\"response\":{\"a\":\"a\($0)\"}}"
                    }))
        #expect(reasons(joiner) == [.failedAnswer: 1, .noAnswer: 1, .noRequest: 1])
        #expect(joiner.pairs == 2 && joiner.lines == 7)
    }

    @Test func logsOfPairsNeedNoJoin() {
        let log = """
            {"time":1,"dialect":"messages","request":{"q":1},"response":{"a":1}}
            {"request":\(chat("q")),"response":{"status_code":200,"body":{"a":2}}}
            {"call_type":"completion","model":"m","messages":[],"response":{"a":3}}
            {"request":\(chat("q")),"response":"text"}
            {"request":\(chat("q")),"response":null}
            {"request":\(chat("q")),"response":{},"error":"no"}
            nonsense

            """
        let (joiner, pairs) = joined([log])
        #expect(pairs.map(\.dialect) == [.messages, .chat, .chat])
        #expect(pairs.map { String(decoding: $0.response, as: UTF8.self) } == [#"{"a":1}"#, #"{"a":2}"#, #"{"a":3}"#])
        #expect(reasons(joiner) == [.failedAnswer: 2, .noAnswer: 1, .line(.notJSON): 1])
    }

    @Test func idsOfTwoRequestsAreAmbiguous() {
        let (joiner, pairs) = joined([input("1", "q") + input("1", "other") + output("1", "a")])
        #expect(pairs.isEmpty && reasons(joiner) == [.ambiguous: 2])
        let (twice, once) = joined([input("1", "q") + output("1", "a") + output("1", "b")])
        #expect(once.count == 1 && reasons(twice) == [.ambiguous: 1])
    }

    @Test func whatWaitsIsBounded() {
        let (joiner, pairs) = joined([(1...5).map { input("\($0)", "q") }.joined() + output("1", "a")], limit: 3)
        #expect(pairs.count == 1 && reasons(joiner) == [.tooMany: 2, .noAnswer: 2])
    }

    @Test(arguments: 1...10 as ClosedRange<UInt64>)
    func damageIsSurvived(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var text = Array((0..<40).map { input("\($0 % 25)", "q") + output("\($0)", "a") }.joined().utf8)
        for _ in 0..<60 { text[Int(random.next() % UInt64(text.count))] = UInt8(truncatingIfNeeded: random.next()) }
        var pairs = 0
        let bytes = text
        let joiner = PairJoiner(
            options: .init(), line: { Array(bytes[$0.offset..<$0.offset + Int($0.length)]) }, found: { _ in pairs += 1 }
        )
        joiner.begin(source: 0, canBeReadAgain: true)
        bytes.withUnsafeBytes { joiner.feed($0) }
        joiner.end()
        joiner.finish()
        #expect(joiner.pairs == pairs && pairs <= 25, "seed \(seed)")
    }
}
