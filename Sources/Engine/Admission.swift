import Core
import Dialects

/// A request that may be answered from the cache: what is needed to look it up, without a copy of the request.
package struct Admitted: Sendable {
    package var dialect: Dialect
    package var key: CacheKey
    package var tenant: CacheKey
    /// The digest of the credential, where the cache is shared between credentials.
    package var credential: CacheKey?
    package var facts: RequestFacts
    package var controls: Controls
    /// The key was known without reading the body.
    var isRemembered = false

    package var form: Form { facts.wantsStream ? .stream : .whole }
}

/// The request headers that Refrain reads, gathered in one pass. Borrows the request's memory.
package struct RequestHead {
    fileprivate(set) var contentType: BytesView?
    fileprivate(set) var contentEncoding: BytesView?
    fileprivate(set) var authorization: BytesView?
    fileprivate(set) var apiKey: BytesView?
    fileprivate(set) var azureKey: BytesView?
    fileprivate(set) var namespace: BytesView?
    fileprivate(set) var tags: BytesView?
    fileprivate(set) var partition: BytesView?
    /// Credentials in other headers than the three above.
    fileprivate(set) var credentials: [(index: Int, value: BytesView)] = []
    fileprivate(set) var keyHeaders: [(index: Int, value: BytesView)] = []
    package fileprivate(set) var controls = Controls()
    fileprivate(set) var failure: BypassReason?

    package init() {}

    /// The tags to keep the answer under.
    package var tagList: [String] {
        guard let tags else { return [] }
        return tags.split(separator: UInt8(ascii: ",")).map { UnsafeRawBufferPointer(rebasing: $0).trimmed.text }
            .filter { !$0.isEmpty }
    }

    /// As it was sent.
    package var namespaceBytes: BytesView { namespace?.trimmed ?? UnsafeRawBufferPointer(start: nil, count: 0) }

    package var namespaceText: String { namespace?.trimmed.text ?? "" }
}

