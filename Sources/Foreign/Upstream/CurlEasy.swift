import CCurl
import Core

/// One libcurl easy handle with what must live as long as it: used by one transfer after the other.
final class CurlEasy {
    let handle: UnsafeMutableRawPointer
    /// Runs the deadline of the transfer that has the handle.
    private(set) var timer: LoopEvent?
    var timeFired: (() -> Void)?
    private let errorText: UnsafeMutablePointer<CChar>
    private var headerLines = CurlHeaderLines()

    init?(loop: EventLoop) {
        guard let handle = curl_easy_init() else { return nil }
        self.handle = handle
        errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        timer = loop.timer { [unowned self] in timeFired?() }
    }

    deinit {
        curl_easy_cleanup(handle)
        errorText.deallocate()
    }

    /// What libcurl said about the last failure, else its general words for `code`.
    func message(for code: CURLcode) -> String {
        let detail = String(cString: errorText)
        return detail.isEmpty ? String(cString: curl_easy_strerror(code)) : detail
    }

    /// Forgets everything about the last transfer.
    func reset() {
        timer?.disarm()
        timeFired = nil
        curl_easy_reset(handle)
        headerLines.clear()
        errorText.pointee = 0
    }

    func set(_ option: CURLoption, _ value: Bool) { refrain_curl_set_long(handle, option, value ? 1 : 0) }
    func set(_ option: CURLoption, _ value: Int) { refrain_curl_set_long(handle, option, value) }
    /// In milliseconds, of which libcurl reads 0 as "no limit".
    func set(_ option: CURLoption, _ value: Duration) {
        refrain_curl_set_long(handle, option, value > .zero ? max(1, Int(value.milliseconds)) : 0)
    }
    func set(_ option: CURLoption, bytes: Int64) { refrain_curl_set_offset(handle, option, curl_off_t(bytes)) }
    /// libcurl copies the text.
    func set(_ option: CURLoption, _ value: String) { refrain_curl_set_text(handle, option, value) }
    func set(_ option: CURLoption, pointer: UnsafeRawPointer?) { refrain_curl_set_pointer(handle, option, pointer) }
    func set(_ option: CURLoption, _ callback: @escaping curl_write_callback) {
        refrain_curl_set_callback(handle, option, callback)
    }

    /// Adds a header line; false if it is not a valid one.
    func addHeader(_ field: HeaderField) -> Bool { headerLines.add(field) }

    /// Keeps libcurl from adding a line of that name by itself.
    func suppressHeader(_ name: StaticString) { headerLines.suppress(name) }

    /// Hands the lines added so far to libcurl, which reads them until `reset`.
    func useHeaders() { refrain_curl_set_list(handle, CURLOPT_HTTPHEADER, headerLines.list()) }

    func useErrorText() { refrain_curl_set_pointer(handle, CURLOPT_ERRORBUFFER, errorText) }

    func information(_ info: CURLINFO) -> Int {
        var value = 0
        refrain_curl_get_long(handle, info, &value)
        return value
    }
}
