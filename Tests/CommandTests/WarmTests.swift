import Core
import Dialects
import Foreign
import TestKit
import Testing
import Warmup

@testable import refrain

@Suite struct WarmTests {
    private func judged(
        _ headers: [(String, String)], _ body: String, status: Int = 200, stream: Bool = false
    ) -> WarmAnswer {
        let request = PromptReader.Request(dialect: .chat, model: "m", wantsStream: stream, body: .empty)
        let head = UpstreamHead(status: status, headers: headers.map { HeaderField($0.0, $0.1) })
        return WarmAnswer.judge(AnswerClient.Answer(head: head, body: Bytes(body)), request)
    }

    private static let whole = """
        {"id":"x","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"finish_reason":"stop",\
        "message":{"role":"assistant","content":"hi"}}],"usage":{"prompt_tokens":5,"completion_tokens":7,"total_tokens":12}}
        """

    @Test func answersAreJudged() {
        #expect(judged([("x-refrain-cache", "hit")], "") == .hit)
        #expect(judged([("X-Refrain-Cache", "coalesced")], "") == .hit)
        #expect(judged([("x-refrain-cache", "miss")], WarmTests.whole) == .asked(.init(prompt: 5, answer: 7)))
        #expect(
            judged([("x-refrain-cache", "bypass"), ("x-refrain-reason", "no-store")], WarmTests.whole)
                == .failed("not cached: no-store"))
        let status = "refrain; fwd=uri-miss; fwd-status=200; detail=not-stored-too-large; key=\"k\""
        #expect(
            judged([("x-refrain-cache", "miss"), ("Cache-Status", status)], WarmTests.whole)
                == .failed("answered and not kept: too-large"))
        #expect(judged([], WarmTests.whole) == .failed("this was not answered by a sidecar; check --url"))
        #expect(
            judged([("x-refrain-cache", "miss")], #"{"error":{"message":"slow down"}}"#, status: 429)
                == .failed("status 429: slow down"))
        #expect(judged([("x-refrain-cache", "stale")], WarmTests.whole) == .failed("an expired answer was served"))
        #expect(judged([], "<html>", status: 502) == .failed("status 502"))
        for (body, stream) in [("{}", false), ("data: {\"choices\":[]}\n\n", true)] {
            guard case .failed(let message) = judged([("x-refrain-cache", "miss")], body, stream: stream) else {
                Issue.record("half an answer counts as one")
                continue
            }
            #expect(message.hasPrefix("answered and not kept: "))
        }
    }

    /// Seconds of age and of life that is left, the mark in milliseconds.
    @Test(arguments: [
        (10, 5, 6_000, true), (10, 5, 5_000, false), (4, 5, 60_000, false), (5, 5, 60_000, true), (0, 0, 1_000, true),
        (10, -1, 60_000, false), (10, 5, 0, false),
    ])
    func expiringAnswersAreSeen(age: Int, left: Int, mark: Int64, isExpiring: Bool) {
        func headers(_ outcome: String, _ age: String, _ status: String) -> [HeaderField] {
            [HeaderField("x-refrain-cache", outcome), HeaderField("Age", age), HeaderField("Cache-Status", status)]
        }
        let status = "refrain; hit; detail=memory; ttl=\(left); key=\"k\""
        #expect(WarmAnswer.isExpiring(headers("hit", "\(age)", status), within: mark) == isExpiring)
        for other in [
            headers("coalesced", "\(age)", status), headers("hit", "x", status), headers("hit", "9", "refrain; hit"),
            headers("hit", "9", "refrain; hit; ttl=9999999999999999999"), [],
        ] {
            #expect(!WarmAnswer.isExpiring(other, within: mark))
        }
    }

    @Test func reportsSayWhatIsToBeDone() {
        var report = WarmReport(planned: 30)
        #expect(report.failure == nil)
        let place = LineLocation(source: 0, offset: 0, length: 0)
        for number in 0..<25 {
            report.fail(
                WarmPlan.Prompt(
                    key: CacheKey(UInt64(number), 0, 0, 0), dialect: .chat, model: "m", location: place, count: 1,
                    weight: 1, promptTokens: 1, answerTokens: 1, cost: nil), "no")
        }
        report.hits = 5
        let lines = report.failure?.split(separator: "\n") ?? []
        #expect(lines.count == 22 && lines[20] == "… and 5 more that failed")
        #expect(lines[21] == "25 of 30 prompts failed; --resume asks them again")
        report.stop = .tokens
        #expect(
            report.failure?.hasSuffix(
                "the budget is used up after 30 of 30 prompts; --resume with a larger one goes on") == true)
    }

    @Test(arguments: [
        (0, "$0.00"), (1.006, "$1.01"), (12.3, "$12.30"), (0.05, "$0.0500"), (0.00012, "$0.000120"), (.infinity, "?"),
    ])
    func sumsAreReadable(value: Double, text: String) {
        #expect(dollars(value) == text)
    }

    @Test func progressIsABarOrLines() {
        let clock = ManualClock()
        var report = WarmReport(planned: 20)
        var lines = WarmProgress(isTerminal: false, clock: clock)
        var bar = WarmProgress(isTerminal: true, clock: clock)
        #expect(lines.text(report).isEmpty)
        clock.advance(.seconds(10))
        report.asked = 4
        report.hits = 1
        report.tokens = 99
        #expect(lines.text(report) == "5/20, 1 hits, 0 errors, 99 tokens, 30.0 s left\n")
        #expect(lines.text(report).isEmpty && lines.last(report).isEmpty)
        #expect(bar.text(report).hasPrefix("\r███████░") && bar.text(report).isEmpty)
        #expect(bar.last(report).hasSuffix("\u{1B}[K\n"))
        #expect(WarmProgress(isTerminal: true, clock: clock).last(WarmReport(planned: 0)).isEmpty)
    }

    @Test func longReadingIsShownToPeople() {
        let clock = ManualClock()
        var bar = ReadingProgress(isTerminal: true, clock: clock)
        var file = ReadingProgress(isTerminal: false, clock: clock)
        #expect(bar.text((name: "a", position: 1, size: 4)).isEmpty && bar.last().isEmpty)
        clock.advance(.seconds(1))
        #expect(bar.text((name: "a", position: 2_048, size: 4_096)) == "\rreading a: 2.0 KiB, 50 %\u{1B}[K")
        clock.advance(.seconds(1))
        #expect(bar.text((name: "a", position: 5, size: nil)) == "\rreading a: 5 B\u{1B}[K")
        #expect(bar.last() == "\r\u{1B}[K")
        #expect(file.text((name: "a", position: 5, size: nil)).isEmpty && file.last().isEmpty)
    }

    @Test(
        arguments: [
            (["x", "--top", "5", "--rate", "0.5"], nil), (["x", "--max-cost", "1"], nil),
            (["x", "--min-count", "0"], "--min-count \"0\" is no number"), (["x", "--rate", "nan"], "--rate \"nan\""),
            (["x", "--half-life", "0s"], "--half-life \"0s\" is no duration"),
            (["x", "--half-life", "10ms"], "--half-life \"10ms\" is no duration"),
            (["x", "--dry-run", "--resume"], "--dry-run and --resume exclude each other"),
            (["x", "--format", "lite"], "--format \"lite\" is not known"),
            (["x", "--prices", "/dev/null"], "/dev/null has no prices"),
        ] as [([String], String?)])
    func optionsAreChecked(words: [String], message: String?) throws {
        let arguments = try Arguments(words, for: .warm)
        do throws(CommandFailure) {
            _ = try WarmOptions(arguments)
            #expect(message == nil)
        } catch {
            #expect(message.map(error.message.hasPrefix) == true, "\(error.message)")
        }
    }

    @Test func credentialsAreThoseOfTheClients() {
        let both = Credentials([("OPENAI_API_KEY", "a"), ("ANTHROPIC_API_KEY", "b")])
        #expect(both.headers(for: .chat).map(\.value) == ["Bearer a"])
        #expect(both.headers(for: .messages).map(\.name) == ["anthropic-version", "x-api-key"])
        #expect(Credentials([("OPENAI_API_KEY", "a")]).headers(for: .messages).last?.value == "Bearer a")
        #expect(Credentials(shared: Secret("k")).headers(for: .messages).last?.name == "x-api-key")
        #expect(Credentials(shared: Secret("k")).headers(for: .chat).map(\.value) == ["Bearer k"])
        #expect(Credentials(shared: Secret("")).headers(for: .chat).isEmpty)
        #expect(Credentials([("OPENAI_API_KEY", "")]).headers(for: .embeddings).isEmpty)
    }

    @Test(arguments: [
        ("127.0.0.1", "http://127.0.0.1:84"), ("0.0.0.0", "http://127.0.0.1:84"), ("::", "http://[::1]:84"),
        ("fe80::1", "http://[fe80::1]:84"), ("box", "http://box:84"),
    ])
    func aSidecarFindsItself(host: String, url: String) {
        #expect(UpstreamURL(ownServerAt: NetworkAddress(host: host, port: 84)).description == url)
    }

    @Test func uselessWarmingIsToldAtTheStart() {
        var settings = Settings()
        settings.warm.source = ["a"]
        #expect(WarmSchedule.warning(settings)?.hasPrefix("warm.credential is empty") == true)
        settings.warm.credential = Secret("k")
        #expect(WarmSchedule.warning(settings) == nil)
        settings.log.access.path = "a"
        #expect(WarmSchedule.warning(settings)?.contains("log.bodies") == true)
        settings.log.bodies = true
        #expect(WarmSchedule.warning(settings) == nil)
        settings.cache.partition = .header("x-team")
        #expect(WarmSchedule.warning(settings)?.contains("x-team") == true)
        settings.cache.partition = .shared
        settings.warm.credential = Secret("")
        #expect(WarmSchedule.warning(settings) == nil)
    }

    @Test func pairsAreSentInBatchesByCredential() {
        func pair(_ dialect: Dialect, _ size: Int) -> AnsweredRequest {
            AnsweredRequest(dialect: dialect, request: [UInt8](repeating: 49, count: size), response: [49])
        }
        let batches = PairBatches(size: 1_000, lines: 3)
        for _ in 0..<7 { batches.add(pair(.chat, 1)) }
        batches.add(pair(.messages, 1))
        #expect(batches.takeFull().map(\.lines) == [3, 3] && batches.takeFull().isEmpty)
        batches.add(pair(.messages, 2_000))
        #expect(batches.takeFull().map(\.isAnthropic) == [true])
        let rest = batches.takeAll()
        #expect(rest.map(\.lines) == [1] && batches.takeAll().isEmpty)
        #expect(
            rest.map { String(decoding: $0.bytes, as: UTF8.self) } == [
                "{\"dialect\":\"chat\",\"request\":1,\"response\":1}\n"
            ])
    }

    @Test func importAnswersAreReadWithCare() throws {
        var report = ImportReport()
        try report.add(Bytes(#"{"stored":2,"refused":[{"line":1,"reason":"x"},{"line":3}]}"#), sent: 4)
        #expect(report.stored == 2 && report.refused == ["x": 1, "unknown": 1])
        #expect(report.complaint == ["2 pairs were refused: unknown 1, x 1"])
        for text in ["", "{}", #"{"stored":5,"refused":[]}"#, #"{"stored":1,"refused":{}}"#] {
            #expect(throws: CommandFailure.self) { try report.add(Bytes(text), sent: 4) }
        }
    }
}
