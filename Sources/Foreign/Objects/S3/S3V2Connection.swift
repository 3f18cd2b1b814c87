import CS3
import Core
import Glibc
import Synchronization

/// libs3's process-wide set-up, done once and kept until the process ends.
enum S3Library {
    /// libs3 asks the C library's `gmtime` for the date to sign, which keeps one for all threads: so one thread at a
    /// time begins a request.
    private static let beginning = Mutex(())

    static let isReady: Bool = {
        // libs3 sets both up too, but not in a way that threads of ours could be running already.
        guard CurlLibrary.isReady, XMLLibrary.isReady else { return false }
        return S3_initialize("refrain", CInt(S3_INIT_ALL), nil) == S3StatusOK
    }()

    static func begin(_ request: () -> Void) { beginning.withLock { _ in request() } }
}

/// A bucket as libs3 wants it told: the texts live as long as this.
///
/// Sendable because nothing of it changes between `init` and `deinit`, and libs3 only reads it.
final class S3V2Bucket: @unchecked Sendable {
    private let texts: [UnsafeMutablePointer<CChar>]
    private let context: S3BucketContext

    init(_ url: BucketURL, _ credentials: BucketCredentials) {
        let words = [url.endpoint.authority, url.bucket, credentials.accessKey, credentials.secret.revealed]
        // `strdup` fails when memory is out only, which ends the process anyway.
        texts = words.map { (word: String) in strdup(word)! }
        context = S3BucketContext(
            hostName: texts[0], bucketName: texts[1], protocol: url.endpoint.isTLS ? S3ProtocolHTTPS : S3ProtocolHTTP,
            uriStyle: url.style == .path ? S3UriStylePath : S3UriStyleVirtualHost, accessKeyId: texts[2],
            secretAccessKey: texts[3])
    }

    deinit { for text in texts { free(text) } }

    func withContext(_ body: (UnsafePointer<S3BucketContext>) -> Void) {
        withUnsafePointer(to: context, body)
    }
}

/// One request context of libs3, with the connections that it keeps. Used by one thread at a time.
///
/// Sendable because it is handed from thread to thread through a lock (`S3V2Connections`), never shared.
final class S3V2Connection: @unchecked Sendable {
    private let context: OpaquePointer

    /// How long to wait before looking again, in milliseconds, where libs3 does not say for what it waits.
    private static let blindWait: CInt = 5
    private static let longestWait: Int64 = 100

    init?() {
        var context: OpaquePointer?
        guard S3Library.isReady, S3_create_request_context(&context) == S3StatusOK, let context else { return nil }
        self.context = context
    }

    /// Ends what is still under way: the call hears of it as interrupted.
    deinit { S3_destroy_request_context(context) }

    /// Runs `call` to its end or until the deadline. False if it did not end: then this connection is of no use.
    func run(
        _ call: S3V2Call, deadline: Int64, clock: any Clock, begin: (OpaquePointer, UnsafeMutableRawPointer) -> Void
    )
        -> Bool
    {
        // Released by libs3's last callback for the request, `S3V2Call.completed`, which always comes.
        let data = Unmanaged.passRetained(call).toOpaque()
        S3Library.begin { begin(context, data) }
        while !call.isComplete {
            let left = deadline - clock.monotonic()
            guard left > 0 else { return false }
            var remaining: CInt = 0
            guard S3_runonce_request_context(context, &remaining) == S3StatusOK else { return false }
            if !call.isComplete { wait(atMost: left / Duration64.nanosecondsPerMillisecond + 1) }
        }
        return true
    }

    /// Waits for the sockets. libs3 names them in the form of `select`, which can hold small numbers only; `poll` is
    /// what waits, and where none is named time passes.
    private func wait(atMost milliseconds: Int64) {
        var (readable, writable, failing) = (fd_set(), fd_set(), fd_set())
        var last: CInt = -1
        let status = S3_get_request_context_fdsets(context, &readable, &writable, &failing, &last)
        var polled: [pollfd] = []
        if status == S3StatusOK, last >= 0 {
            for descriptor in 0...last {
                var events: Int32 = 0
                if S3V2Connection.contains(readable, descriptor) { events |= POLLIN }
                if S3V2Connection.contains(writable, descriptor) { events |= POLLOUT }
                if events != 0 { polled.append(pollfd(fd: descriptor, events: Int16(events), revents: 0)) }
            }
        }
        var limit = CInt(min(milliseconds, S3V2Connection.longestWait))
        let wanted = S3_get_request_context_timeout(context)
        if wanted >= 0 { limit = min(limit, CInt(clamping: max(1, wanted))) }
        if polled.isEmpty { limit = min(limit, S3V2Connection.blindWait) }
        _ = poll(&polled, nfds_t(polled.count), limit)
    }

    /// `FD_ISSET`, which is a macro: bit `n` of the whole, counted from the lowest of the first word.
    private static func contains(_ set: fd_set, _ descriptor: CInt) -> Bool {
        withUnsafeBytes(of: set) { bytes in
            let index = Int(descriptor) / 8
            // Words are little-endian on every machine that this is built for.
            return index < bytes.count && bytes[index] & (1 << UInt8(descriptor & 7)) != 0
        }
    }
}

/// Connections that wait for the next call.
final class S3V2Connections: Sendable {
    private let idle = Mutex<[S3V2Connection]>([])
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    func take(isFresh: Bool) throws(ObjectFailure) -> S3V2Connection {
        let kept = isFresh ? nil : idle.withLock { $0.popLast() }
        if let connection = kept ?? S3V2Connection() { return connection }
        throw ObjectFailure(.unavailable, "libs3 could not be initialised")
    }

    func give(_ connection: S3V2Connection) {
        idle.withLock { if $0.count < limit { $0.append(connection) } }
    }
}
