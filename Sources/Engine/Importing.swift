import Core
import Dialects

extension Engine {
    /// Keeps an answer that somebody else got, under the rules for answers of the upstream; nil when it was kept.
    ///
    /// - Parameter answer: the whole body, of a 200 answer in the dialect of the request.
    package func take(
        _ answer: Bytes, to admitted: Admitted, model: String, namespace: String, tags: [String],
        question: SemanticQuestion? = nil
    ) -> NotStored? {
        let none = UpstreamRequest(method: "POST", target: "", headers: [], body: .none, decodes: false)
        let call = Call(
            admitted: admitted, upstream: none, model: model, namespace: namespace, tags: tags, stale: nil,
            question: question)
        let head = UpstreamHead(status: 200, headers: [HeaderField("Content-Type", "application/json")])
        let cargo = FlightCargo(head: head, form: .whole, content: answer, usage: 0..<0)
        return land(cargo, of: call, asked: purges.latest).refusal
    }
}
