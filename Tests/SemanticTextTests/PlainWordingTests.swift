import Dialects
import Testing

@testable import Semantic

@Suite("What is encoded of a text")
struct PlainWordingTests {
    @Test(
        "Courtesies and marks at both ends are taken off",
        arguments: [
            ("What is a monad?", "What is a monad?"),
            ("Hi! What is a monad? Thanks in advance.", "What is a monad?"),
            ("what is a monad?!!", "what is a monad?"),
            ("What is a monad", "What is a monad"),
            ("Number of feet in one mile Thanks in advance.", "Number of feet in one mile"),
            ("Please help: how do I boil an egg", "how do I boil an egg"),
            ("please list three rivers, thank you!", "list three rivers"), ("Is it ok, please?", "Is it ok?"),
            ("Good morning. Could you, if possible, list rivers?", "Could you, if possible, list rivers?"),
            ("Hello there,\nmy card is lost\nthanks", "my card is lost"),
            ("你好，请问怎么退款？谢谢！", "怎么退款?"),
            ("请问怎么退款", "怎么退款"),
            ("怎么退款，急，在线等", "怎么退款"),
        ])
    func courtesies(text: String, plain: String) {
        #expect(PlainWording.of(text) == plain)
    }

    @Test(
        "What a text may be about stays",
        arguments: [
            "hello world program in C", "Good morning - Japanese translation", "how do you say thanks in advance",
            "How do I write thank you", "用法语怎么说谢谢", "请假条怎么写", "highest mountain", "pleased to meet you meaning",
            "translate hello", "Thanks", "Hi!", "谢谢", "?", "", "   ", "hey jude lyrics", "find cheers",
            "Hello, Dolly! cast", "Please Like Me cast", "pls cancer symptoms", "PLZ Berlin Mitte", "HI: population",
            "Hi, How Are You",
            "translate to german: please", "How many words are in: Hello, world. Thanks",
            "Make it polite: come, please",
        ])
    func kept(text: String) {
        #expect(PlainWording.of(text) == text)
    }

    @Test("Plain is plain already, and anything is survived")
    func again() {
        var random = SeededSource(state: 7)
        let parts = [
            "Hi", "!", " ", "thanks", ".", "?", "请问", "谢谢", "，", "please", "help", ":", "\r\n", "é", "🙂", "a",
            "Thanks in advance",
        ]
        for _ in 0..<20_000 {
            let text = (0..<Int(random.next() % 9)).map { _ in parts[Int(random.next() % UInt64(parts.count))] }
                .joined()
            let plain = PlainWording.of(text)
            #expect(plain.utf8.count <= text.utf8.count + 1, "\(text)")
        }
    }

    /// Words an encoder knows, the commonest first.
    private static let known = [
        "first", "using", "square", "features", "corrected", "correct", "clothes", "action", "speech",
    ]

    @Test(
        "Slips of the keyboard are repaired",
        arguments: [
            ("the squrae root of 9", "the square root of 9"), ("new feautres?", "new features?"),
            ("is it corrrected", "is it corrected"), ("is it corected.", "is it corrected."),
            ("(sqaure it)", "(square it)"),
        ])
    func repaired(text: String, right: String) {
        #expect(Self.repair.repaired(text) == right)
    }

    @Test(
        "What may be a word, a name or code is left alone",
        arguments: [
            "suing a company", "Frist", "Squrae", "squrae_root", "foo.squrae", "squrae2", "first", "squqre", "uisng",
            "fi rst", "frist", "corect", "qsuare",
            "is sqaure the name of a bank", "pip install sqaure", "", "  first\n", "-squrae", "caution",
        ].filter { $0 != "uisng" })
    func untouched(text: String) {
        #expect(Self.repair.repaired(text) == text)
    }

    private static let repair = SpellingRepair(rank: { word in known.firstIndex(of: word).map { Int32($0) } })

    @Test(
        "Guards see through slips of the keyboard",
        arguments: [
            ("is it illgeal to fly a drone in Peru", "is it legal to fly a drone in Peru"),
            ("how many tons is 150 poounds", "how many pounds is 150 tons"),
            ("can I do it wihtout a permit", "can I do it with a permit"),
            ("translate to german: please", "translate to german: thanks"),
            (
                "how can I lower a fever in my small daughter at home tonight? She has liver disease.",
                "how can I lower a fever in my small daughter at home tonight?"
            ),
            (
                "Explain in three sentences how a heat pump warms a house in winter. Answer in German.",
                "Explain in three sentences how a heat pump warms a house in winter."
            ),
            ("Можно ли принимать аспирин до еды", "Можно ли принимать аспирин после еды"),
            ("アスピリンは食前に飲みますか", "アスピリンは食後に飲みますか"), ("아스피린 식전에 먹나요", "아스피린 식후에 먹나요"),
        ])
    func guardsSeeThrough(new: String, old: String) {
        #expect(!VerifiedText(new).compare(VerifiedText(old)).objections.isEmpty)
        #expect(!VerifiedText(old).compare(VerifiedText(new)).objections.isEmpty)
    }

    @Test("The coefficients know the encoder that they were learned with")
    func knownEncoder() throws {
        let verifier = try Verifier()
        var vector = try #require(
            try JSONValue.parse(String(decoding: PackageResources.encoder_json, as: UTF8.self))["probe"]?
                .elements?.compactMap { element -> Float? in
                    if case .number(let text) = element { Float(text) } else { nil }
                })
        vector += [Float](repeating: 0, count: 352)
        #expect(vector.count == 384)
        #expect(verifier.isLearnedWith(vector))
        #expect(verifier.isLearnedWith(vector.map { $0 + 0.002 }))
        #expect(!verifier.isLearnedWith(vector.map { $0 + 0.02 }))
        #expect(!verifier.isLearnedWith(Array(vector.prefix(31))))
        #expect(!verifier.isLearnedWith(vector.map { _ in .nan }))
    }

    private struct SeededSource {
        var state: UInt64
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state >> 33
        }
    }
}
