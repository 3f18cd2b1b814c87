import Core
import Dialects
import Engine
import Foreign

/// Takes answers that exist already, for `refrain import`.
///
/// Each line of the body is `{"dialect":"chat","request":{…},"response":{…}}`. The headers that the requests would have
/// carried come with `x-import-` before their names; they make tenant, namespace and key.
struct Importer: Sendable {
    /// The largest body, in bytes: a batch of `refrain import` and a line of the longest request and answer.
    static let bodyLimit = 18 << 20
    /// The most lines of a body; what follows is not looked at. `refrain import` sends fewer.
    private static let mostLines = 10_000

    private let context: ServerContext
    private let headers: [(name: Bytes, value: Bytes)]

    private static let prefix: StaticString = "x-import-"
    /// How long the lower tiers may take to make room, in nanoseconds.
    private static let patience = 20 * Duration64.nanosecondsPerSecond

    init(_ exchange: HTTPExchange, context: ServerContext) {
        self.context = context
        headers = exchange.headers(behind: Importer.prefix).map { (Bytes(copying: $0.name), Bytes(copying: $0.value)) }
    }

    private struct Refusal {
        var line: Int
        var reason: String
    }

    /// Away from the loop: judging thousands of answers takes its time.
    @concurrent
    func take(_ body: Bytes) async -> AdminPlane.Answer {
        guard await hasRoom() else {
            return AdminPlane.Answer(
                status: 503,
                json: errorBody(
                    dialect: nil, status: 503, code: "lower-tiers-busy",
                    message: "The lower tiers do not take answers as fast as they come; try again later."
                ).array)
        }
        var stored = 0
        var refusals: [Refusal] = []
        let admission = Admission(settings: context.settings, digest: context.digest)
        withExtendedLifetime(headers) {
            body.withUnsafeBytes { bytes in
                let lines = bytes.split(
                    separator: UInt8(ascii: "\n"), maxSplits: Importer.mostLines, omittingEmptySubsequences: false
                ).prefix(Importer.mostLines)
                for (index, line) in lines.enumerated() where !line.isEmpty {
                    let refusal = take(UnsafeRawBufferPointer(rebasing: line), admission)
                    if let refusal {
                        refusals.append(Refusal(line: index + 1, reason: refusal))
                    } else {
                        stored += 1
                    }
                }
            }
        }
        return AdminPlane.Answer(json: Importer.json(stored, refusals))
    }

    /// Waits until what was imported before is written, as far as that is a matter of seconds.
    private func hasRoom() async -> Bool {
        guard let fill = context.engine.fill else { return true }
        let limit = context.clock.monotonic() + Importer.patience
        while !fill.hasRoom {
            guard context.clock.monotonic() < limit, (try? await Task.sleep(for: .milliseconds(10))) != nil else {
                return false
            }
        }
        return true
    }

    /// Why a pair was not taken, nil where it was.
    private func take(_ line: BytesView, _ admission: Admission) -> String? {
        guard let pair = try? Pair(line) else { return "malformed" }
        guard let dialect = pair.dialect else { return "unknown-dialect" }
        var head = RequestHead()
        // The head borrows from them; the caller keeps them.
        for (name, value) in headers {
            name.withUnsafeBytes { name in value.withUnsafeBytes { admission.note(name, $0, in: &head) } }
        }
        do throws(BypassReason) {
            // The operator vouches for the credential; a client that sends it later has to be trusted by itself.
            let trust = Trust(lifetime: .max)
            trust.accept(admission.credentialDigest(of: head), now: 0)
            let admitted = try admission.admit(
                head, body: pair.request, dialect: dialect, query: UnsafeRawBufferPointer(start: nil, count: 0), now: 0,
                trust: trust)
            return context.engine.take(
                Bytes(copying: pair.response), to: admitted, model: admitted.facts.model(in: pair.request),
                namespace: head.namespaceText, tags: head.tagList,
                question: context.engine.meaning.flatMap {
                    admission.question(
                        head, body: pair.request, admitted, query: UnsafeRawBufferPointer(start: nil, count: 0),
                        matcher: $0.matcher.identity)
                })?.word
        } catch {
            return error.word
        }
    }

    private static func json(_ stored: Int, _ refusals: [Refusal]) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("stored", stored)
        writer.name("refused")
        writer.beginArray()
        for refusal in refusals {
            writer.beginObject()
            writer.member("line", refusal.line)
            writer.member("reason", refusal.reason)
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
        return writer.bytes
    }

    /// The members of one line. Borrows from it.
    private struct Pair {
        var dialect: Dialect?
        var request: BytesView
        var response: BytesView

        init(_ line: BytesView) throws(JSONFault) {
            var cursor = try JSONCursor(line)
            let nothing = UnsafeRawBufferPointer(start: nil, count: 0)
            (request, response) = (nothing, nothing)
            try cursor.openObject()
            while let name = try cursor.nextMember() {
                if name.means("dialect") {
                    let word = try cursor.string().decoded()
                    dialect = Dialect.allCases.first { $0.word == word }
                } else if name.means("request") {
                    request = try cursor.skip()
                } else if name.means("response") {
                    response = try cursor.skip()
                } else {
                    _ = try cursor.skip()
                }
            }
            try cursor.finish()
        }
    }
}
