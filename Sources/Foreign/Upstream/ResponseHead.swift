import Core

/// Puts the header lines that libcurl hands over one by one together into the head of the final response.
///
/// A pure state machine: informational (1xx) heads are skipped, trailers ignored, hop-by-hop lines left out, and what
/// could be read in two ways is an error.
struct ResponseHead {
    enum Step: Equatable {
        case incomplete
        case complete(status: Int, headers: [HeaderField])
        case failed(UpstreamFailure)

        static func malformed(_ message: String) -> Step { .failed(UpstreamFailure(.malformed, message)) }
    }

    private let maxBytes: Int
    private let decodes: Bool
    private var bytes = 0
    private var status: Int?
    private var headers: [HeaderField] = []
    private(set) var isComplete = false

    init(maxBytes: Int, decodes: Bool) {
        self.maxBytes = maxBytes
        self.decodes = decodes
    }

    /// Takes one line with its line end.
    mutating func feed(_ line: UnsafeRawBufferPointer) -> Step {
        guard !isComplete else { return .incomplete }
        bytes += line.count
        guard bytes <= maxBytes else {
            return .failed(UpstreamFailure(.tooLarge, "the response head is larger than \(maxBytes) bytes"))
        }
        var end = line.count
        if end > 0, line[end - 1] == UInt8(ascii: "\n") { end -= 1 }
        if end > 0, line[end - 1] == UInt8(ascii: "\r") { end -= 1 }
        let line = UnsafeRawBufferPointer(rebasing: line[..<end])
        guard let status else { return takeStatusLine(line) }
        guard !line.isEmpty else { return endBlock(status) }
        return takeField(line)
    }

    private mutating func takeStatusLine(_ line: UnsafeRawBufferPointer) -> Step {
        let parts = line.split(separator: UInt8(ascii: " "), maxSplits: 2)
        guard parts.count >= 2, parts[0].starts(with: "HTTP/".utf8), parts[1].count == 3,
            let status = HTTPSyntax.decimal(UnsafeRawBufferPointer(rebasing: parts[1])).map(Int.init), status >= 100
        else { return .malformed("the response has no valid status line") }
        self.status = status
        return .incomplete
    }

    private mutating func takeField(_ line: UnsafeRawBufferPointer) -> Step {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else {
            return .malformed("the response has an invalid header name")
        }
        let name = UnsafeRawBufferPointer(rebasing: line[..<colon])
        guard HTTPSyntax.isToken(name) else { return .malformed("the response has an invalid header name") }
        let value = UnsafeRawBufferPointer(rebasing: line[(colon + 1)...]).trimmed
        guard HTTPSyntax.isFieldValue(value) else {
            return .malformed("the response has a control character in a header")
        }
        headers.append(HeaderField(name.text, value.text))
        return .incomplete
    }

    private mutating func endBlock(_ status: Int) -> Step {
        guard status >= 200 else {
            self.status = nil
            headers = []
            return .incomplete
        }
        isComplete = true
        let isChunked = headers.first(named: "Transfer-Encoding") != nil
        let isDecoded = decodes && headers.first(named: "Content-Encoding") != nil
        let lengths = headers.filter { $0.isNamed("Content-Length") }.map(\.value)
        guard lengths.allSatisfy({ $0 == lengths[0] && $0.utf8.allSatisfy { 48...57 ~= $0 } && Int64($0) != nil })
        else { return .malformed("the response has contradictory or invalid Content-Length lines") }
        var kept = HopByHop.removed(from: headers)
        if isChunked || isDecoded { kept.removeAll { $0.isNamed("Content-Length") } }
        if isDecoded { kept.removeAll { $0.isNamed("Content-Encoding") } }
        headers = []
        return .complete(status: status, headers: kept)
    }
}
