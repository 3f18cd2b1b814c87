import Semantic
import TestKit
import Testing

@Suite struct LexicalTests {
    private func likeness(_ a: String, _ b: String) throws -> Float {
        let x = try #require(LexicalSketch.vector(of: a))
        let y = try #require(LexicalSketch.vector(of: b))
        return zip(x, y).reduce(0) { $0 + $1.0 * $1.1 }
    }

    @Test(arguments: [
        ("What is the capital of France?", "what is  the capital of france"),
        ("Ｗｈａｔ ｎｏｗ？", "what now"), ("今天天气怎么样？", "今天天气怎么样"),
        ("ÉCOLE primaire", "école primaire"), ("价格是多少！！", "价格是多少"),
    ]) func whatMakesNoDifference(_ a: String, _ b: String) throws {
        #expect(try likeness(a, b) > 0.9999)
    }

    @Test(arguments: [
        ("请问今天天气怎么样", "今天天气怎么样啊", "明天股票会涨吗"),
        ("Please tell me the capital of France", "what is the capital of France", "how do I boil an egg"),
        ("如何把摄氏度转换成华氏度", "怎么把摄氏度转换成华氏度", "苹果手机怎么截屏"),
    ]) func nearerThanAnother(_ a: String, _ b: String, _ other: String) throws {
        #expect(try likeness(a, b) > 0.6)
        #expect(try likeness(a, other) < 0.3)
    }

    /// Not equal, where meaning is not.
    @Test(arguments: [
        ("Celsius to Fahrenheit", "Fahrenheit to Celsius"), ("turn the light on", "turn the light off"),
        ("我能不能退货", "我能退货"), ("2014 World Cup", "2018 World Cup"), ("三斤等于多少克", "五斤等于多少克"),
    ]) func neverTheSame(_ a: String, _ b: String) throws {
        #expect(try likeness(a, b) < 0.97)
    }

    @Test(arguments: ["", " ", "?!…", "😀", "\n\t"]) func nothingToCompare(_ text: String) {
        #expect(LexicalSketch.vector(of: text) == nil)
    }

    @Test func bounds() {
        #expect(LexicalSketch.vector(of: String(repeating: "word ", count: 3000)) != nil)
        #expect(LexicalSketch.vector(of: String(repeating: "word ", count: 4000)) == nil)
        #expect(LexicalSketch.vector(of: String(repeating: "字", count: LexicalSketch.longest * 2)) == nil)
    }

    /// The vectors of all versions with one identity are the same.
    @Test func identityHolds() throws {
        let vector = try #require(LexicalSketch.vector(of: "Refrain 缓存 cafe\u{301} 42"))
        #expect(vector.count == LexicalSketch.width)
        let length = vector.reduce(0) { $0 + $1 * $1 }
        #expect(abs(length - 1) < 1e-5)
        var digest: UInt64 = 0xCBF2_9CE4_8422_2325
        for value in vector {
            digest = (digest ^ UInt64(bitPattern: Int64((value * 10_000).rounded()))) &* 0x0000_0100_0000_01B3
        }
        #expect(digest == 17_672_950_238_984_969_417, "change LexicalSketch.identity with the vectors")
    }

    @Test(arguments: 1...200 as ClosedRange<UInt64>) func anyTextHasAVectorOrNone(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var scalars = String.UnicodeScalarView()
        for _ in 0..<Int.random(in: 0...400, using: &random) {
            if let scalar = Unicode.Scalar(UInt32.random(in: 0...0x10FFFF, using: &random)) { scalars.append(scalar) }
        }
        let vector = LexicalSketch.vector(of: String(scalars))
        #expect(vector?.allSatisfy(\.isFinite) ?? true, "seed \(seed)")
    }
}

@Suite struct ReadabilityTests {
    private let english = ScriptCoverage((0..<1500).map { "##word\($0)" } + ["中", "国", "й"])
    private let chinese = ScriptCoverage(
        (0..<1500).map { "word\($0)" } + (0x4E00..<0x5500).map { "\(Unicode.Scalar($0) ?? "x")" })

    @Test func whatAVocabularyCovers() {
        #expect(english.scripts == [.latin])
        #expect(chinese.scripts == [.latin, .han])
        #expect(ScriptCoverage([String]()).scripts == [])
    }

    @Test(arguments: [
        ("What is the capital of France?", 0, Readability.readable, Readability.readable),
        ("中国的首都在哪里", 0, .unknownScript, .readable),
        ("How do you say 你好 in the English language, please?", 0, .readable, .readable),
        ("Where is Москва?", 0, .unknownScript, .unknownScript),
        ("12 + 30 = ?", 0, .readable, .readable),
        ("What is this thing?", 3, .unknownTokens, .unknownTokens),
    ]) func whoMayCompare(_ text: String, unknown: Int, _ byEnglish: Readability, _ byChinese: Readability) {
        let tokens = TokenizedText(ids: Array(repeating: 7, count: 14), unknown: unknown)
        #expect(Readability(of: text, tokens, by: english) == byEnglish)
        #expect(Readability(of: text, tokens, by: chinese) == byChinese)
    }
}
