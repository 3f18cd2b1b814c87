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
