/// What the access log says of one answered request.
package struct AccessRecord: Sendable {
    /// When it was answered, in milliseconds since 1970.
    package var time: Int64
    /// Its own number, also the identifier of its span.
    package var id: UInt64
    /// Where the client's trace, or an own one, has this request.
    package var trace: TraceContext?
    /// nil for what is only passed through.
    package var dialect: Dialect?
    package var outcome: Outcome
    /// Of the HTTP answer.
    package var status: Int
    /// nil for requests that may not be cached, like the members up to `isStream`.
    package var key: CacheKey?
    package var model: String?
    /// The model that answered instead of that one, where another did.
    package var fallback: String?
    package var tenant: UInt64?
    package var namespace: String?
    package var isStream: Bool?
    /// From the complete request to the end of its answer, in nanoseconds.
    package var duration: Int64
    /// Which upstream the answer is from; nil where it is none's.
    package var upstream: String?
    /// Of the call to the upstream that was made for it, in nanoseconds; nil where there was none.
    package var upstreamDuration: Int64?
    /// -1 where they are not known.
    package var promptTokens: Int32 = -1
    package var completionTokens: Int32 = -1
    /// In millionths of a millionth of a dollar.
    package var savedPicodollars: UInt64 = 0
    /// Whose answer it got, where that is not its own.
    package var match: SemanticMatch?
    /// Whether nobody but warming wanted it.
    package var isWarming = false
    /// The client's own, only where bodies are to be logged.
    package var body: Bytes?

    package init(
        time: Int64, id: UInt64, trace: TraceContext?, dialect: Dialect?, outcome: Outcome, status: Int, duration: Int64
    ) {
        self.time = time
        self.id = id
        self.trace = trace
        self.dialect = dialect
        self.outcome = outcome
        self.status = status
        self.duration = duration
    }
}
