import Core
import Dialects

/// What a request asks of the simulated model.
struct SimulatedRequest {
    let dialect: Dialect
    let body: JSONObject
    let model: String
    let wantsStream: Bool
    let wantsUsage: Bool
    let choices: Int
    let prompt: String
    /// The same for the same request, whatever the order of its members and the form it asks for.
    let seed: UInt64
    /// Differs from call to call, as ids and times do with a real model.
    let id: String
    let created: Int64

    /// A sentence for the client where the body is not a request.
    struct Refusal: Error { let message: String }

    init(_ dialect: Dialect, _ bytes: UnsafeRawBufferPointer, id: String, created: Int64) throws(Refusal) {
        let value: JSONValue
        do { value = try JSONValue.parse(bytes) } catch { throw Refusal(message: "the body is not valid JSON") }
        guard let body = value.object else { throw Refusal(message: "the body is not a JSON object") }
        guard let model = body["model"]?.text else { throw Refusal(message: "'model' is missing or not a string") }
        let needed = ["messages", "prompt", "input", "input", "messages"][Int(dialect.rawValue)]
        guard let input = body[needed] else { throw Refusal(message: "'\(needed)' is missing") }
        self.dialect = dialect
        self.body = body
        self.model = model
        self.id = id
        self.created = created
        wantsStream = body["stream"] == .bool(true) && dialect != .embeddings
        wantsUsage = body["stream_options"]?["include_usage"] == .bool(true)
        choices = min(max(1, body["n"]?.integer ?? 1), 16)
        var texts: [String] = []
        SimulatedRequest.collect(input, into: &texts)
        prompt = texts.joined(separator: "\n")
        seed = Fingerprint(.object(body.without("stream", "stream_options"))).value
    }

    /// The most tokens that may be made, where the client says so.
    var tokenLimit: Int? {
        ["max_completion_tokens", "max_tokens", "max_output_tokens"].lazy.compactMap { body[$0]?.integer }.first
            .map { max(1, $0) }
    }

    /// About what a tokeniser would count.
    var promptTokens: Int { max(1, prompt.utf8.count / 4) }

    var isReasoner: Bool { model.contains("reasoner") }

    /// The first tool, if the prompt asks for a call.
    var toolToCall: String? {
        guard prompt.contains("call"), let tool = body["tools"]?.elements?.first else { return nil }
        return tool["function"]?["name"]?.text ?? tool["name"]?.text
    }

    /// Arguments for that tool.
    var toolArguments: String { "{\"query\":\"simulated \(String(seed, radix: 16))\",\"limit\":3}" }

    private static func collect(_ value: JSONValue, into texts: inout [String]) {
        switch value {
        case .string(let text): texts.append(text)
        case .array(let elements): for element in elements { collect(element, into: &texts) }
        case .object(let object):
            for name in ["content", "text", "input"] { if let value = object[name] { collect(value, into: &texts) } }
        default: break
        }
    }
}
