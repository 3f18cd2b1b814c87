import Core
import Dialects

/// Embeddings of the OpenAI protocol: vectors of length 1 that depend on the input alone and mean nothing.
enum EmbeddingAnswer {
    private static let defaultDimensions = 256
    private static let maxDimensions = 4096

    static func answer(_ request: SimulatedRequest) -> SimulatedAnswer {
        let wanted = request.body["dimensions"]?.integer ?? defaultDimensions
        let dimensions = min(max(1, wanted), maxDimensions)
        let isBase64 = request.body["encoding_format"]?.text == "base64"
        let data = inputs(request).enumerated().map { index, input in
            let vector = SimulatedText.vector(seed: Fingerprint(input).value, dimensions: dimensions)
            return JSONValue.object([
                "object": .string("embedding"), "index": .number(index),
                "embedding": isBase64 ? .string(base64(vector)) : .array(vector.map { .number(Double($0)) }),
            ])
        }
        let usage: JSONObject = [
            "prompt_tokens": .number(request.promptTokens), "total_tokens": .number(request.promptTokens),
        ]
        let whole: JSONObject = [
            "object": .string("list"), "data": .array(data), "model": .string(request.model), "usage": .object(usage),
        ]
        return SimulatedAnswer(whole: .object(whole), events: [], tokens: 0)
    }

    /// A text, a list of tokens, or a list of either.
    private static func inputs(_ request: SimulatedRequest) -> [JSONValue] {
        let input = request.body["input"] ?? .null
        guard let elements = input.elements, let first = elements.first, first.integer == nil else { return [input] }
        return elements
    }

    private static func base64(_ vector: [Float]) -> String {
        let bytes = vector.flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> ($0 * 8)) } }
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var text: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = (0..<3).map { start + $0 < bytes.count ? UInt32(bytes[start + $0]) : 0 }
            let bits = group[0] << 16 | group[1] << 8 | group[2]
            let count = min(3, bytes.count - start)
            for position in 0..<4 {
                let index = Int(bits >> UInt32(18 - 6 * position) & 63)
                text.append(position <= count ? alphabet[index] : UInt8(ascii: "="))
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
