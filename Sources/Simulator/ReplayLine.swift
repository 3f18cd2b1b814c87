import Core
import Dialects

/// One request of a log.
struct ReplayLine {
    var target: String
    var headers: [HeaderField]
    var body: Bytes

    struct Invalid: Error { let message: String }

    /// Reads a request body, or an object with `url` and `body` as batch files have them.
    init(_ text: Substring, credential: String?) throws(Invalid) {
        let value: JSONValue
        do { value = try JSONValue.parse(String(text)) } catch { throw Invalid(message: "not valid JSON") }
        guard let object = value.object else { throw Invalid(message: "not a JSON object") }
        let inner = object["body"]?.object
        let body = inner ?? object
        if let url = object["url"]?.text, inner != nil {
            guard url.hasPrefix("/") else { throw Invalid(message: "'url' is not a path") }
            target = url
        } else {
            guard let dialect = ReplayLine.dialect(of: body) else {
                throw Invalid(message: "no request: it has neither messages nor prompt nor input")
            }
            target = dialect.path
        }
        headers = [HeaderField("Content-Type", "application/json")]
        if let credential { headers.append(HeaderField("Authorization", "Bearer " + credential)) }
        self.body = inner == nil ? Bytes(String(text)) : Bytes(JSONValue.object(body).serialised)
    }

    private static func dialect(of body: JSONObject) -> Dialect? {
        if body["messages"] != nil { return body["system"] == nil ? .chat : .messages }
        if body["prompt"] != nil { return .completions }
        guard body["input"] != nil else { return nil }
        return body["model"]?.text?.contains("embed") == true ? .embeddings : .responses
    }

    /// All lines of a file; blank ones are skipped.
    static func read(_ bytes: [UInt8], credential: String?) throws(Invalid) -> [ReplayLine] {
        var result: [ReplayLine] = []
        let text = String(decoding: bytes, as: UTF8.self)
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            guard line.contains(where: { !$0.isWhitespace }) else { continue }
            do throws(Invalid) {
                result.append(try ReplayLine(line, credential: credential))
            } catch {
                throw Invalid(message: "line \(index + 1): \(error.message)")
            }
        }
        return result
    }
}
