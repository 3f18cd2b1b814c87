import Core
import Dialects

/// How requests are changed for one of the upstreams: its credential, its header lines, its names of models.
package struct UpstreamProfile: Sendable {
    package let name: String
    private let apiKey: Secret
    private let headers: [SecretHeader]
    private let models: [String: String]
    /// Lines that the upstream does not get, because it gets a credential of its own.
    private let credentialHeaders: [String]

    /// - Parameter credentialHeaders: in which clients send credentials, besides the well-known ones.
    package init(_ upstream: Settings.Upstream, credentialHeaders: [String]) {
        name = upstream.name
        apiKey = upstream.apiKey
        headers = upstream.headers
        models = upstream.models
        self.credentialHeaders = ["authorization", "x-api-key", "api-key", "cookie"] + credentialHeaders
    }

    package func prepare(_ request: UpstreamRequest) -> UpstreamRequest {
        guard !apiKey.isEmpty || !headers.isEmpty || !models.isEmpty else { return request }
        var request = request
        // What a client's `Connection` names goes no further: else it could take lines away that are not its own.
        if !apiKey.isEmpty || !headers.isEmpty { request.headers = HopByHop.removed(from: request.headers) }
        if !apiKey.isEmpty { replaceCredential(&request) }
        for header in headers {
            request.headers.removeAll { $0.isNamed(header.name) }
            if !header.value.isEmpty { request.headers.append(HeaderField(header.name, header.value.revealed)) }
        }
        if !models.isEmpty, case .bytes(let body) = request.body {
            request.body = .bytes(renamingModel(in: body) { models[$0] })
        }
        return request
    }

    /// In the line that the client would have used: Anthropic's endpoint knows `x-api-key`, Azure's clients send `api-key`.
    private func replaceCredential(_ request: inout UpstreamRequest) {
        let path = request.target.prefix { $0 != "?" }
        let isMessages = path.hasPrefix("/v1/messages") || path.hasPrefix("/messages")
        let sentAzure = request.headers.contains { $0.isNamed("api-key") }
        let sentBearer = request.headers.contains { $0.isNamed("authorization") }
        request.headers.removeAll { field in credentialHeaders.contains { field.isNamed($0) } }
        let line =
            isMessages
            ? HeaderField("x-api-key", apiKey.revealed)
            : sentAzure && !sentBearer
                ? HeaderField("api-key", apiKey.revealed) : HeaderField("Authorization", "Bearer " + apiKey.revealed)
        request.headers.append(line)
    }
}
