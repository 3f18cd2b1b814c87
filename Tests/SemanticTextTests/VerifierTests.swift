import Semantic
import TestKit
import Testing

struct VerifierTests {
    private static let calibration = "[[-1,0.1,0.05],[1,0.5,0.4],[3,0.9,0.8]]"

    private static func model(
        base: String = "0", linear: String = "{\"gramJaccard\":2}", features: String = "[]", trees: String = "[]",
        calibration: String = calibration, format: String = "1"
    ) -> [UInt8] {
        Array(
            """
            {"format":\(format),"base":\(base),"linear":\(linear),"features":\(features),"trees":\(trees),
            "calibration":\(calibration),"provenance":"a test"}
            """.utf8)
    }

    private func judge(_ verifier: Verifier, _ a: String, _ b: String) -> Judgement {
        let (new, old) = (VerifiedText(a), VerifiedText(b))
        return verifier.judge(
            new, old, cosine: nil, weights: nil, report: Guards.compare(new.prepared, old.prepared))
    }

    @Test func `the coefficients that ship are whole and say where they come from`() throws {
        let verifier = try Verifier()
        #expect(verifier.provenance.allSatisfy { $0.contains("train.py") })
    }

    @Test(arguments: [
        ([UInt8]("nonsense".utf8), "no JSON"), ([], "no JSON"), ([UInt8]("{}".utf8), "another format"),
        (model(format: "2"), "another format"), (model(base: "\"0\""), "lack a number for base"),
        (model(base: "1e99"), "lack a number for base"),
        (model(linear: "{\"nothing\":1}"), "a feature nothing that is not measured"),
        (model(linear: "{}"), "neither trees nor weights"),
        (model(features: "[\"nothing\"]"), "a feature nothing that is not measured"),
        (model(features: "[\"cosine\"]", trees: "[[]]"), "empty or too large tree"),
        (model(features: "[\"cosine\"]", trees: "[[[0,0.5,0],[1],[2]]]"), "leads nowhere"),
        (model(features: "[\"cosine\"]", trees: "[[[0,0.5,2],[1],[2]]]"), "leads nowhere"),
        (model(features: "[\"cosine\"]", trees: "[[[1,0.5,1],[1],[2]]]"), "leads nowhere"),
        (model(features: "[\"cosine\"]", trees: "[[[\"x\"]]]"), "lack a number for leaf"),
        (model(calibration: "[]"), "lack a calibration"), (model(calibration: "[[0,1,1]]"), "lack a calibration"),
        (model(calibration: "[[0,1],[1,1]]"), "lack a calibration of three numbers"),
        (model(calibration: "[[0,0.5,0.4],[0,0.6,0.5]]"), "calibration that falls"),
        (model(calibration: "[[0,0.5,0.4],[1,0.4,0.4]]"), "calibration that falls"),
        (model(calibration: "[[0,0.5,0.6],[1,0.7,0.6]]"), "outside 0 to 1"),
        (model(calibration: "[[0,0.5,0.4],[1,1.1,0.6]]"), "outside 0 to 1"),
    ])
    func `coefficients that cannot be used are refused by name`(document: [UInt8], reason: String) {
        let fault = #expect(throws: VerifierFault.self) { try Verifier(encoder: Self.model(), lexical: document) }
        #expect(fault?.description.contains(reason) == true, "\(fault?.description ?? "")")
    }

    @Test func `between points of the calibration lies a straight line, beyond them the outermost`() throws {
        for (base, probability, bound) in [
            (-9.0, 0.1, 0.05), (-3, 0.1, 0.05), (-2, 0.3, 0.225), (-1, 0.5, 0.4), (0.5, 0.8, 0.7), (1, 0.9, 0.8),
            (50, 0.9, 0.8),
        ] {
            // Equal texts have all their n-grams in common: the score is two above the base.
            let judgement = judge(
                try Verifier(encoder: Self.model(), lexical: Self.model(base: "\(base)")), "same words", "same words")
            #expect(abs(judgement.score - Float(base) - 2) < 1e-5)
            #expect(abs(judgement.probability - probability) < 1e-5 && abs(judgement.lowerBound - bound) < 1e-5)
        }
    }

