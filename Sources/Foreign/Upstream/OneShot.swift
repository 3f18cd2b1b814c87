import Core

/// One request and its whole answer: for commands that ask a server once.
package enum OneShot {
    /// `timeout` bounds the whole exchange.
    package static func fetch(
        _ request: UpstreamRequest, from url: UpstreamURL, timeout: Duration
    ) async throws(UpstreamFailure) -> AnswerClient.Answer {
        let client: AnswerClient
        do throws(LoopError) {
            client = try AnswerClient(url, timeout: timeout)
        } catch {
            throw UpstreamFailure(.connect, "\(error)")
        }
        defer { client.close() }
        return try await client.fetch(request)
    }
}
