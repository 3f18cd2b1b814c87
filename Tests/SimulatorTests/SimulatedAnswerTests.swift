import Core
import Dialects
import Testing

@testable import Simulator

@Suite struct SimulatedAnswerTests {
    private static let cases: [(Dialect, String)] = [
        (.chat, #"{"model":"m","messages":[{"role":"user","content":"hello"}]}"#),
        (.chat, #"{"model":"a-reasoner","messages":[{"role":"user","content":"hello"}],"n":3}"#),
        (.chat, #"{"model":"m","messages":[{"role":"user","content":"hello"}],"max_tokens":5}"#),
        (.chat, #"{"model":"m","messages":[{"role":"user","content":"hi"}],"logprobs":true,"top_logprobs":2}"#),
        (
            .chat,
            #"{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"call it"}]}],"#
                + #""tools":[{"type":"function","function":{"name":"f","parameters":{}}}]}"#
        ),
        (.completions, #"{"model":"m","prompt":"hello","n":2,"logprobs":1}"#),
        (.completions, #"{"model":"m","prompt":["hello"],"max_tokens":1}"#),
        (.responses, #"{"model":"m","input":"hello"}"#),
        (.responses, #"{"model":"m","input":[{"role":"user","content":"hello"}],"max_output_tokens":5}"#),
        (.responses, #"{"model":"m","input":"call","tools":[{"type":"function","name":"f"}]}"#),
        (.messages, #"{"model":"m","max_tokens":500,"messages":[{"role":"user","content":"hello"}]}"#),
        (.messages, #"{"model":"reasoner","max_tokens":4,"messages":[{"role":"user","content":"hello"}]}"#),
        (
            .messages,
            #"{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"call"}],"tools":[{"name":"f"}]}"#
        ),
    ]

    private func request(_ dialect: Dialect, _ body: String, id: String = "1") throws -> SimulatedRequest {
        try Bytes(body).withUnsafeBytes { try SimulatedRequest(dialect, $0, id: id, created: 1_700_000_000) }
    }

    /// The two forms are made by different code; the product's own conversion finds them to say the same.
    @Test(arguments: cases) func streamsSayWhatTheWholeSays(dialect: Dialect, body: String) throws {
        let asked = body.dropLast() + #","stream":true,"stream_options":{"include_usage":true}}"#
        let answer = SimulatedAnswer(try request(dialect, String(asked)), length: 20)
        let whole = Bytes(answer.whole.serialised)
        _ = try whole.withUnsafeBytes { try judgeWhole($0, dialect: dialect) }
        let assembled = try Bytes(answer.events.flatMap(\.bytes)).withUnsafeBytes {
            try wholeFromStream($0, dialect: dialect)
        }
        #expect(try JSONValue.parse(assembled.text) == answer.whole, "\(assembled.text)\n\(whole.text)")
        #expect(whole.text.lowercased().contains("simulated"))
        #expect(answer.events.count(where: \.isTerminal) == 1)
        #expect(answer.events.last?.isTerminal == true)
    }

    @Test func sameRequestSameText() throws {
        let bodies = [
            #"{"model":"m","messages":[{"role":"user","content":"hello"}],"temperature":0}"#,
            #"{"temperature":0, "messages":[{"content":"hello","role":"user"}],"model":"m","stream":true}"#,
        ]
        let answers = try bodies.enumerated().map { index, body in
            SimulatedAnswer(try request(.chat, body, id: "\(index)"), length: 20).whole
        }
        #expect(answers[0]["choices"] == answers[1]["choices"])
        #expect(answers[0]["id"] != answers[1]["id"])
        let other = #"{"model":"m","messages":[{"role":"user","content":"hello"}],"temperature":1}"#
        #expect(SimulatedAnswer(try request(.chat, other), length: 20).whole["choices"] != answers[0]["choices"])
    }

    @Test func usageComesOnlyWhenAskedFor() throws {
        let body = #"{"model":"m","messages":[{"role":"user","content":"hello"}],"stream":true}"#
        let events = SimulatedAnswer(try request(.chat, body), length: 20).events
        #expect(!events.contains { String(decoding: $0.bytes, as: UTF8.self).contains("usage") })
    }

    @Test(arguments: [(#""a""#, 1), (#"["a","b"]"#, 2), ("[1,2,3]", 1), ("[[1,2],[3]]", 2)])
    func embedsEachInput(input: String, count: Int) throws {
        let answer = SimulatedAnswer(
            try request(.embeddings, #"{"model":"m","dimensions":8,"input":\#(input)}"#), length: 1)
        let data = try #require(answer.whole["data"]?.elements)
        #expect(data.count == count)
        for item in data {
            let values = try #require(item["embedding"]?.elements).map { value -> Double in
                guard case .number(let spelling) = value else { return .nan }
                return Double(spelling) ?? .nan
            }
            #expect(values.count == 8)
            #expect(abs(values.reduce(0) { $0 + $1 * $1 } - 1) < 1e-6)
        }
    }

    @Test func base64HoldsTheSameNumbers() throws {
        let body = #"{"model":"m","input":"a","dimensions":1,"encoding_format":"base64"}"#
        let answer = SimulatedAnswer(try request(.embeddings, body), length: 1)
        // One dimension of length 1: plus or minus one, 0x3F800000 or 0xBF800000 in little-endian order.
        let text = try #require(answer.whole["data"]?.elements?.first?["embedding"]?.text)
        #expect(["AACAPw==", "AACAvw=="].contains(text))
    }

    @Test(arguments: ["", "[]", "{", #"{"messages":[]}"#, #"{"model":1,"messages":[]}"#, #"{"model":"m"}"#])
    func refusesWhatIsNoRequest(body: String) {
        #expect(throws: SimulatedRequest.Refusal.self) { try request(.chat, body) }
    }

    @Test(arguments: [
        ("reset", Fault.reset), ("status=429; retry-after=2", .status(429, retryAfter: 2)),
        ("status=500", .status(500, retryAfter: nil)), (" half-event", .halfEvent),
    ]) func readsFaults(text: String, fault: Fault) {
        #expect(Fault(text) == fault)
        #expect(Fault.text(inPrompt: "hello [sim-fail:\(text)] there") == text)
    }

    @Test(arguments: ["", "status=200", "status=x", "status=500;later=1", "reset;hang", "nothing"])
    func refusesFaults(text: String) { #expect(Fault(text) == nil) }

    @Test func timesTokens() {
        var options = SimulatorOptions()
        options.tokensPerSecond = 10
        #expect([0, 1, 2, 11].map(options.time(ofToken:)) == [0, 0, 100_000_000, 1_000_000_000])
    }
}