/// Decides whether a request may be answered from the cache, and under which key. One per worker.
package final class Admission {
    private let cache: Settings.Cache
    private let semanticEndpoints: [SemanticEndpoint]
    private let digest: any Digesting
    private let reader: RequestReader
    /// In lower case.
    private let keyHeaders: [[UInt8]]
    private let credentialHeaders: [[UInt8]]
    /// A bit for each length that a name in these lists has: most names of a request are told by that.
    private let keyLengths, credentialLengths: UInt64
    private let partitionHeader: [UInt8]?
    private var memo = RequestMemo()
    /// Of the request that was admitted last; kept to be filled again without allocating.
    private var scopeBytes: [UInt8] = []

    /// The longest body of which a part may vary, in bytes: it is taken apart while the worker waits.
    private static let longestQuestion = 256 << 10

    /// The longest namespace and tag list that are read, in bytes.
    private static let labelLimit = 1024

    package init(settings: Settings, digest: any Digesting) {
        cache = settings.cache
        semanticEndpoints = settings.semantic.endpoints
        self.digest = digest
        reader = RequestReader(
            rules: RequestRules(leftOut: settings.cache.leftOut, maxDepth: settings.limits.jsonDepth))
        keyHeaders = settings.cache.keyHeaders.map { Array($0.lowercased().utf8) }
        credentialHeaders = settings.cache.credentialHeaders.map { Array($0.lowercased().utf8) }
        keyLengths = keyHeaders.reduce(0) { $0 | Admission.lengthBit($1.count) }
        credentialLengths = credentialHeaders.reduce(0) { $0 | Admission.lengthBit($1.count) }
        if case .header(let name) = settings.cache.partition {
            partitionHeader = Array(name.lowercased().utf8)
        } else {
            partitionHeader = nil
        }
    }

    /// Notes one header line.
    package func note(_ name: BytesView, _ value: BytesView, in head: inout RequestHead) {
        do throws(BypassReason) {
            try noteKnown(name, value, in: &head)
        } catch {
            head.failure = head.failure ?? error
        }
        let length = Admission.lengthBit(name.count)
        if keyLengths & length != 0 {
            for (index, wanted) in keyHeaders.enumerated() where name.equalsIgnoringCase(wanted) {
                head.keyHeaders.append((index, value))
            }
        }
        if credentialLengths & length != 0 { noteCredential(name, value, in: &head) }
        if let partitionHeader, name.equalsIgnoringCase(partitionHeader) {
            if head.partition != nil { head.failure = head.failure ?? .duplicateHeader }
            head.partition = value
        }
    }

    /// `Admitted` or the reason why not. `query` is the target's part behind the question mark.
    package func admit(
        _ head: RequestHead, body: BytesView, dialect: Dialect, query: BytesView, now: Int64, trust: Trust
    ) throws(BypassReason) -> Admitted {
        guard cache.enabled else { throw .disabled }
        if let failure = head.failure { throw failure }
        if head.controls.noStore { throw .noStore }
        if let coding = head.contentEncoding, !coding.trimmed.equalsIgnoringCase("identity") { throw .contentEncoding }
        if let type = head.contentType, !isJSON(type) { throw .contentType }
        guard body.count <= cache.maxRequest.bytes else { throw .requestTooLarge }
        let tenant = tenant(of: head)
        writeScope(head, query)
        let known = memo.find(tenant, dialect, scope: scopeBytes, body: body)
        let facts: RequestFacts
        if let known { facts = known.facts } else { facts = try reader.read(body, as: dialect) }
        var credential: CacheKey?
        if cache.partition != .apiKey {
            let digest = credentialDigest(of: head)
            guard trust.isTrusted(digest, now: now) else { throw .untrusted }
            credential = digest
        }
        return Admitted(
            dialect: dialect, key: known?.key ?? key(of: head, tenant, query, dialect), tenant: tenant,
            credential: credential, facts: facts, controls: head.controls, isRemembered: known != nil)
    }

    /// What of an admitted request may vary, and who would be served each other's answers; nil where it may not vary.
    /// Right after its `admit`, with the same head, body and query.
    ///
    /// - Parameter matcher: who compares.
    package func question(
        _ head: RequestHead, body: BytesView, _ admitted: Admitted, query: BytesView, matcher: String
    ) -> SemanticQuestion? {
        guard !head.controls.isSemanticOff, body.count <= Admission.longestQuestion,
            let endpoint = SemanticEndpoint(admitted.dialect),
            semanticEndpoints.contains(endpoint), let variable = VariableText(body, dialect: admitted.dialect)
        else { return nil }
        // It was read with another text in the gap, and is no longer now.
        let isRead = variable.rest.withUnsafeBytes { (try? reader.read($0, as: admitted.dialect)) != nil }
        guard isRead else { return nil }
        let partition = reader.partition(
            scope: scope(of: head, admitted.tenant, query), dialect: admitted.dialect, matcher: matcher, digest: digest)
        return SemanticQuestion(partition: partition, text: variable.text)
    }

    /// Keeps the key of a request that turned out to be a repeated one; right after its `admit`, with the same body.
    package func remember(_ admitted: Admitted, body: BytesView) {
        if !admitted.isRemembered { memo.remember(admitted, scope: scopeBytes, body: body) }
    }

    /// The digest by which `Trust` knows the credential of a request.
    package func credentialDigest(of head: RequestHead) -> CacheKey {
        digestFields(1, credentials(of: head))
    }

    /// Whose limits a request counts against.
    package func payer(of head: RequestHead) -> CacheKey {
        // Those who share answers still have credentials of their own.
        cache.partition == .shared ? credentialDigest(of: head) : tenant(of: head)
    }

    package func payer(of admitted: Admitted) -> CacheKey {
        cache.partition == .shared ? admitted.credential ?? admitted.tenant : admitted.tenant
    }

    private static func lengthBit(_ count: Int) -> UInt64 { 1 << UInt64(min(count, 63)) }

    private func noteCredential(_ name: BytesView, _ value: BytesView, in head: inout RequestHead) {
        guard let index = credentialHeaders.firstIndex(where: { name.equalsIgnoringCase($0) }) else { return }
        if head.credentials.contains(where: { $0.index == index }) { head.failure = head.failure ?? .duplicateHeader }
        head.credentials.append((index, value))
    }

    private func credentials(of head: RequestHead) -> [BytesView?] {
        let common = [head.authorization, head.apiKey, head.azureKey]
        guard !head.credentials.isEmpty else { return common }
        return common + credentialHeaders.indices.map { index in head.credentials.first { $0.index == index }?.value }
    }

    /// The canonical form of the request that was admitted last, and what was left out of it, for `explain`.
    package var canonical: String { reader.canonical.text }
    package var leftOutFields: [String] { reader.leftOutFields }

    private func tenant(of head: RequestHead) -> CacheKey {
        switch cache.partition {
        case .apiKey: digestFields(2, credentials(of: head))
        case .shared: CacheKey(0, 0, 0, 0)
        case .header: digestFields(3, [head.partition])
        }
    }

    private func key(of head: RequestHead, _ tenant: CacheKey, _ query: BytesView, _ dialect: Dialect) -> CacheKey {
        reader.key(scope: scope(of: head, tenant, query), dialect: dialect, digest: digest)
    }

    private func scope(of head: RequestHead, _ tenant: CacheKey, _ query: BytesView) -> KeyScope {
        KeyScope(
            tenant: tenant, namespace: head.namespace?.trimmed.exactText ?? "",
            query: query.isEmpty ? "" : query.exactText,
            headers: head.keyHeaders.isEmpty ? [] : headerFields(head))
    }

    /// What tells requests with the same body apart, each part behind its length. Mostly there is none of it.
    private func writeScope(_ head: RequestHead, _ query: BytesView) {
        scopeBytes.removeAll(keepingCapacity: true)
        func append(_ purpose: UInt8, _ part: BytesView) {
            scopeBytes.append(purpose)
            withUnsafeBytes(of: UInt32(truncatingIfNeeded: part.count)) { scopeBytes.append(contentsOf: $0) }
            scopeBytes.append(contentsOf: part)
        }
        if !query.isEmpty { append(0, query) }
        if let namespace = head.namespace?.trimmed, !namespace.isEmpty { append(1, namespace) }
        for header in head.keyHeaders { append(2 &+ UInt8(truncatingIfNeeded: header.index), header.value.trimmed) }
    }

    private func headerFields(_ head: RequestHead) -> [HeaderField] {
        head.keyHeaders.map {
            HeaderField(String(decoding: keyHeaders[$0.index], as: UTF8.self), $0.value.trimmed.exactText)
        }
    }

    /// A keyed digest over optional fields, each behind its length, absent ones told from empty ones.
    private func digestFields(_ purpose: UInt8, _ fields: [BytesView?]) -> CacheKey {
        let size = fields.reduce(1) { $0 + 5 + ($1?.count ?? 0) }
        return withUnsafeTemporaryAllocation(byteCount: size, alignment: 1) { buffer in
            buffer[0] = purpose
            var position = 1
            for field in fields {
                buffer[position] = field == nil ? 0 : 1
                buffer.storeBytes(
                    of: UInt32(truncatingIfNeeded: field?.count ?? 0).bigEndian, toByteOffset: position + 1,
                    as: UInt32.self)
                position += 5
                if let field {
                    UnsafeMutableRawBufferPointer(rebasing: buffer[position...]).copyMemory(from: field)
                    position += field.count
                }
            }
            return digest.hmac(UnsafeRawBufferPointer(buffer))
        }
    }

    private func noteKnown(_ name: BytesView, _ value: BytesView, in head: inout RequestHead) throws(BypassReason) {
        switch name.count {
        case 7: if name.equalsIgnoringCase("api-key") { try set(&head.azureKey, value) }
        case 9: if name.equalsIgnoringCase("x-api-key") { try set(&head.apiKey, value) }
        case 10: if name.equalsIgnoringCase("connection") { try checkConnection(value) }
        case 12: if name.equalsIgnoringCase("content-type") { try set(&head.contentType, value) }
        case 13:
            if name.equalsIgnoringCase("authorization") {
                try set(&head.authorization, value)
            } else if name.equalsIgnoringCase("cache-control") {
                try head.controls.readCacheControl(value)
            } else if name.equalsIgnoringCase("x-refrain-ttl") {
                try head.controls.readTTL(value)
            }
        case 14: if name.equalsIgnoringCase("x-refrain-tags") { try set(&head.tags, label(value)) }
        case 16: if name.equalsIgnoringCase("content-encoding") { try set(&head.contentEncoding, value) }
        case 17: if name.equalsIgnoringCase("x-refrain-purpose") { try head.controls.readPurpose(value) }
        case 18:
            if name.equalsIgnoringCase("x-refrain-semantic") {
                try head.controls.readSemantic(value)
            } else if name.equalsIgnoringCase("x-refrain-priority") {
                try head.controls.readPriority(value)
            } else if name.equalsIgnoringCase("x-refrain-fallback") {
                try head.controls.readFallback(value)
            }
        case 19: if name.equalsIgnoringCase("x-refrain-namespace") { try set(&head.namespace, label(value)) }
        default: break
        }
    }

    /// Of two lines of a name that may stand once, nobody knows which one the upstream reads.
    private func set(_ slot: inout BytesView?, _ value: BytesView) throws(BypassReason) {
        guard slot == nil else { throw .duplicateHeader }
        slot = value
    }

    /// Headers that `Connection` names are not passed on, but may be part of the key. Those that speak of the
    /// connection alone are not.
    private func checkConnection(_ value: BytesView) throws(BypassReason) {
        for part in value.split(separator: UInt8(ascii: ",")) {
            let option = UnsafeRawBufferPointer(rebasing: part).trimmed
            let isHarmless =
                option.equalsIgnoringCase("close") || option.equalsIgnoringCase("keep-alive")
                || option.equalsIgnoringCase("te") || option.equalsIgnoringCase("upgrade")
                || option.equalsIgnoringCase("http2-settings")
            guard isHarmless else { throw .connectionOption }
        }
    }

    private func label(_ value: BytesView) throws(BypassReason) -> BytesView {
        guard value.count <= Admission.labelLimit, !value.contains(0) else { throw .badControl }
        return value
    }

    /// `application/json`, with or without parameters, or any `+json`.
    private func isJSON(_ type: BytesView) -> Bool {
        let end = type.firstIndex(of: UInt8(ascii: ";")) ?? type.count
        let essence = UnsafeRawBufferPointer(rebasing: type[..<end]).trimmed
        if essence.equalsIgnoringCase("application/json") { return true }
        guard essence.count > 5 else { return false }
        return UnsafeRawBufferPointer(rebasing: essence[(essence.count - 5)...]).equalsIgnoringCase("+json")
    }
}
