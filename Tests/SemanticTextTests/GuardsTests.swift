import Semantic
import Testing

@Suite struct GuardsTests {
    @Test func aTextHasNothingAgainstItself() {
        for text in ["", "What is 15 + 27?", "为什么感冒时不可以运动？"] {
            #expect(Guards.compare(text, text).objections.isEmpty)
        }
    }
}