    @Test func `a tree is followed to its leaf`() throws {
        let trees = "[[[0,0.5,1],[-3],[1,0.5,3],[10],[20]]]"
        let verifier = try Verifier(
            encoder: Self.model(),
            lexical: Self.model(linear: "{}", features: "[\"sameWords\",\"questionsDiffer\"]", trees: trees))
        #expect(judge(verifier, "red apples", "green pears").score == -3)
        #expect(judge(verifier, "red apples", "red apples").score == 10)
    }

    private static let pairs = [
        ("How do I reset my password?", "how do i reset my password"),
        ("How do I reset my password?", "What is the way to reset my password, please?"),
        ("Convert 10 km to miles", "Convert 12 km to miles"),
        ("怎么在微信上删除好友", "如何在微信里删除好友？"),
        ("怎么在微信上删除好友", "如何在微信上添加好友"),
        ("", "something"), ("", ""), ("!!!", "???"), ("ＡＢＣ　１２３", "abc 123"),
    ]

    @Test(arguments: pairs)
    func `it does not matter which text is the new one`(a: String, b: String) throws {
        let verifier = try Verifier()
        #expect(judge(verifier, a, b) == judge(verifier, b, a))
    }

    @Test func `a rewording is judged better than another question`() throws {
        let verifier = try Verifier()
        for (text, reworded, other) in [
            ("How do I reset my password?", "hello, how can I reset my password", "How do I change my address?"),
            ("怎么在微信上删除好友", "请问如何在微信里删除好友？", "怎么在微信上群发消息"),
        ] {
            #expect(judge(verifier, text, reworded).score > judge(verifier, text, other).score)
        }
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func `no text breaks it`(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let verifier = try Verifier()
        let letters = Array("ab 1２.,'好的不　+#é\u{301}😀\u{0}\n".unicodeScalars)
        func text() -> String {
            String(
                String.UnicodeScalarView(
                    (0..<Int.random(in: 0..<40, using: &random)).map { _ in
                        letters[Int.random(in: 0..<letters.count, using: &random)]
                    }))
        }
        for _ in 0..<300 {
            let (a, b) = (text(), text())
            let judgement = judge(verifier, a, b)
            #expect(
                judgement.score.isFinite && judgement.lowerBound <= judgement.probability, "seed \(seed): \(a) \(b)")
            #expect(judge(verifier, a, a).score >= judgement.score - 1e-3, "seed \(seed): \(a) \(b)")
        }
    }

    /// Two tokens, along the axes of a plane: the second text says them in the other order.
    @Test func `swapped tokens are seen in the alignment`() throws {
        let weights = TokenWeights([("paris", 5), ("rome", 6)], prefix: "##")
        func text(_ ids: [Int32], _ rows: [[Float]]) throws -> VerifiedText {
            let tokens = TokenizedText(ids: [1] + ids + [2], unknown: 0)
            let vectors = ([[1, 0, 0, 0]] + rows + [[1, 0, 0, 0]]).flatMap { $0 }
            return VerifiedText(
                "", encoding: VerifiedText.Encoding(tokens, rows: TokenRows(width: 4, vectors: vectors)))
        }
        let one = try text([5, 6], [[0, 1, 0, 0], [0, 0, 1, 0]])
        let swapped = try text([6, 5], [[0, 0, 1, 0], [0, 1, 0, 0]])
        let other = try text([5, 7], [[0, 1, 0, 0], [0, 0, 0, 1]])
        func features(_ other: VerifiedText) -> PairFeatures {
            Verifier.features(one, other, cosine: 0.5, weights: weights, report: GuardReport()).values
        }
        #expect(features(one)[.inversions] == 0 && features(one)[.worst] > 0.99 && features(one)[.differing] == 0)
        #expect(features(swapped)[.inversions] == 1 && features(swapped)[.meanLow] > 0.99)
        #expect(features(other)[.worst] < 0.01 && features(other)[.differing] == 2)
    }

    @Test func `rows of bytes keep directions, and odd numbers do no harm`() {
        let rows = TokenRows(width: 2, vectors: [0.6, -0.8, .nan, 1, 0, 0])
        #expect(rows.count == 3)
        #expect(rows.bytes == [95, -127, 0, 127, 0, 0])
        #expect(abs(Float(rows.bytes[1]) * rows.scales[0] + 0.8) < 1e-6)
    }
}
