import Core
import Testing

@testable import refrain

@Suite struct PurgeCommandTests {
    private static let key = String(repeating: "0123456789abcdef", count: 4)

    private func request(_ words: [String]) throws -> String {
        try PurgeSelector.request(try Arguments(words, for: .purge))
    }

    @Test(arguments: [
        (["--all"], #"{"all":true}"#), (["--key", key], #"{"key":"\#(key)"}"#),
        (["--model", "a \"b\""], #"{"model":"a \"b\""}"#), (["--tag=t"], #"{"tag":"t"}"#),
        (["--namespace", "n"], #"{"namespace":"n"}"#),
        (["--tenant", "00000000000000ff"], #"{"tenant":"00000000000000ff"}"#),
        (["--older-than", "24h"], #"{"olderThan":"24h"}"#), (["--all", "--dry-run"], #"{"all":true,"dryRun":true}"#),
        (["--dry-run", "--model", "m", "--json"], #"{"model":"m","dryRun":true}"#),
    ])
    func asks(words: [String], body: String) throws { #expect(try request(words) == body) }

    @Test(arguments: [
        ([], "purge needs to know what"), (["--dry-run"], "purge needs to know what"),
        (["--all", "--model", "m"], "in one way only"), (["--tag", "t", "--model", "m"], "in one way only"),
        (["--key", "12"], "64 hexadecimal digits"), (["--tenant", "ff"], "16 hexadecimal digits"),
        (["--tenant", "+0000000000000ff"], "16 hexadecimal digits"), (["--older-than", "24"], "not a duration"),
        (["--older-than", "-1h"], "not a duration"), (["--model"], "--model needs a value"),
        (["--model", "a", "--model", "b"], "given twice"), (["--all=yes"], "takes no value"),
        (["--modle", "m"], "did you mean --model?"), (["m"], "one argument too many"),
    ])
    func refuses(words: [String], message: String) {
        let failure = #expect(throws: CommandFailure.self) { try request(words) }
        #expect(failure?.kind == .wrongUse)
        #expect(failure?.message.contains(message) == true, "\(words): \(failure?.message ?? "taken")")
    }
}
