import Core
import Synchronization

/// A bucket behind libcurl's AWS Signature Version 4.
///
/// Requests of all callers share the connections of one loop on a thread of its own. Objects are sent and received
/// whole; the signature covers their SHA-256, so what arrives damaged is refused by servers that check it. Reading and
/// removing want the permission to list the bucket: without it Amazon answers 403 to a key that is not there.
package final class S3Store: ObjectStore {
    package struct Options: Sendable {
        /// Connections open at once; requests beyond wait.
        package var connections = 32
        /// How many calls may be under way, waiting ones included.
        package var calls = 1024
        /// Name resolution, TCP and TLS together; the call's own deadline may be earlier.
        package var connectTimeout: Duration = .seconds(10)
        package var proxy = UpstreamProxy.fromEnvironment

        package init() {}
    }

    private struct Gate {
        var calls = 0
        var isClosed = false
    }

    private let place: S3Place
    private let options: Options
    private let token: Secret?
    private let clock: any Clock
    private let scheduler: LoopScheduler
    private let loop: EventLoop
    private let upstream: CurlUpstream
    private let digest = SystemDigest(secret: [])
    private let gate = Mutex(Gate())

    /// Nothing is sent before the first call.
    ///
    /// - Parameter url: its signature is V4.
    package init(
        url: BucketURL, credentials: BucketCredentials, options: Options = Options(), clock: any Clock
    ) throws(ObjectFailure) {
        precondition(url.signature == .v4, "S3Store signs with V4 only")
        place = S3Place(url)
        self.options = options
        self.clock = clock
        token = credentials.sessionToken
        var settings = UpstreamOptions(base: UpstreamBase(verbatim: place.origin))
        settings.connectTimeout = options.connectTimeout
        // Each call has a deadline of its own.
        settings.firstByteTimeout = .zero
        settings.idleTimeout = .zero
        settings.caFile = url.caFile
        settings.verifiesTLS = url.verifiesTLS
        settings.maxConnections = options.connections
        settings.maxIdleConnections = options.connections
        settings.proxy = options.proxy
        settings.signing = CurlSigning(
            region: url.region, service: "s3", user: credentials.accessKey, password: credentials.secret)
        do throws(LoopError) {
            loop = try EventLoop()
            scheduler = LoopScheduler(loop: loop)
            upstream = try CurlUpstream(loop: loop, options: settings, clock: clock)
            try loop.startThread(named: "objects-s3").detach()
        } catch {
            throw ObjectFailure(.unavailable, error.description)
        }
    }

    deinit { close() }

    /// Fails what is under way and what comes; the thread ends.
    package func close() {
        gate.withLock { gate in
            guard !gate.isClosed else { return }
            gate.isClosed = true
            loop.execute { [upstream] in upstream.close() }
            loop.stop()
        }
    }

    // MARK: ObjectStore

    package func get(_ name: ObjectName, limit: Int, deadline: Int64) async throws(ObjectFailure) -> Bytes? {
        let (answer, operation) = try await ask("GET", try place.target(name), limit: limit, deadline: deadline)
        if answer.status == 200 { return answer.body }
        let refusal = S3Store.refusal(answer)
        guard refusal.isAbsence else { throw refusal.failure(of: operation) }
        return nil
    }

    package func put(_ name: ObjectName, _ content: Bytes, deadline: Int64) async throws(ObjectFailure) {
        let (answer, operation) = try await ask("PUT", try place.target(name), body: content, deadline: deadline)
        guard answer.status == 200 || answer.status == 201 else {
            throw S3Store.refusal(answer).failure(of: operation)
        }
    }

    /// S3 says the same whether there was an object or not, so it is asked first.
    @discardableResult
    package func delete(_ name: ObjectName, deadline: Int64) async throws(ObjectFailure) -> Bool {
        let target = try place.target(name)
        let (head, looking) = try await ask("HEAD", target, deadline: deadline)
        guard head.status == 200 else {
            let refusal = S3Store.refusal(head)
            guard refusal.isAbsence else { throw refusal.failure(of: looking) }
            return false
        }
        let (answer, operation) = try await ask("DELETE", target, deadline: deadline)
        guard answer.status == 204 || answer.status == 200 else {
            let refusal = S3Store.refusal(answer)
            // Somebody else was faster.
            guard refusal.isAbsence else { throw refusal.failure(of: operation) }
            return false
        }
        return true
    }

    package static let longestPage = 1000
    /// Far more than a page of the longest names takes.
    private static let longestListing = 16 << 20

    package func list(
        prefix: String, continuation: String?, limit: Int, deadline: Int64
    ) async throws(ObjectFailure) -> ObjectPage {
        let limit = max(1, min(limit, S3Store.longestPage))
        var parameters = [("list-type", "2"), ("max-keys", "\(limit)"), ("prefix", place.keyPrefix + prefix)]
        if let continuation { parameters.append(("continuation-token", continuation)) }
        let target = place.target(parameters.map { (name: $0.0, value: $0.1) })
        let (answer, operation) = try await ask("GET", target, limit: S3Store.longestListing, deadline: deadline)
        guard answer.status == 200 else { throw S3Store.refusal(answer).failure(of: operation) }
        guard let listing = S3Document.listing(answer.body, limit: limit) else {
            throw ObjectFailure(.malformed, "\(operation): the answer is no list of objects")
        }
        let items = listing.items.compactMap { item in
            place.name(ofKey: item.key).map { name in
                ObjectPage.Item(name: name, size: item.size, modifiedAt: item.modifiedAt)
            }
        }
        return ObjectPage(items: items, next: listing.isTruncated ? listing.continuation : nil)
    }

    // MARK: Asking

    private static func refusal(_ answer: S3Exchange.Answer) -> S3Refusal {
        let (code, message) = S3Document.refusal(answer.body)
        return S3Refusal(status: answer.status, code: code, message: message)
    }

    /// SHA-256 of nothing.
    private static let emptyDigest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

    /// The answer, and what was asked in words.
    private func ask(
        _ method: String, _ target: String, body: Bytes? = nil, limit: Int = 64 << 10, deadline: Int64
    ) async throws(ObjectFailure) -> (S3Exchange.Answer, String) {
        let hash = body.map { $0.withUnsafeBytes { digest.sha256($0).hex } } ?? S3Store.emptyDigest
        var headers = [HeaderField("x-amz-content-sha256", hash)]
        if let token { headers.append(HeaderField("x-amz-security-token", token.revealed)) }
        if body != nil { headers.append(HeaderField("Content-Type", "application/octet-stream")) }
        let request = UpstreamRequest(
            method: method, target: target, headers: headers, body: body.map { .bytes($0) } ?? .none, decodes: false)
        let operation = "\(method) in the bucket '\(place.url.bucket)' at \(place.url.endpoint)"
        let exchange = S3Exchange(operation: operation, limit: limit)
        let timer = scheduler.schedule(after: max(0, deadline - clock.monotonic())) { exchange.expire() }
        defer { timer.cancel() }
        let answer = try await withCheckedContinuation { waiter in
            exchange.wait(waiter)
            send(request, exchange)
        }.get()
        return (answer, operation)
    }

    private func send(_ request: UpstreamRequest, _ exchange: S3Exchange) {
        let refusal: ObjectFailure? = gate.withLock { gate in
            if gate.isClosed { return ObjectFailure(.shutdown, "the store is closed") }
            if gate.calls >= options.calls {
                return ObjectFailure(.busy, "\(options.calls) calls wait for the store already")
            }
            gate.calls += 1
            loop.execute { [self] in
                // The deadline may have passed before its turn came.
                guard !exchange.isOver else { return leave() }
                exchange.began(upstream.start(request, sink: S3Departure(exchange) { [self] in leave() }))
            }
            return nil
        }
        if let refusal { exchange.fail(refusal) }
    }

    private func leave() { gate.withLock { $0.calls -= 1 } }
}

/// Passes everything on, and tells when libcurl is done with a request, however long after its caller that is.
private final class S3Departure: UpstreamSink {
    private let exchange: S3Exchange
    private let left: @Sendable () -> Void

    init(_ exchange: S3Exchange, left: @escaping @Sendable () -> Void) {
        self.exchange = exchange
        self.left = left
    }

    func responded(_ head: UpstreamHead) { exchange.responded(head) }
    func delivered(_ bytes: UnsafeRawBufferPointer) -> SinkDemand { exchange.delivered(bytes) }
    func finished(_ end: UpstreamEnd) {
        left()
        exchange.finished(end)
    }
}
