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

    func explain(_ exchange: HTTPExchange) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        let target = explainedTarget(of: exchange)
        writer.member("path", target)
        var text = target
        text.withUTF8 { write(exchange, Route(target: UnsafeRawBufferPointer($0)), to: &writer) }
        writer.endObject()
        return writer.bytes
    }

    private func write(_ exchange: HTTPExchange, _ route: Route, to writer: inout JSONWriter) {
        guard let dialect = route.dialect else { return bypass(.endpoint, to: &writer) }
        writer.member("dialect", dialect.word)
        var head = RequestHead()
        for line in exchange.headers where line.name.count > Explainer.headerPrefix.utf8CodeUnitCount {
            let prefix = Explainer.headerPrefix.utf8CodeUnitCount
            guard UnsafeRawBufferPointer(rebasing: line.name[..<prefix]).equalsIgnoringCase(Explainer.headerPrefix)
            else { continue }
            admission.note(UnsafeRawBufferPointer(rebasing: line.name[prefix...]), line.value, in: &head)
        }
        do throws(BypassReason) {
            let admitted = try admission.admit(
                head, body: exchange.body, dialect: dialect, query: route.query, now: context.clock.monotonic(),
                trust: context.engine.trust)
            writer.member("cacheable", true)
            writer.member("model", admitted.facts.model(in: exchange.body))
            writer.member("form", admitted.form.word)
            writer.member("namespace", head.namespaceText)
            writer.member("tenant", String(admitted.tenant.hex.prefix(16)))
            writer.member("key", admitted.key.hex)
            writer.member("leftOut", admission.leftOutFields)
            writer.member("canonical", admission.canonical)
            held(admitted, to: &writer)
        } catch {
            bypass(error, to: &writer)
        }
    }

    /// Where the answer is held. Looking does not count as use.
    private func held(_ admitted: Admitted, to writer: inout JSONWriter) {
        let now = context.clock.wall()
        writer.name("held")
        writer.beginArray()
        for (tier, entry) in context.engine.held(admitted.key) {
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
        writer.endArray()
    }

    private func bypass(_ reason: BypassReason, to writer: inout JSONWriter) {
        writer.member("cacheable", false)
        writer.member("reason", reason.word)
        writer.member("meaning", reason.sentence)
    }

    /// The query's `path`, by default the chat endpoint.
    private func explainedTarget(of exchange: HTTPExchange) -> String {
        let query = Route(target: exchange.target).query
        for pair in query.split(separator: UInt8(ascii: "&")) {
            let pair = UnsafeRawBufferPointer(rebasing: pair)
            guard pair.count > 5, UnsafeRawBufferPointer(rebasing: pair[..<5]).equalsIgnoringCase("path=") else {
                continue
            }
            return percentDecoded(UnsafeRawBufferPointer(rebasing: pair[5...]))
        }
        return Dialect.chat.path
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
