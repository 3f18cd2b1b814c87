import Core
import Dialects
import Foreign
import Semantic
import Tiers

/// A server with OpenAI's `/v1/embeddings` that makes the vectors, under a deadline and behind a breaker.
final class RemoteEncoder: TextEncoding {
    let identity: String
    /// Known with the first answer only.
    let width: Int? = nil
    /// Whole texts get vectors, tokens do not.
    let weights: TokenWeights? = nil

    private let settings: Settings.RemoteEncoder
    private let client: AnswerClient
    private let breaker: SharedBreaker

    /// In bytes: about what the common models read.
    private static let longest = 8_192
    private static let mostNumbers = 8_192

    init(
        _ settings: Settings.RemoteEncoder, url: UpstreamURL, clock: any Clock, log: any Log
    ) throws(LoopError) {
        self.settings = settings
        identity = "\(PlainWording.identity) remote \(url.description) \(settings.model)"
        client = try AnswerClient(url, timeout: settings.deadline)
        breaker = SharedBreaker(target: "encoder", clock: clock, log: log)
    }

    func reach(of text: String) -> TextReach { text.utf8.count <= RemoteEncoder.longest ? .readable : .tooLong }

    func tokens(of text: String) -> TokenizedText? { nil }

    /// `budget` is that of an encoder in this process: what is remote has a deadline of its own.
    func encode(_ text: String, budget: Int64) async throws(EncodingRefusal) -> EncodedText {
        guard let permit = breaker.admit() else { throw .failed }
        let answer: AnswerClient.Answer
        do throws(UpstreamFailure) {
            answer = try await client.fetch(request(for: PlainWording.of(text)))
        } catch {
            breaker.failed(permit, reason: error.message)
            throw error.kind == .timeout ? .late : .failed
        }
        if answer.head.status == 200, let vector = RemoteEncoder.vector(in: answer.body) {
            breaker.succeeded(permit)
            return EncodedText(vector: vector, tokenVectors: nil, tokens: TokenizedText(ids: [], unknown: 0))
        }
        // What it says of one text says nothing of the server.
        if answer.head.status == 400 || answer.head.status == 413 {
            breaker.succeeded(permit)
            throw .tooLong
        }
        breaker.failed(permit, reason: "the answer has status \(answer.head.status), or no vector")
        throw .failed
    }

    var state: BreakerState { breaker.state }

    func close() { client.close() }

    private func request(for text: String) -> UpstreamRequest {
        let body = JSONValue.object([
            "model": .string(settings.model), "input": .string(text), "encoding_format": .string("float"),
        ])
        var headers = [HeaderField("Content-Type", "application/json")]
        if !settings.key.isEmpty { headers.append(HeaderField("Authorization", "Bearer " + settings.key.revealed)) }
        return UpstreamRequest(
            method: "POST", target: "/v1/embeddings", headers: headers, body: .bytes(Bytes(body.serialised)),
            decodes: true)
    }

    /// The one vector of an answer, of length one; nil where there is none.
    static func vector(in body: Bytes) -> [Float]? {
        guard let answer = body.withUnsafeBytes({ try? JSONValue.parse($0) }),
            let numbers = answer["data"]?.elements?.first?["embedding"]?.elements, !numbers.isEmpty,
            numbers.count <= mostNumbers
        else { return nil }
        var vector: [Float] = []
        vector.reserveCapacity(numbers.count)
        for number in numbers {
            guard case .number(let spelling) = number, let value = Float(spelling), value.isFinite else { return nil }
            vector.append(value)
        }
        let length = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
        guard length > 0, length.isFinite else { return nil }
        return vector.map { $0 / length }
    }
}
