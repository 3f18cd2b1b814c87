/// Request bodies as clients send them.
struct BenchmarkBody {
    let name: String
    let bytes: [UInt8]

    init(_ name: String, _ text: String) {
        self.name = name
        bytes = Array(text.utf8)
    }

    static let all = [
        BenchmarkBody("chat", chat(system, question)),
        BenchmarkBody("chat-spaced", spaced(chat(system, question))),
        BenchmarkBody("chat-code", chat(system, code)),
        BenchmarkBody("chat-chinese", chat(system, chinese)),
        BenchmarkBody("chat-escaped", chat(system, escaped)),
        BenchmarkBody("chat-turns", turns),
    ]

    /// Bodies of 8 MB made to be dear: reading them must stay within fractions of a second.
    static let hostile = [
        BenchmarkBody("members-reversed", object((0..<700_000).map { "n\(1_699_999 - $0)" })),
        BenchmarkBody("members-shuffled", object((0..<700_000).map { "n\(1_000_000 + $0 * 7919 % 700_000)" })),
        BenchmarkBody("names-alike", object((0..<4000).map { alike + String(1000 + $0 * 7919 % 4000) })),
        BenchmarkBody("names-unicode", object((0..<600_000).map { "é\(1_000_000 + $0 * 7919 % 600_000)" })),
        BenchmarkBody(
            "nested-reversed",
            String(repeating: #"{"model":"m","a":"#, count: 60) + "\"" + String(repeating: "x", count: 8 << 20) + "\""
                + String(repeating: "}", count: 60)),
        BenchmarkBody(
            "numbers-growing",
            #"{"model":"m","a":["# + Array(repeating: "1e20", count: 1_600_000).joined(separator: ",") + "]}"),
    ]

    private static let alike = String(repeating: "p", count: 2000)

    private static func object(_ names: [String]) -> String {
        #"{"model":"m","# + names.map { "\"\($0)\":0" }.joined(separator: ",") + "}"
    }

    private static let system =
        "You are a careful assistant for the customers of a bookshop. Answer in plain words, in at most three "
        + "paragraphs, and say so when you do not know. Never invent titles, prices, opening hours or the names of "
        + "authors. Where a customer asks for something that the shop does not sell, say where it may be found."

    private static let question =
        "I read a novel many years ago about a lighthouse keeper who finds a manuscript in a bottle, and the "
        + "manuscript turns out to be the story of the keeper's own life, told by somebody who had not met him. "
        + "I think that it was translated from Portuguese, and the cover was blue with a drawing of a gull. "
        + "It may have been published in the eighties. Could you tell me which book this is, whether it is still "
        + "in print, and if there is anything similar that you would suggest to somebody who likes quiet books?"

    private static let code = String(
        repeating: #"for (let i = 0; i < rows.length; i++) {\n    print(\"row\\t\" + rows[i]);\n}\n"#, count: 8)

    private static let chinese = String(repeating: "请用简单的语言解释一下这本书讲了什么。", count: 10)

    private static let escaped = String(repeating: #"\u8bf7\u7528\u7b80\u5355\u7684\u8bed\u8a00\u3002"#, count: 12)

    private static func chat(_ system: String, _ user: String) -> String {
        #"{"model":"gpt-4o-mini","messages":[{"role":"system","content":""# + system
            + #""},{"role":"user","content":""# + user
            + #""}],"temperature":0.7,"top_p":1.0,"max_tokens":512,"seed":42,"stream":true,"#
            + #""stream_options":{"include_usage":true},"user":"customer-1741"}"#
    }

    private static func spaced(_ text: String) -> String {
        text.replacing(",\"", with: ", \"").replacing("\":", with: "\": ")
    }

    /// Many short messages: more structure than text.
    private static let turns =
        #"{"model":"gpt-4o-mini","messages":["#
        + (0..<20).map { #"{"role":"user","content":"Message number \#($0)"}"# }.joined(separator: ",")
        + #"],"temperature":0,"tools":[{"type":"function","function":{"name":"find","parameters":{"type":"object"}}}]}"#
}
