import CS3
import Core

/// A bucket behind libs3, which signs with AWS Signature Version 2: for servers that know nothing newer.
///
/// libs3 waits for its answers, so calls run on a few threads of this store's own; each gives up at its call's deadline.
/// It does not check the certificates of servers, and a list that breaks off reads as a short one.
package final class S3V2Store: ObjectStore {
    package struct Options: Sendable {
        package var threads = 8
        /// How many calls may wait for a thread.
        package var waiting = 1024

        package init() {}
    }

    private let place: S3Place
    private let bucket: S3V2Bucket
    private let connections: S3V2Connections
    private let pool: BlockingPool
    private let clock: any Clock

    /// Nothing is sent before the first call.
    ///
    /// - Parameters:
    ///   - url: its signature is V2.
    ///   - scheduler: keeps the deadlines; not on a thread that may block.
    package init(
        url: BucketURL, credentials: BucketCredentials, options: Options = Options(), clock: any Clock,
        scheduler: any Scheduler
    ) throws(ObjectFailure) {
        precondition(url.signature == .v2, "S3V2Store signs with V2 only")
        guard credentials.sessionToken == nil else {
            throw ObjectFailure(.denied, "signature V2 through libs3 has no session tokens: use lasting credentials")
        }
        guard S3Library.isReady else { throw ObjectFailure(.unavailable, "libs3 could not be initialised") }
        place = S3Place(url)
        bucket = S3V2Bucket(url, credentials)
        connections = S3V2Connections(limit: options.threads)
        self.clock = clock
        do throws(LoopError) {
            pool = try BlockingPool(
                name: "objects-s3v2", threads: options.threads, waiting: options.waiting, scheduler: scheduler,
                clock: clock)
        } catch {
            throw ObjectFailure(.unavailable, error.description)
        }
    }

    /// Ends the threads when what they do is done; calls that wait or come later fail as `shutdown`.
    package func close() { pool.close() }

    // MARK: ObjectStore

    package func get(_ name: ObjectName, limit: Int, deadline: Int64) async throws(ObjectFailure) -> Bytes? {
        let key = try key(name)
        return try await run("GET", deadline) { (asking) throws(ObjectFailure) in
            let call = S3V2Call(limit: limit)
            let refusal = try asking.ask(call) { bucket, context, data in
                var handler = S3V2Call.get
                S3_get_object(bucket, key, nil, 0, 0, context, &handler, data)
            }
            if call.isTooLarge {
                throw ObjectFailure(.tooLarge, "\(asking.operation): the object has more than \(limit) bytes")
            }
            guard let refusal else {
                guard call.isWhole else {
                    throw ObjectFailure(.unavailable, "\(asking.operation): the answer broke off")
                }
                return Bytes(call.received)
            }
            guard refusal.isAbsence else { throw refusal.failure(of: asking.operation) }
            return nil
        }
    }

    package func put(_ name: ObjectName, _ content: Bytes, deadline: Int64) async throws(ObjectFailure) {
        let key = try key(name)
        try await run("PUT", deadline) { (asking) throws(ObjectFailure) in
            // On a kept connection that the server closed meanwhile, libs3 could not send the content again.
            let refusal = try asking.ask(S3V2Call(sending: content), isFresh: true) { bucket, context, data in
                var handler = S3V2Call.put
                S3_put_object(bucket, key, UInt64(content.count), nil, context, &handler, data)
            }
            if let refusal { throw refusal.failure(of: asking.operation) }
        }
    }

    /// S3 says the same whether there was an object or not, so it is asked first.
    @discardableResult
    package func delete(_ name: ObjectName, deadline: Int64) async throws(ObjectFailure) -> Bool {
        let key = try key(name)
        return try await run("DELETE", deadline) { (asking) throws(ObjectFailure) in
            let missing = try asking.ask(S3V2Call()) { bucket, context, data in
                var handler = S3V2Call.response
                S3_head_object(bucket, key, context, &handler, data)
            }
            if let missing {
                guard missing.isAbsence else { throw missing.failure(of: asking.operation) }
                return false
            }
            let refusal = try asking.ask(S3V2Call()) { bucket, context, data in
                var handler = S3V2Call.response
                S3_delete_object(bucket, key, context, &handler, data)
            }
            guard let refusal else { return true }
            guard refusal.isAbsence else { throw refusal.failure(of: asking.operation) }
            // Somebody else was faster.
            return false
        }
    }

    package func list(
        prefix: String, continuation: String?, limit: Int, deadline: Int64
    ) async throws(ObjectFailure) -> ObjectPage {
        let limit = max(1, min(limit, S3Store.longestPage))
        let start = place.keyPrefix + S3V2Spelling.escape(prefix)
        return try await run("GET", deadline) { [place] (asking) throws(ObjectFailure) in
            let call = S3V2Call(limit: limit)
            let refusal = try asking.ask(call) { bucket, context, data in
                var handler = S3V2Call.list
                S3_list_bucket(bucket, start, continuation, nil, CInt(limit), context, &handler, data)
            }
            if let refusal { throw refusal.failure(of: asking.operation) }
            let items = call.listing.items.compactMap { item in
                S3V2Spelling.unescape(item.key).flatMap { place.name(ofKey: $0) }.map { name in
                    ObjectPage.Item(name: name, size: item.size, modifiedAt: item.modifiedAt)
                }
            }
            return ObjectPage(items: items, next: call.listing.isTruncated ? call.listing.continuation : nil)
        }
    }

    private func key(_ name: ObjectName) throws(ObjectFailure) -> String {
        let key = S3V2Spelling.escape(try place.key(name))
        guard key.utf8.count <= ObjectName.longest else {
            throw ObjectFailure(.malformed, "the key of \(name) is longer than \(ObjectName.longest) bytes")
        }
        return key
    }

    // MARK: Asking

    /// What a call on one of the threads has at hand.
    private struct Asking {
        let bucket: S3V2Bucket
        let connections: S3V2Connections
        let clock: any Clock
        let deadline: Int64
        let operation: String

        /// Why the server did not do it; nil if it did.
        func ask(
            _ call: S3V2Call, isFresh: Bool = false,
            _ begin: (UnsafePointer<S3BucketContext>, OpaquePointer, UnsafeMutableRawPointer) -> Void
        ) throws(ObjectFailure) -> S3Refusal? {
            let connection = try connections.take(isFresh: isFresh)
            let isOver = connection.run(call, deadline: deadline, clock: clock) { context, data in
                bucket.withContext { begin($0, context, data) }
            }
            guard isOver else { throw ObjectFailure(.deadline, "\(operation): no answer in time") }
            connections.give(connection)
            return call.refusal
        }
    }

    private func run<Value: Sendable>(
        _ method: String, _ deadline: Int64, _ work: @escaping @Sendable (Asking) throws(ObjectFailure) -> Value
    ) async throws(ObjectFailure) -> Value {
        let asking = Asking(
            bucket: bucket, connections: connections, clock: clock, deadline: deadline,
            operation: "\(method) in the bucket '\(place.url.bucket)' at \(place.url.endpoint)")
        return try await pool.run(deadline: deadline) { () throws(ObjectFailure) in try work(asking) }
    }
}

/// How names are spelled for libs3, which writes a space as `+`, in paths too, where that is another character: so
/// spaces, and what tells them apart, are escaped in the key itself. Names of entries have neither.
enum S3V2Spelling {
    static func escape(_ text: String) -> String {
        text.replacing("%", with: "%25").replacing(" ", with: "%20")
    }

    /// nil for what `escape` does not make.
    static func unescape(_ key: String) -> String? {
        let text = key.replacing("%20", with: " ").replacing("%25", with: "%")
        return escape(text) == key ? text : nil
    }
}
