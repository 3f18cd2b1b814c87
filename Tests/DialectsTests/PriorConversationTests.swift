import Core
import Dialects
import Testing

@Suite struct PriorConversationTests {
    private func prior(_ body: String, _ dialect: Dialect = .chat) -> PriorConversation {
        Bytes(body).withUnsafeBytes { PriorConversation($0, dialect: dialect) }
    }

    private static let turns =
        #"{"role": "user", "content": "Hello"}, {"role": "assistant", "content": [{"type": "text", "text": "Hi"}]}"#
    private static let last = #"{"role": "user", "content": "And now?"}"#

    @Test(arguments: [
        (Dialect.chat, #"{"messages": [{"role": "system", "content": "Be brief."}, \#(turns), \#(last)]}"#),
        (.messages, #"{"system": "Be brief.", "messages": [\#(turns), \#(last)]}"#),
        (.messages, #"{"system": [{"type": "text", "text": "Be brief."}], "messages": [\#(turns), \#(last)]}"#),
        (.responses, #"{"instructions": "Be brief.", "input": [\#(turns), \#(last)]}"#),
        (.responses, #"{"input": [{"role": "developer", "content": "Be brief."}, \#(turns), \#(last)]}"#),
    ]) func allButTheLastText(dialect: Dialect, body: String) {
        let prior = prior(body, dialect)
        #expect(prior.system == "Be brief.")
        #expect(prior.turns == "user: Hello\nassistant: Hi")
    }

    @Test(arguments: [
        (Dialect.chat, #"{"messages": [\#(last)]}"#), (.completions, #"{"prompt": "And now?"}"#),
        (.responses, #"{"input": "And now?"}"#), (.chat, "{"), (.chat, #"{"messages": []}"#), (.embeddings, "{}"),
    ]) func nothingWasSaid(dialect: Dialect, body: String) {
        let prior = prior(body, dialect)
        #expect(prior.system.isEmpty && prior.turns.isEmpty)
    }

    @Test func textsBeforeTheLastOneAreShown() {
        let parts = #"[{"type": "text", "text": "A document."}, {"type": "text", "text": "What does it say?"}]"#
        #expect(prior(#"{"messages": [{"role": "user", "content": \#(parts)}]}"#).turns == "user: A document.")
    }

    /// The beginning of the system prompt and the end of what was said, in whole characters.
    @Test(arguments: ["a", "é", "文", "😀"]) func whatIsLongIsCut(letter: String) {
        let long = String(repeating: letter, count: 20_000)
        let system = #"{"role": "system", "content": "begin \#(long)"}"#
        let turn = #"{"role": "user", "content": "\#(long) end"}"#
        let prior = prior(#"{"messages": [\#(system), \#(turn), \#(Self.last)]}"#)
        #expect(prior.system.hasPrefix("begin \(letter)") && prior.system.hasSuffix("\(letter)…"))
        #expect(prior.turns.hasPrefix("…\(letter)") && prior.turns.hasSuffix("\(letter) end"))
        let bytes = prior.system.utf8.count + prior.turns.utf8.count
        #expect(bytes <= PriorConversation.limit && bytes > PriorConversation.limit - 16)
        #expect(prior.system.utf8.count <= 1 << 10)
    }
}
