import Core

/// Requests as spans: an `ExportTraceServiceRequest` of OTLP 1 in its JSON form, with the attribute names of
/// OpenTelemetry's conventions for generative AI.
enum SpanDocument {
    static func json(_ records: [AccessRecord], version: String) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.array("resourceSpans") { writer in
            writer.name("resource")
            writer.beginObject()
            writer.array("attributes", isList: true) { writer in
                writer.attribute("service.name", "refrain")
                writer.attribute("service.version", version)
            }
            writer.endObject()
            writer.array("scopeSpans") { writer in
                writer.name("scope")
                writer.beginObject()
                writer.member("name", "refrain")
                writer.member("version", version)
                writer.endObject()
                writer.array("spans", isList: true) { writer in
                    for record in records { write(record, to: &writer) }
                }
            }
        }
        writer.endObject()
        return writer.bytes
    }

    private static func write(_ record: AccessRecord, to writer: inout JSONWriter) {
        // Requests without a trace are none of a collector's.
        guard let trace = record.trace else { return }
        let end = record.time &* Duration64.nanosecondsPerMillisecond
        let operation = operation(of: record.dialect)
        writer.beginObject()
        writer.member("traceId", trace.traceID)
        writer.member("spanId", Hex.text(record.id))
        if trace.parent != 0 { writer.member("parentSpanId", Hex.text(trace.parent)) }
        writer.member("name", [operation ?? "HTTP", record.model].compactMap(\.self).joined(separator: " "))
        // SPAN_KIND_SERVER
        writer.member("kind", 2)
        writer.member("startTimeUnixNano", String(end - record.duration))
        writer.member("endTimeUnixNano", String(end))
        writer.array("attributes", isList: true) { writer in attributes(of: record, operation, to: &writer) }
        writer.name("status")
        writer.beginObject()
        // STATUS_CODE_ERROR
        if record.status >= 500 { writer.member("code", 2) }
        writer.endObject()
        writer.endObject()
    }

    private static func attributes(of record: AccessRecord, _ operation: String?, to writer: inout JSONWriter) {
        if let operation { writer.attribute("gen_ai.operation.name", operation) }
        if let dialect = record.dialect {
            writer.attribute("gen_ai.provider.name", dialect.isAnthropic ? "anthropic" : "openai")
        }
        if let model = record.model { writer.attribute("gen_ai.request.model", model) }
        if record.promptTokens >= 0 { writer.attribute("gen_ai.usage.input_tokens", Int(record.promptTokens)) }
        if record.completionTokens >= 0 {
            writer.attribute("gen_ai.usage.output_tokens", Int(record.completionTokens))
        }
        writer.attribute("http.response.status_code", record.status)
        writer.attribute("refrain.outcome", record.outcome.word)
        if let tier = record.outcome.tier { writer.attribute("refrain.tier", tier.rawValue) }
        if case .bypass(let reason) = record.outcome { writer.attribute("refrain.reason", reason.word) }
        if let key = record.key { writer.attribute("refrain.key", key.hex) }
        if let tenant = record.tenant { writer.attribute("refrain.tenant", PurgeGroup.hex(of: tenant)) }
        if let namespace = record.namespace, !namespace.isEmpty { writer.attribute("refrain.namespace", namespace) }
    }

    /// The convention's word for what a request asks for.
    private static func operation(of dialect: Dialect?) -> String? {
        switch dialect {
        case .chat, .responses, .messages: "chat"
        case .completions: "text_completion"
        case .embeddings: "embeddings"
        case nil: nil
        }
    }
}

extension JSONWriter {
    /// A member that is an array: of the one object whose members `content` writes, or of the values it writes.
    fileprivate mutating func array(_ name: String, isList: Bool = false, _ content: (inout JSONWriter) -> Void) {
        self.name(name)
        beginArray()
        if !isList { beginObject() }
        content(&self)
        if !isList { endObject() }
        endArray()
    }

    fileprivate mutating func attribute(_ key: String, _ text: String) {
        attribute(key) { $0.member("stringValue", text) }
    }

    /// Numbers of 64 bits are texts in protobuf's JSON.
    fileprivate mutating func attribute(_ key: String, _ number: Int) {
        attribute(key) { $0.member("intValue", String(number)) }
    }

    private mutating func attribute(_ key: String, _ value: (inout JSONWriter) -> Void) {
        beginObject()
        member("key", key)
        name("value")
        beginObject()
        value(&self)
        endObject()
        endObject()
    }
}
