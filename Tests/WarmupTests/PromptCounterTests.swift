import Core
import TestKit
import Testing

@testable import Warmup

@Suite struct PromptCounterTests {
    @Test func oneRequestHasOneKeyHoweverItIsWrittenAndLogged() {
        let text = """
            {"model":"m","messages":[{"role":"user","content":"q"}],"temperature":1.0}
            {"temperature": 1, "stream": true, "messages":[{"content":"q","role":"user"}],"model":"m"}
            {"url":"/v1/chat/completions","body":{"model":"m","messages":[{"role":"user","content":"\\u0071"}],"temperature":1}}
            {"time":5,"dialect":"chat","request":{"model":"m","messages":[{"role":"user","content":"q"}],"temperature":1}}
            {"call_type":"completion","model":"m","messages":[{"role":"user","content":"q"}],"model_parameters":{"temperature":1}}
            """
        let counter = counted(text.utf8)
        #expect(counter.sketch.counters.map(\.count) == [5])
        #expect(counter.totals.byFormat == [.requests: 2, .batch: 1, .access: 1, .litellm: 1])
        #expect(counter.totals.requests == 5 && counter.unusable.total == 0 && counter.totals.withoutTime == 4)
    }

    @Test func recentRequestsWeighMoreAndOldOnesAreLeftOut() {
        let text = (0..<6).map {
            "{\"time\":\($0 < 4 ? 100_000_000_000 : 100_000_009_000),\"dialect\":\"chat\",\"request\":"
                + chat($0 < 4 ? "old" : "new") + "}\n"
        }.joined()
        let plain = counted(text.utf8)
        #expect(plain.sketch.ranked().map(\.count) == [4, 2])
        let decayed = counted(text.utf8) { $0.halfLife = 3_000 }
        #expect(decayed.sketch.ranked().map(\.count) == [2, 4])
        #expect(decayed.sketch.ranked().map(\.weight) == [16, 4])
        let since = counted(text.utf8) { $0.since = 100_000_000_001 }
        #expect(since.sketch.counters.map(\.count) == [2] && since.totals.old == 4)
    }

    /// One line of the year 9999, or one in other units, must not make all others weigh nothing.
    @Test(arguments: [#""9999-12-31T23:59:59Z""#, "253402300799", "9.9e13", "253402300799000000"])
    func aClockThatIsWrongDoesNoHarm(time: String) {
        let now: Int64 = 1_700_000_000_000
        func line(_ time: String, _ text: String) -> String {
            "{\"time\":\(time),\"dialect\":\"chat\",\"request\":\(chat(text))}\n"
        }
        let text = line("\(now - 1)", "a") + line("\(now)", "a") + line(time, "late") + line("\(now)", "a")
        let counter = counted(text.utf8) {
            $0.halfLife = 1_000
            $0.latest = now
        }
        #expect(counter.sketch.ranked().map(\.count) == [3, 1])
        let weights = counter.sketch.ranked().map(\.weight)
        #expect(weights[0] > 2.9 && weights[1] <= 1.1)
    }

    @Test func requestsOfWarmingAreNotCounted() {
        let request = "\"dialect\":\"chat\",\"request\":\(chat("a"))}\n"
        let text = "{\"purpose\":\"warm\",\(request){\"purpose\":\"other\",\(request){\(request)"
        let counter = counted(text.utf8)
        #expect(counter.sketch.counters.map(\.count) == [2] && counter.unusable.rows.map(\.reason) == [.warming])
    }

    @Test func whatCannotBeReadAgainIsKeptOnceItIsPopular() {
        let text = ["a", "b", "a", "c", "a", "b"].map { chat($0) + "\n" }.joined()
        var kept: [String] = []
        let counter = counted(text.utf8, again: false, { $0.minCount = 2 }) { line in
            kept.append(line.text)
            return LineLocation(source: LineLocation.spool, offset: kept.count, length: UInt32(line.count))
        }
        #expect(kept == [chat("a"), chat("b")])
        #expect(counter.sketch.ranked().map { $0.sample?.offset } == [1, 2, nil])
    }

    @Test func reasonsAreCountedWithTheirFirstLines() {
        let text = chat("a") + "\n" + String(repeating: "nonsense\n", count: 9) + "{}\n"
        let tally = counted(text.utf8).unusable
        #expect(tally.rows.map(\.count) == [9, 1] && tally.total == 10)
        #expect(tally.rows[0].first == (2...6).map { LinePlace(source: 0, line: $0) })
        #expect(tally.rows[1].reason == .unknownShape)
        for reason in [UnusableLine.tooLong, .notUTF8, .notJSON, .request(.stateful)] {
            #expect(!reason.meaning.isEmpty && reason.word.allSatisfy { $0.isLowercase || $0 == "-" || $0.isNumber })
        }
    }

    /// The counts of random logs are those of a dictionary, and the memo of lines changes nothing.
    @Test(arguments: 1...10 as ClosedRange<UInt64>)
    func countsAreExact(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var exact: [String: Int] = [:]
        var text = ""
        for line in 0..<500 {
            let prompt = "p\(random.next() % 40)"
            let count = Int(random.next() % 3) + 1
            let isBatch = random.next() % 2 == 0
            exact[prompt, default: 0] += isBatch ? count : 1
            text += isBatch ? "{\"count\":\(count),\"time\":\(line),\"body\":\(chat(prompt))}\n" : chat(prompt) + "\n"
        }
        let counter = counted(text.utf8, chunks: 333)
        let lines = reader(text)
        var found: [String: Int] = [:]
        for counter in counter.sketch.counters {
            let body = counter.sample.flatMap { lines.request(at: $0, key: counter.key) }?.body.text ?? ""
            let prompt = exact.keys.first { body.contains("\"\($0)\"") } ?? ""
            found[prompt] = counter.count
        }
        #expect(found == exact, "seed \(seed)")
    }
}
