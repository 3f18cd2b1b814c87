import Core

/// A piece of a streamed answer on its way to the client, in the order and with the bytes it came. The memory is
/// borrowed for the call.
package enum StreamPiece {
    /// Belongs to the answer.
    case answer(UnsafeRawBufferPointer)
    /// The last chunk of the OpenAI dialects, which only reports usage: clients that did not set
    /// `stream_options.include_usage` must not be sent it. A stream that is kept has at most one.
    case usage(UnsafeRawBufferPointer)
    /// Comments, blank lines and pings: forwarded while the answer is live, and not part of it.
    case wire(UnsafeRawBufferPointer)

    package var bytes: UnsafeRawBufferPointer {
        switch self {
        case .answer(let bytes), .usage(let bytes), .wire(let bytes): bytes
        }
    }
}

/// What a complete answer says about itself.
package struct Verdict: Sendable, Equatable {
    /// Tokens as the upstream counted them, -1 where it did not say.
    package var promptTokens: Int32 = -1
    package var completionTokens: Int32 = -1
    /// Whether the provider says that it keeps the answer under its id (`store` of the Responses API).
    package var storedUpstream = false

    package init() {}
}

/// Why an answer cannot be given in the other form. The caller treats that form as not held.
package enum ConversionFailure: Error, Sendable, Equatable {
    /// The dialect has no streams, or no way to say this.
    case unsupported
    /// Not a complete, well-formed answer of the dialect.
    case notComplete
    /// The stream does not report usage, which a whole answer must carry.
    case noUsage
    /// The events contradict each other, or carry members whose pieces nobody knows how to join.
    case unmergeable
}

/// An answer rendered as an event stream.
package struct StreamRendition: Sendable {
    package var bytes: Bytes
    /// Where the usage chunk stands in `bytes`; both 0 where there is none.
    package var usageStart = 0
    package var usageEnd = 0
}
