import Core
import Foreign

/// Makes upstream requests out of clients' ones.
enum UpstreamRequests {
    /// `body` nil: the client's own, as it arrives. A cacheable request is answered in a form that can be read
    /// (`isCacheable`): compression is then between the upstream and us.
    ///
    /// `sheet` says under which span the upstream is called.
    static func make(
        _ exchange: HTTPExchange, body: Bytes?, isCacheable: Bool, _ sheet: RequestFactsheet, _ demand: UpstreamDemand
    ) -> UpstreamRequest {
        let content: UpstreamRequest.Body
        if let body {
            content = .bytes(body)
        } else if let upload = exchange.upload, exchange.hasBody {
            content = .stream(upload, length: exchange.contentLength)
        } else {
            content = .none
        }
        var headers: [HeaderField] = []
        headers.reserveCapacity(exchange.headers.count)
        for line in exchange.headers where isForwarded(line.name, isCacheable: isCacheable) {
            // What cannot be read as one is none of ours.
            if sheet.trace != nil, line.isNamed("traceparent") { continue }
            headers.append(HeaderField(line.name.text, line.value.text))
        }
        if let trace = sheet.trace { headers.append(HeaderField("traceparent", trace.traceparent(span: sheet.id))) }
        return UpstreamRequest(
            method: exchange.methodName.text, target: exchange.target.text, headers: headers, body: content,
            decodes: isCacheable, demand: demand)
    }

    private static func isForwarded(_ name: BytesView, isCacheable: Bool) -> Bool {
        switch name.count {
        case 4: return !name.equalsIgnoringCase("host")
        case 6: return !name.equalsIgnoringCase("expect")
        case 14 where name.equalsIgnoringCase("content-length"): return false
        // Meant for this cache.
        case 13 where isCacheable && name.equalsIgnoringCase("cache-control"): return false
        case 15 where isCacheable && name.equalsIgnoringCase("accept-encoding"): return false
        default: break
        }
        guard name.count > 10 else { return true }
        return !UnsafeRawBufferPointer(rebasing: name[..<10]).equalsIgnoringCase("x-refrain-")
    }
}
