import CCurl
import Core

extension CurlEasy {
    /// Sets a fresh or reset handle up for `request`; a failure if it is none that can be sent.
    func configure(_ request: UpstreamRequest, _ options: UpstreamOptions) -> UpstreamFailure? {
        var method = request.method
        guard method.withUTF8({ HTTPSyntax.isToken(UnsafeRawBufferPointer($0)) }), request.method != "CONNECT" else {
            return UpstreamFailure(.unsendable, "the method '\(request.method)' cannot be forwarded")
        }
        guard let url = options.base.url(for: request.target) else {
            return UpstreamFailure(.unsendable, "the request target is not a path")
        }
        useErrorText()
        set(CURLOPT_URL, url)
        set(CURLOPT_PATH_AS_IS, true)
        set(CURLOPT_PROTOCOLS_STR, "http,https")
        set(CURLOPT_NOSIGNAL, true)
        // Else a call that is cancelled while its name is resolved would block the loop until the resolver answers.
        set(CURLOPT_QUICK_EXIT, true)
        set(CURLOPT_SUPPRESS_CONNECT_HEADERS, true)
        setConnection(options)
        setBody(request)
        if let signing = options.signing { set(signing) }
        return setHeaders(request, isSigned: options.signing != nil)
    }

    private func set(_ signing: CurlSigning) {
        set(CURLOPT_AWS_SIGV4, "aws:amz:\(signing.region):\(signing.service)")
        set(CURLOPT_USERNAME, signing.user)
        set(CURLOPT_PASSWORD, signing.password.revealed)
        // The `Expect` line that libcurl adds to large bodies cannot be taken away; so it does not wait for an answer.
        set(CURLOPT_EXPECT_100_TIMEOUT_MS, 1)
    }

    private func setConnection(_ options: UpstreamOptions) {
        set(CURLOPT_CONNECTTIMEOUT_MS, options.connectTimeout)
        set(CURLOPT_TIMEOUT_MS, options.totalTimeout)
        set(CURLOPT_MAXAGE_CONN, max(1, Int(options.maxIdleAge.components.seconds)))
        set(CURLOPT_TCP_KEEPALIVE, true)
        if options.base.isSecure {
            set(CURLOPT_HTTP_VERSION, options.http2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1)
            // Calls that come while the first connection is being made share it if it turns out to be HTTP/2.
            set(CURLOPT_PIPEWAIT, options.http2)
            set(CURLOPT_SSL_VERIFYPEER, options.verifiesTLS)
            set(CURLOPT_SSL_VERIFYHOST, options.verifiesTLS ? 2 : 0)
            if let file = options.caFile { set(CURLOPT_CAINFO, file) }
        } else {
            set(CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1)
        }
        switch options.proxy {
        case .fromEnvironment: break
        case .none: set(CURLOPT_PROXY, "")
        case .url(let url): set(CURLOPT_PROXY, url)
        }
    }

    private func setBody(_ request: UpstreamRequest) {
        switch request.body {
        case _ where request.method == "HEAD":
            // A body would make libcurl wait for one in the response; it has no meaning here (RFC 9110, 9.3.2).
            set(CURLOPT_NOBODY, true)
            return
        case .none where !["POST", "PUT", "PATCH"].contains(request.method):
            set(CURLOPT_HTTPGET, true)
        case .none:
            setBytes(.empty)
        case .bytes(let bytes):
            setBytes(bytes)
        case .stream(_, let length):
            set(CURLOPT_UPLOAD, true)
            set(CURLOPT_INFILESIZE_LARGE, bytes: length ?? -1)
        }
        set(CURLOPT_CUSTOMREQUEST, request.method)
    }

    /// The transfer keeps `bytes` alive: libcurl sends them from where they are.
    private func setBytes(_ bytes: Bytes) {
        set(CURLOPT_POST, true)
        set(CURLOPT_POSTFIELDSIZE_LARGE, bytes: Int64(bytes.count))
        bytes.withUnsafeBytes { set(CURLOPT_POSTFIELDS, pointer: $0.baseAddress) }
    }

    private func setHeaders(_ request: UpstreamRequest, isSigned: Bool) -> UpstreamFailure? {
        var hasAccept = false
        var hasType = false
        var acceptsCoding = false
        for field in HopByHop.removed(from: request.headers) {
            if field.isNamed("Host") || field.isNamed("Content-Length") || field.isNamed("Expect") { continue }
            if request.decodes && field.isNamed("Accept-Encoding") {
                acceptsCoding = true
                continue
            }
            hasAccept = hasAccept || field.isNamed("Accept")
            hasType = hasType || field.isNamed("Content-Type")
            guard addHeader(field) else {
                return UpstreamFailure(.unsendable, "a header line of the request is not valid")
            }
        }
        if !isSigned {
            // Lines that libcurl would add by itself.
            if !hasAccept { suppressHeader("Accept") }
            if !hasType { suppressHeader("Content-Type") }
            suppressHeader("Expect")
        }
        if request.decodes {
            // Every coding that libcurl can undo, but asked for only if the client asked for any.
            set(CURLOPT_ACCEPT_ENCODING, "")
            if !acceptsCoding { suppressHeader("Accept-Encoding") }
        }
        useHeaders()
        return nil
    }

    /// Makes libcurl call `transfer`, which must be kept alive until the handle is reset.
    func connect(to transfer: CurlTransfer) {
        let context = UnsafeRawPointer(Unmanaged.passUnretained(transfer).toOpaque())
        timeFired = { [unowned transfer] in transfer.timeFired() }
        set(CURLOPT_PREREQDATA, pointer: context)
        refrain_curl_set_prerequest(handle) { context, _, _, _, localPort in
            let isUsable = CurlTransfer.from(context).mayUseConnection(localPort: Int(localPort))
            return isUsable ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
        }
        set(CURLOPT_HEADERDATA, pointer: context)
        set(CURLOPT_HEADERFUNCTION) { memory, size, count, context in
            let bytes = UnsafeRawBufferPointer(start: memory, count: size * count)
            return CurlTransfer.from(context).receiveHeader(bytes) ? bytes.count : 0
        }
        set(CURLOPT_WRITEDATA, pointer: context)
        set(CURLOPT_WRITEFUNCTION) { memory, size, count, context in
            CurlTransfer.from(context).receiveBody(UnsafeRawBufferPointer(start: memory, count: size * count))
        }
        set(CURLOPT_READDATA, pointer: context)
        set(CURLOPT_READFUNCTION) { memory, size, count, context in
            CurlTransfer.from(context).sendBody(UnsafeMutableRawBufferPointer(start: memory, count: size * count))
        }
    }
}

extension CurlTransfer {
    /// The object behind a callback's context, which is always the one `connect` set.
    fileprivate static func from(_ context: UnsafeMutableRawPointer?) -> CurlTransfer {
        Unmanaged<CurlTransfer>.fromOpaque(context!).takeUnretainedValue()
    }
}
