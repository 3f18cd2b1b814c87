import CMicrohttpd
import Core

/// One header line of a request; the memory is valid until the exchange ends.
package struct HTTPHeaderLine {
    package let name: UnsafeRawBufferPointer
    /// Without the blanks around it.
    package let value: UnsafeRawBufferPointer

    @inline(__always)
    package func isNamed(_ other: StaticString) -> Bool {
        // strncasecmp in the C locale: ASCII alone, as HTTP has it.
        name.count == other.utf8CodeUnitCount && name.equalsIgnoringCase(other)
    }
}

/// The header lines of one request and what the server itself must know of them, gathered in one pass.
struct HTTPHeaderTable: ~Copyable {
    /// More lines than this are refused with 431.
    static let lineLimit = 100

    private let lines = UnsafeMutablePointer<HTTPHeaderLine>.allocate(capacity: lineLimit)
    private(set) var count = 0
    private(set) var refusal: HTTPRefusal?
    private(set) var contentLength: Int64?
    private(set) var isChunked = false
    private(set) var expectsContinue = false
    private var hasHost = false
    /// Where the next line must begin if the lines before it are what they seem.
    private var expected: UnsafeRawPointer?

    init() {}
    deinit { lines.deallocate() }

    var all: UnsafeBufferPointer<HTTPHeaderLine> { UnsafeBufferPointer(start: lines, count: count) }

    func value(named name: StaticString) -> UnsafeRawBufferPointer? {
        for index in 0..<count where lines[index].isNamed(name) { return lines[index].value }
        return nil
    }

    /// Reads the lines of `connection`, which follow the request line's last byte in memory.
    ///
    /// The library parses lines in place and ends each name and value with a zero where the colon or the line break
    /// was. It takes a bare line feed for a line break, joins folded lines elsewhere, and stops at a zero byte. Each
    /// of these makes the next line begin somewhere else than two bytes behind the value, which is how they are told.
    mutating func gather(from connection: OpaquePointer, after requestLine: UnsafeRawPointer, isHTTP10: Bool) {
        count = 0
        refusal = nil
        contentLength = nil
        isChunked = false
        expectsContinue = false
        hasHost = false
        expected = requestLine + 2
        withUnsafeMutablePointer(to: &self) { table in
            _ = MHD_get_connection_values_n(
                connection, .HEADER_KIND,
                { context, _, name, nameCount, value, valueCount in
                    // The table, lent for the call.
                    let table = context!.assumingMemoryBound(to: HTTPHeaderTable.self)
                    guard let name, let value else { return .NO }
                    table.pointee.add(
                        UnsafeRawBufferPointer(start: name, count: nameCount),
                        UnsafeRawBufferPointer(start: value, count: valueCount))
                    return table.pointee.refusal == nil ? .YES : .NO
                }, table)
        }
        guard refusal == nil else { return }
        if isChunked && contentLength != nil {
            refusal = .lengthAndEncoding
        } else if isChunked && isHTTP10 {
            refusal = .unknownTransferEncoding
        } else if !hasHost && !isHTTP10 {
            refusal = .missingHost
        }
    }

    /// Whether the empty line that ends the head stands where the lines say it should.
    func ends(at end: UnsafeRawPointer) -> Bool { expected.map { $0 + 2 == end } ?? false }

    private mutating func add(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) {
        guard count < HTTPHeaderTable.lineLimit else { return refuse(.headTooLarge) }
        guard name.baseAddress == expected, let start = value.baseAddress else { return refuse(.malformedHead) }
        expected = start + value.count + 2
        guard HTTPSyntax.isToken(name), HTTPSyntax.isFieldValue(value) else { return refuse(.malformedHead) }
        let line = HTTPHeaderLine(name: name, value: HTTPSyntax.trimmed(value))
        (lines + count).initialize(to: line)
        count += 1
        note(line)
    }

    /// The lengths pick out the few names that matter before any letters are compared.
    private mutating func note(_ line: HTTPHeaderLine) {
        switch line.name.count {
        case 4 where line.isNamed("host"):
            if hasHost { refuse(.duplicateHost) }
            hasHost = true
        case 6 where line.isNamed("expect"):
            guard line.value.equalsIgnoringCase("100-continue") else { return refuse(.unknownExpectation) }
            expectsContinue = true
        case 14 where line.isNamed("content-length"):
            guard contentLength == nil else { return refuse(.duplicateContentLength) }
            guard let length = HTTPSyntax.decimal(line.value) else { return refuse(.invalidContentLength) }
            contentLength = length
        case 17 where line.isNamed("transfer-encoding"):
            guard !isChunked, line.value.equalsIgnoringCase("chunked") else {
                return refuse(.unknownTransferEncoding)
            }
            isChunked = true
        default: break
        }
    }

    private mutating func refuse(_ reason: HTTPRefusal) {
        if refusal == nil { refusal = reason }
    }
}

/// The grammar of RFC 9110 section 5 as far as the library leaves it unchecked.
enum HTTPSyntax {
    /// `tchar`, one bit a character, below and from 64.
    private static let tokenLow: UInt64 = 0x03FF_6CFA_0000_0000
    private static let tokenHigh: UInt64 = 0x57FF_FFFF_C7FF_FFFE

    @inline(__always)
    static func isToken(_ bytes: UnsafeRawBufferPointer) -> Bool {
        for byte in bytes {
            let bits = byte < 64 ? tokenLow : tokenHigh
            guard byte < 128, bits >> UInt64(byte & 63) & 1 == 1 else { return false }
        }
        return !bytes.isEmpty
    }

    /// No control character but the tab.
    @inline(__always)
    static func isFieldValue(_ bytes: UnsafeRawBufferPointer) -> Bool {
        // Eight bytes at a time, as long as all of them are printable ASCII, which is nearly always.
        var position = 0
        while position + 8 <= bytes.count {
            let word = bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self)
            let high: UInt64 = 0x8080_8080_8080_8080
            let low = word & ~high
            let isBelowSpace = ~(low &+ 0x6060_6060_6060_6060) & high
            let isDelete = (low &+ 0x0101_0101_0101_0101) & high
            if (isBelowSpace | isDelete | (word & high)) != 0 { break }
            position += 8
        }
        for byte in bytes[position...] where byte < 32 && byte != 9 || byte == 127 { return false }
        return true
    }

    /// Neither blanks nor control characters.
    static func isTarget(_ bytes: UnsafeRawBufferPointer) -> Bool {
        for byte in bytes where byte <= 32 || byte == 127 { return false }
        return !bytes.isEmpty
    }

    @inline(__always)
    static func trimmed(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        var count = bytes.count
        while count > 0, bytes[count - 1] == 32 || bytes[count - 1] == 9 { count -= 1 }
        return UnsafeRawBufferPointer(start: bytes.baseAddress, count: count)
    }

    /// Digits alone; nil also for what does not fit.
    static func decimal(_ bytes: UnsafeRawBufferPointer) -> Int64? {
        guard !bytes.isEmpty, bytes.count <= 18 else { return nil }
        var value: Int64 = 0
        for byte in bytes {
            guard byte >= 48, byte <= 57 else { return nil }
            value = value * 10 + Int64(byte - 48)
        }
        return value
    }
}
