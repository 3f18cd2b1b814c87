import Semantic
import Testing

/// Pairs of questions and what the guards say of them, English and Chinese.
@Suite struct GuardsTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var guardian: Guard
        var new: String
        var old: String
        var testDescription: String { "\(guardian.rawValue): \(new) | \(old)" }

        init(_ guardian: Guard, _ new: String, _ old: String) {
            self.guardian = guardian
            self.new = new
            self.old = old
        }
    }

    static let different: [Row] = [
        Row(.number, "Give me 3 ideas for a garden", "Give me five ideas for a garden"),
        Row(.number, "What is 1,250 divided by 5?", "What is 1,205 divided by 5?"),
        Row(.number, "Who was the second president?", "Who was the third president?"),
        Row(.number, "推荐三本小说", "推荐五本小说"),
        Row(.number, "一百二十五乘以四", "一百五十二乘以四"),
        Row(.number, "第二章讲什么", "第十二章讲什么"),
        Row(.number, "rename num1 in my script", "rename num2 in my script"),
        Row(.number, "12 plus 30", "12 minus 30"),
        Row(.unit, "How many ounces are in a cup?", "How many grams are in a cup?"),
        Row(.unit, "一公里等于多少里", "一公里等于多少英里"),
        Row(.unit, "interest per month", "interest per year"),
        Row(.date, "Who led the country in 1996?", "Who led the country in 1998?"),
        Row(.date, "flights on Tuesday", "flights on Thursday"),
        Row(.date, "wake me at 7am", "wake me at 7pm"),
        Row(.date, "明天上海天气", "后天上海天气"),
        Row(.version, "what changed in 3.10.1", "what changed in 3.10.2"),
        Row(.negation, "Which plants need direct sun?", "Which plants do not need direct sun?"),
        Row(.negation, "Is it legal to keep foxes?", "Is it illegal to keep foxes?"),
        Row(.negation, "哪些菜适合糖尿病人", "哪些菜不适合糖尿病人"),
        Row(.antonym, "How do I increase the volume?", "How do I decrease the volume?"),
        Row(.antonym, "switch on the heating", "switch off the heating"),
        Row(.antonym, "说说住校的优点", "说说住校的缺点"),
        Row(.antonym, "怎么打开定位", "怎么关闭定位"),
        Row(.direction, "trains from Lyon to Turin", "trains from Turin to Lyon"),
        Row(.direction, "Celsius to Fahrenheit", "Convert Fahrenheit to Celsius"),
        Row(.direction, "Is Vue better than React?", "Is React better than Vue?"),
        Row(.direction, "上海到北京的火车", "北京到上海的火车"),
        Row(.direction, "把德语翻译成法语", "把法语翻译成德语"),
        Row(.entity, "How do I install MySQL?", "How do I install Redis?"),
        Row(.entity, "What's the capital of Kenya?", "What's the capital of Ghana?"),
        Row(.entity, "Who founded Zalbrix in Europe?", "Who founded Quentor in Europe?"),
        Row(.entity, "斯洛伐克的首都", "斯洛文尼亚的首都"),
        Row(.quoted, "What does 'candid' mean?", "What does 'austere' mean?"),
        Row(.quoted, "“早安”怎么说", "“晚安”怎么说"),
        Row(.code, "what does --force do", "what does --quiet do"),
        Row(.code, "explain max_depth", "explain min_leaf_size"),
        Row(.language, "Say good night in Polish", "Say good night in Dutch"),
        Row(.language, "用日语介绍自己", "用韩语介绍自己"),
        Row(.language, "What is a black hole exactly?", "黑洞是什么东西"),
        Row(.format, "List the planets as JSON", "List the planets as a table"),
        Row(.format, "Explain tides in two sentences", "Explain tides in two paragraphs"),
        Row(.format, "用表格列出行星", "用JSON列出行星"),
    ]

    @Test(arguments: different) func whatIsDifferentIsRefused(_ row: Row) {
        let report = Guards.compare(row.new, row.old)
        #expect(report.objections.contains { $0.guardian == row.guardian }, "\(report.objections)")
        #expect(report.signals[.objections] > 0)
    }

    static let same: [(String, String)] = [
        ("What is 15 + 27?", "Please tell me: what's 27 + 15?"),
        ("Give me three ideas", "give me 3 ideas!"),
        ("What's 50% of 2,000?", "What is 50 percent of 2000?"),
        ("How long is 60 minutes?", "How long is 1 hour?"),
        ("Wake me at 3pm", "wake me at 15:00"),
        ("Don't you know how to fix a flat tyre?", "How do I repair a flat tyre?"),
        ("I can't open the file", "I cannot open the file"),
        ("Tips for a not expensive trip", "Tips for a cheap trip"),
        ("a sentence without 'candid'", "a sentence that does not contain 'candid'"),
        ("What's the difference between TCP and UDP?", "What's the difference between UDP and TCP?"),
        ("Population of the USA", "population of the United States"),
        ("Install VS Code", "install Visual Studio Code"),
        ("How do I reverse a string?", "How do I reverse a stirng?"),
        ("Hello! What is the tallest mountain? Thanks", "What's the tallest mountain"),
        ("2014年世界杯冠军", "2014世界杯冠军是谁"),
        ("一公里等于多少米", "1公里是几米"),
        ("请问感冒是不是会传染", "感冒会传染吗"),
        ("这个和那个有什么不同", "这个和那个有什么区别"),
        ("推荐十本书，谢谢", "请推荐10本书"),
        ("如何将PDF转为Word", "PDF转Word的方法"),
    ]

    @Test(arguments: same) func whatIsTheSamePasses(_ new: String, _ old: String) {
        #expect(Guards.compare(new, old).objections == [])
        #expect(Guards.compare(old, new).objections == [])
    }

    private static let passage = """
        The committee met in Lisbon and talked about the new bridge for two hours. The engineer said that the old plan \
        would cost 4,000 euros more than expected. Most members agreed with the proposal, but some of them were afraid \
        that the river would rise again in spring. The mayor promised to send a letter to all of them.
        """

    @Test func aLongTextIsJudgedByItsDifference() throws {
        let report = Guards.compare(
            Self.passage + "\n\nSummarize the text.",
            Self.passage.replacing("bridge", with: "tunnel") + "\n\nSummarize the text.")
        #expect(report.isJudgedByDifference)
        #expect(report.objections.map(\.guardian).contains(.detail))
        let difference = try #require(report.difference.first)
        #expect(report.difference.count == 1)
        let text = Self.passage.unicodeScalars
        let lower = text.index(text.startIndex, offsetBy: difference.new.lowerBound)
        #expect(String(text[lower..<text.index(lower, offsetBy: difference.new.count)]) == "bridge")
    }

    @Test func anotherTaskAtTheEndIsAnotherRequest() {
        let report = Guards.compare(
            Self.passage + "\n\nSummarize the text in one sentence.",
            Self.passage + "\n\nTranslate the text into French.")
        #expect(report.objections.map(\.guardian).contains(.task))
    }

    @Test func aLongTextMayBeAskedAboutInOtherWords() {
        let report = Guards.compare(
            "Hello!\n" + Self.passage + "\n\nTranslate the text above into French.",
            Self.passage + "\n\nPlease translate the above text to French.")
        #expect(report.objections == [])
        #expect(report.isJudgedByDifference)
    }

    @Test func tooMuchTextIsRefused() {
        let long = String(repeating: "a b ", count: 20_000)
        #expect(Guards.compare(long, long + "c").objections.map(\.guardian) == [.size])
        #expect(Guards.compare(long, long).objections == [])
    }

    @Test func signalsHaveANameAndAPlace() {
        #expect(GuardSignals().values.count == GuardSignal.allCases.count)
        let report = Guards.compare("Give me 3 ideas", "Give me 4 ideas")
        #expect(report.signals[.numberConflict] == 1)
        #expect(report.signals[.contentOverlap] > 0)
        #expect(report.signals.values[GuardSignal.numberConflict.rawValue] == 1)
    }
}
