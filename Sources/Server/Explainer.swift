import Core
import Dialects
import Engine
import Foreign

/// Says how a request would be looked up, and why, without asking anybody.
///
/// The request to explain is the body; the path it would be sent to is the query's `path`, and each of its headers
/// comes with `x-explain-` before its name, because the admin port has an `Authorization` of its own.
final class Explainer {
    private let context: ServerContext
    private let admission: Admission

    private static let headerPrefix: StaticString = "x-explain-"

    init(context: ServerContext) {
        self.context = context
        admission = Admission(settings: context.settings, digest: context.digest)
    }

    /// What can be said at once. `Explanation.json` says where the answer is held, too.
    func explain(_ exchange: HTTPExchange) -> Explanation {
        var explanation = Explanation()
        explanation.writer.beginObject()
        let target = explainedTarget(of: exchange)
        explanation.writer.member("path", target)
        var text = target
        text.withUTF8 { write(exchange, Route(target: UnsafeRawBufferPointer($0)), to: &explanation) }
        return explanation
    }

    private func write(_ exchange: HTTPExchange, _ route: Route, to explanation: inout Explanation) {
        guard let dialect = route.dialect else { return bypass(.endpoint, to: &explanation.writer) }
        explanation.writer.member("dialect", dialect.word)
        var head = RequestHead()
        for line in exchange.headers(behind: Explainer.headerPrefix) {
            admission.note(line.name, line.value, in: &head)
        }
        do throws(BypassReason) {
            let admitted = try admission.admit(
                head, body: exchange.body, dialect: dialect, query: route.query, now: context.clock.monotonic(),
                trust: context.engine.trust)
            explanation.key = admitted.key
            explanation.writer.member("cacheable", true)
            explanation.writer.member("model", admitted.facts.model(in: exchange.body))
            explanation.writer.member("form", admitted.form.word)
            explanation.writer.member("namespace", head.namespaceText)
            explanation.writer.member("tenant", PurgeGroup.hex(of: admitted.tenant.word0))
            explanation.writer.member("key", admitted.key.hex)
            explanation.writer.member("leftOut", admission.leftOutFields)
            explanation.writer.member("canonical", admission.canonical)
            explanation.threshold = admitted.controls.semanticThreshold
            // It reads the request anew, so that it comes last.
            explanation.question = context.engine.meaning.flatMap {
                admission.question(
                    head, body: exchange.body, admitted, query: route.query, matcher: $0.matcher.identity)
            }
        } catch {
            bypass(error, to: &explanation.writer)
        }
    }

    private func bypass(_ reason: BypassReason, to writer: inout JSONWriter) {
        writer.member("cacheable", false)
        writer.member("reason", reason.word)
        writer.member("meaning", reason.sentence)
    }

    /// The query's `path`, by default the chat endpoint.
    private func explainedTarget(of exchange: HTTPExchange) -> String {
        Route(target: exchange.target).queryValue(of: "path").map(percentDecoded) ?? Dialect.chat.path
    }

    private func percentDecoded(_ text: BytesView) -> String {
        var bytes: [UInt8] = []
        var index = 0
        while index < text.count {
            if text[index] == UInt8(ascii: "%"), index + 2 < text.count,
                let high = Hex.value(of: text[index + 1]), let low = Hex.value(of: text[index + 2])
            {
                bytes.append(high << 4 | low)
                index += 3
            } else {
                bytes.append(text[index])
                index += 1
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// How a request would be looked up; what is missing is where its answer is held.
struct Explanation: Sendable {
    fileprivate(set) var writer = JSONWriter()
    /// nil for a request that may not be cached.
    fileprivate(set) var key: CacheKey?
    /// nil where only exactly the same request would be answered alike.
    fileprivate var question: SemanticQuestion?
    fileprivate var threshold: Fraction?
    private var alias: SemanticMatch?
    private var finding: SemanticFinding?

    /// Looks for questions that mean the same, as a request would.
    mutating func compare(by meaning: Meaning?, showsTexts: Bool) async {
        guard let meaning, let key, let question else { return }
        alias = meaning.alias(of: key)
        finding = await meaning.matcher.match(question, under: key, threshold: threshold?.value)
        self.showsTexts = showsTexts
    }

    /// Whether what other people asked is shown.
    private var showsTexts = false

    /// `now` is in milliseconds since 1970.
    func json(held: [(tier: TierName, entry: Entry)], now: Int64) -> [UInt8] {
        var writer = writer
        if key != nil {
            writer.name("held")
            writer.beginArray()
            for (tier, entry) in held { Explanation.write(entry, tier, now, to: &writer) }
            writer.endArray()
        }
        if let question, let finding { write(finding, question, to: &writer) }
        writer.endObject()
        return writer.bytes
    }

    private func write(_ finding: SemanticFinding, _ question: SemanticQuestion, to writer: inout JSONWriter) {
        writer.name("semantic")
        writer.beginObject()
        writer.member("partition", question.partition.hex)
        writer.member("result", finding.result.word)
        if let alias { writer.member("alias", alias.key.hex) }
        writer.name("neighbours")
        writer.beginArray()
        for candidate in finding.candidates {
            writer.beginObject()
            writer.member("key", candidate.match.key.hex)
            writer.member("similarity", candidate.match.similarity)
            if let confidence = candidate.match.confidence { writer.member("confidence", confidence) }
            writer.member("accepted", candidate.isAccepted)
            if showsTexts { writer.member("text", candidate.text) }
            writer.objections(candidate.objections, withDetails: showsTexts)
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
    }

    private static func write(_ entry: Entry, _ tier: TierName, _ now: Int64, to writer: inout JSONWriter) {
        let facts = entry.facts
        writer.beginObject()
        writer.member("tier", tier.rawValue)
        writer.member("ageSeconds", max(0, now - facts.createdAt) / 1000)
        writer.member("ttlSeconds", (facts.expiresAt - now) / 1000)
        writer.member("forms", Form.allCases.filter { entry.has($0) }.map(\.word))
        writer.member("bytes", entry.byteCount)
        writer.member("model", entry.model)
        writer.member("tags", entry.tags)
        writer.endObject()
    }
}
