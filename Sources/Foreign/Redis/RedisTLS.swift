import CCrypto
import Core
import Glibc

/// What the TLS connections of one client have in common: whom they trust and who they are. Frees OpenSSL's context;
/// connections hold a count of it themselves.
final class RedisTLS {
    private let context: OpaquePointer
    private let serverName: String?

    init(_ options: RedisOptions.TLS) throws(RedisSetupFailure) {
        // What this thread failed at before is none of our business.
        ERR_clear_error()
        guard let context = SSL_CTX_new(TLS_client_method()) else {
            throw RedisSetupFailure("OpenSSL could not make a context: \(RedisTLS.lastError())")
        }
        self.context = context
        serverName = options.serverName
        SSL_CTX_ctrl(context, SSL_CTRL_SET_MIN_PROTO_VERSION, Int(TLS1_2_VERSION), nil)
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
        if let file = options.caFile {
            guard SSL_CTX_load_verify_locations(context, file, nil) == 1 else {
                throw RedisSetupFailure("the authorities for Redis in \(file) cannot be read: \(RedisTLS.lastError())")
            }
        } else {
            SSL_CTX_set_default_verify_paths(context)
        }
        guard let certificate = options.certificateFile, let key = options.keyFile else { return }
        guard SSL_CTX_use_certificate_chain_file(context, certificate) == 1 else {
            throw RedisSetupFailure(
                "the certificate for Redis in \(certificate) cannot be read: \(RedisTLS.lastError())")
        }
        guard SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) == 1,
            SSL_CTX_check_private_key(context) == 1
        else {
            throw RedisSetupFailure("the key for Redis in \(key) does not fit its certificate: \(RedisTLS.lastError())")
        }
    }

    deinit { SSL_CTX_free(context) }

    /// A connection's state that insists on the server's name; whoever takes it frees it. nil where OpenSSL refuses.
    func session(host: String) -> OpaquePointer? {
        guard let session = SSL_new(context) else { return nil }
        let name = serverName ?? host
        let isNamed: Bool
        if RedisTLS.isAddress(name) {
            isNamed = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), name) == 1
        } else {
            isNamed = name.withCString { text in
                // OpenSSL copies the name; the pointer is mutable for C's sake only.
                SSL_ctrl(
                    session, SSL_CTRL_SET_TLSEXT_HOSTNAME, Int(TLSEXT_NAMETYPE_host_name),
                    UnsafeMutableRawPointer(mutating: text)) == 1 && SSL_set1_host(session, text) == 1
            }
        }
        if isNamed { return session }
        SSL_free(session)
        return nil
    }

    /// Why the server's certificate was refused, nil where it was not.
    static func refusal(of session: OpaquePointer) -> String? {
        let result = SSL_get_verify_result(session)
        return result == Int(X509_V_OK) ? nil : String(cString: X509_verify_cert_error_string(result))
    }

    private static func isAddress(_ name: String) -> Bool {
        var address = in6_addr()
        return inet_pton(AF_INET, name, &address) == 1 || inet_pton(AF_INET6, name, &address) == 1
    }

    private static func lastError() -> String { text(ofError: ERR_get_error()) }

    /// ERR_SYSTEM_FLAG: OpenSSL hands on an error number of the system, for which it has no words.
    private static let systemError: UInt = 0x8000_0000

    static func text(ofError code: UInt) -> String {
        if code & systemError != 0 { return String(cString: strerror(CInt(truncatingIfNeeded: code & ~systemError))) }
        guard let reason = ERR_reason_error_string(code) else { return "no reason given" }
        return String(cString: reason)
    }
}
