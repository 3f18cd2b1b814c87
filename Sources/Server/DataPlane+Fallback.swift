import Core
import Dialects
import Engine
import Foreign

/// A request's question, put to another model: under that model's key, so that its answer is never kept as one of the
/// model that was asked for.
struct FallbackCall: Sendable {
    var model: String
    var call: Engine.Call
}

extension DataPlane {
    /// The same question to another model, where the one that was asked for could not answer and another may.
    func fallback(for reply: Reply, to id: UInt64) -> FallbackCall? {
        guard reply.invitesFallback, let request = pending[id], let asked = request.admitted,
            !asked.controls.isWarming,
            let model = fallbacks.model(insteadOf: request.sheet.model, isAllowed: asked.controls.allowsFallback)
        else { return nil }
        let exchange = request.exchange
        let body = renamingModel(in: Bytes(copying: exchange.body)) { _ in model }
        var head = RequestHead()
        for line in exchange.headers { admission.note(line.name, line.value, in: &head) }
        return body.withUnsafeBytes { body in
            let admitted = try? admission.admit(
                head, body: body, dialect: asked.dialect, query: Route(target: exchange.target).query,
                now: context.clock.monotonic(), trust: context.engine.trust)
            // What was let in once is let in again, unless its credential was refused meanwhile.
            guard let admitted else { return nil }
            let forwarded = upstreamBody(
                original: body, facts: admitted.facts, askForUsage: settings.cache.askForUsage)
            let demand = demand(
                of: exchange, asked.controls, admission.payer(of: admitted), model: model,
                tokens: admitted.facts.tokenEstimate(bodyCount: body.count))
            let upstream = UpstreamRequests.make(
                exchange, body: forwarded, isCacheable: true, request.sheet, demand)
            return FallbackCall(
                model: model,
                call: Engine.Call(
                    admitted: admitted, upstream: upstream, model: model, namespace: request.sheet.namespace,
                    tags: head.tagList, stale: nil))
        }
    }

    /// Takes the other model's answer for the request's, if it is one.
    func adopt(_ fallback: FallbackCall, _ reply: Reply, for id: UInt64) -> Bool {
        ports.metrics.countFallback(reply.isAnswer ? .answered : .failed)
        guard reply.isAnswer else { return false }
        pending[id]?.sheet.admitted = fallback.call.admitted
        pending[id]?.sheet.fallback = fallback.model
        return true
    }
}
