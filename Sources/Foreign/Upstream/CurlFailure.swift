import CCurl
import Core

extension UpstreamFailure {
    /// Sorts libcurl's result into the kinds the inside knows.
    init(_ code: CURLcode, _ message: String) {
        self.init(UpstreamFailure.kind(of: code, message), message)
    }

    private static func kind(of code: CURLcode, _ message: String) -> Kind {
        switch code {
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: .resolve
        case CURLE_COULDNT_CONNECT, CURLE_INTERFACE_FAILED, CURLE_PROXY, CURLE_NO_CONNECTION_AVAILABLE: .connect
        case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER,
            CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CRL_BADFILE, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_ENGINE_NOTFOUND,
            CURLE_SSL_ENGINE_SETFAILED, CURLE_SSL_ENGINE_INITFAILED, CURLE_SSL_PINNEDPUBKEYNOTMATCH,
            CURLE_SSL_INVALIDCERTSTATUS, CURLE_SSL_CLIENTCERT, CURLE_USE_SSL_FAILED:
            .tls
        case CURLE_OPERATION_TIMEDOUT: .timeout
        // libcurl has no code of its own for a broken chunk; the words are those of its http_chunks.c.
        case CURLE_RECV_ERROR where message.contains("chunked-encoding"): .malformed
        case CURLE_GOT_NOTHING, CURLE_RECV_ERROR, CURLE_SEND_ERROR, CURLE_PARTIAL_FILE, CURLE_SEND_FAIL_REWIND,
            CURLE_HTTP2_STREAM, CURLE_SSL_SHUTDOWN_FAILED:
            .reset
        case CURLE_ABORTED_BY_CALLBACK: .cancelled
        // What is left concerns the form of what came (status line, framing, compression) or was asked.
        default: .malformed
        }
    }
}
