import Core
import TestKit
import Testing

@testable import Warmup

@Suite struct RecordReaderTests {
    private func read(_ line: String, _ options: RecordReader.Options = .init(model: "m")) throws -> (LogRecord, String)
    {
        let reader = RecordReader(options: options)
        return try Bytes(line).withUnsafeBytes { bytes in
            let record = try reader.read(bytes)
            return (record, reader.withBody(of: record, in: bytes) { $0.text })
        }
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var line: String
        var format: LogFormat
        var dialect: Dialect
        /// nil: the line itself.
        var body: String?
        var time: Int64?
        var count = 1
        var testDescription: String { line }
    }

    static let cases = [
        Case(line: #"{"model":"m","messages":[]}"#, format: .requests, dialect: .chat),
        Case(line: #" {"messages":[],"model":"m","stream":true} "#, format: .requests, dialect: .chat),
        Case(line: #"{"model":"m","messages":[],"system":"s"}"#, format: .requests, dialect: .messages),
        Case(line: #"{"model":"claude-3","max_tokens":9,"messages":[]}"#, format: .requests, dialect: .messages),
        Case(line: #"{"model":"claude-3","messages":[]}"#, format: .requests, dialect: .chat),
        Case(line: #"{"model":"m","prompt":"p"}"#, format: .requests, dialect: .completions),
        Case(line: #"{"model":"text-embedding-3","input":"p"}"#, format: .requests, dialect: .embeddings),
        Case(line: #"{"model":"m","input":"p"}"#, format: .requests, dialect: .responses),
        Case(
            line: #"{"custom_id":"1","method":"POST","url":"/v1/embeddings","body":{"model":"m","input":"p"}}"#,
            format: .batch, dialect: .embeddings, body: #"{"model":"m","input":"p"}"#),
        Case(
            line: #"{"body":{"model":"m","prompt":"p"},"count":7,"time":1700000000}"#, format: .batch,
            dialect: .completions, body: #"{"model":"m","prompt":"p"}"#, time: 1_700_000_000_000, count: 7),
        Case(
            line: #"{"time":"2023-11-14T22:13:20.5Z","dialect":"messages","key":"k","request":{"a":1}}"#,
            format: .access, dialect: .messages, body: #"{"a":1}"#, time: 1_700_000_000_500),
        Case(
            line: #"{"time":1700000000123,"endpoint":"https://h/v1/responses?x=1","request":{"a":1}}"#,
            format: .access, dialect: .responses, body: #"{"a":1}"#, time: 1_700_000_000_123),
        Case(
            line: #"{"request":{"model":"m","messages":[]},"endpoint":"unheard-of"}"#, format: .access, dialect: .chat,
            body: #"{"model":"m","messages":[]}"#),
        Case(
            line: #"{"call_type":"acompletion","model":"m","messages":[1],"startTime":1700000000.25}"#,
            format: .litellm, dialect: .chat, body: #"{"model":"m","messages":[1]}"#, time: 1_700_000_000_250),
        Case(
            line:
                #"{"model_parameters":{"top_p":null,"n":2,"extra_body":{"k":3,"model":"x"}},"model":"m","messages":[1]}"#,
            format: .litellm, dialect: .chat, body: #"{"model":"m","messages":[1],"n":2,"k":3}"#),
        Case(
            line: #"{"call_type":"aembedding","model":"m","messages":"t","optional_params":{}}"#, format: .litellm,
            dialect: .embeddings, body: #"{"model":"m","input":"t"}"#),
        Case(
            line: #"{"call_type":"text_completion","model":"m","prompt":"t","messages":null}"#, format: .litellm,
            dialect: .completions, body: #"{"model":"m","prompt":"t"}"#),
        Case(
            line: #"{"call_type":"anthropic_messages","model":"m","messages":[]}"#, format: .litellm,
            dialect: .messages, body: #"{"model":"m","messages":[]}"#),
        Case(
            line: "12\tsay \"hi\"\tnow", format: .text, dialect: .chat,
            body: #"{"model":"m","messages":[{"role":"user","content":"say \"hi\"\tnow"}]}"#, count: 12),
    ]

    @Test(arguments: cases) func recognises(one: Case) throws {
        let (record, body) = try read(one.line)
        #expect(record.format == one.format && record.dialect == one.dialect)
        #expect(body == one.body ?? one.line)
        #expect(record.time == one.time && record.count == one.count)
        for format in LogFormat.allCases {
            let options = RecordReader.Options(format: format, model: "m")
            if format == one.format {
                #expect(try read(one.line, options).0 == record)
            } else {
                #expect(throws: UnusableLine.otherFormat) { try read(one.line, options) }
            }
        }
    }

    @Test(
        arguments: [
            ("x", .notJSON), ("[]", .notJSON), ("{", .notJSON), ("{} {}", .notJSON), ("{}", .unknownShape),
            (#"{"model":"m"}"#, .unknownShape), (#"{"messages":[]}"#, .unknownShape), ("0\tp", .notJSON),
            ("1 p", .notJSON),
            ("1\t", .notJSON), ("99999999999999999999\tp", .notJSON), (#"{"time":1,"dialect":"chat"}"#, .noBody),
            (#"{"custom_id":"1","response":{}}"#, .answerOnly), (#"{"request":{"a":1}}"#, .unknownShape),
            (#"{"url":"/v1/files","body":{}}"#, .request(.endpoint)), (#"{"call_type":"c","model":"m"}"#, .noBody),
            (#"{"call_type":"c","model":"m","messages":"redacted-by-litellm"}"#, .noBody),
            (String(repeating: #"{"a":"#, count: 200), .request(.tooDeep)),
        ] as [(String, UnusableLine)])
    func refuses(line: String, reason: UnusableLine) {
        #expect(throws: reason) { try read(line) }
    }

    @Test func textNeedsAModelAndMayHaveASystemPrompt() throws {
        #expect(throws: UnusableLine.noModel) { try read("1\tp", .init()) }
        let (_, body) = try read("1\tp", .init(model: "m", system: "s"))
        #expect(body == #"{"model":"m","messages":[{"role":"system","content":"s"},{"role":"user","content":"p"}]}"#)
    }

    @Test func whatIsNotUTF8IsSaid() {
        let reader = RecordReader(options: .init(model: "m"))
        for bytes in [
            [0xFF, 0xFE, 0x7B], [0x31, 0x09, 0xC3], Array(#"{"a":""#.utf8) + [0xC3, 0x28] + Array("\"}".utf8),
        ] as [[UInt8]] {
            #expect(throws: UnusableLine.notUTF8) { try bytes.withUnsafeBytes { try reader.read($0) } }
        }
    }

    @Test(
        arguments: [
            ("1970-01-01", 0), ("1970-01-01T00:00:00Z", 0), ("2000-02-29T12:00:00.123456Z", 951_825_600_123),
            ("2024-03-01 00:00:00", 1_709_251_200_000), ("2024-03-01T01:30:00+01:30", 1_709_251_200_000),
            ("2024-02-29T23:00-01:00", 1_709_251_200_000), ("1969-12-31T23:59:59.9Z", -100), ("2024-13-01", nil),
            ("2024-1-1", nil), ("2024-01-01T25:00:00Z", nil), ("2024-01-01T00:00:00.Z", nil), ("yesterday", nil),
            ("2024-01-01T00:00:00Zx", nil), ("", nil),
        ] as [(String, Int64?)])
    func readsTimes(text: String, expected: Int64?) {
        #expect(Bytes(text).withUnsafeBytes { LogTime.read(text: $0) } == expected)
    }

    @Test(
        arguments: [
            ("0", 0), ("1.5", 1_500), ("1767225600", 1_767_225_600_000), ("1767225600123", 1_767_225_600_123),
            ("1767225600123456", 1_767_225_600_123), ("1767225600123456789", 1_767_225_600_123),
            ("99999999999", 99_999_999_999_000), ("-5", -5_000), ("1e25", nil), ("x", nil), ("nan", nil), ("inf", nil),
        ] as [(String, Int64?)])
    func readsTimesInAnyUnit(text: String, expected: Int64?) {
        #expect(Bytes(text).withUnsafeBytes { LogTime.read(number: $0) } == expected)
    }

    /// Damaged lines give a record or a reason, and what they give can be used.
    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func damageIsSurvived(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let lines = RecordReaderTests.cases.map { Array($0.line.utf8) }
        var text: [UInt8] = []
        for _ in 0..<200 {
            var line = lines[Int(random.next() % UInt64(lines.count))]
            for _ in 0..<random.next() % 4 where !line.isEmpty {
                let place = Int(random.next() % UInt64(line.count))
                switch random.next() % 4 {
                case 0: line[place] = UInt8(truncatingIfNeeded: random.next())
                case 1: line.remove(at: place)
                case 2: line.insert(contentsOf: line[place...].prefix(9), at: place)
                default: line.removeSubrange(place...)
                }
            }
            text += line + [10]
        }
        let counter = counted(text, chunks: 97) { $0.records.model = "m" }
        let totals = counter.totals
        let used = totals.byFormat.values.reduce(0, +)
        #expect(used + totals.blank + counter.unusable.total == totals.lines, "seed \(seed)")
        #expect(counter.sketch.counters.reduce(0) { $0 + $1.count } == totals.requests, "seed \(seed)")
        let lineReader = PromptReader(options: .init(model: "m"), digest: digest) { location in
            Array(text[location.offset..<location.offset + Int(location.length)])
        }
        for counter in counter.sketch.counters {
            let request = counter.sample.flatMap { lineReader.request(at: $0, key: counter.key) }
            #expect(request != nil, "seed \(seed): the line of a prompt gives the prompt again")
        }
    }
}
