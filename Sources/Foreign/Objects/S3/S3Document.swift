import CXml
import Core

/// The two documents that S3 answers with, read by libxml2's pull parser under its own limits, without a network and
/// without document types.
enum S3Document {
    struct Listing: Equatable {
        struct Item: Equatable {
            var key = ""
            /// In bytes.
            var size: Int64 = 0
            /// In milliseconds since 1970.
            var modifiedAt: Int64 = 0
        }

        var items: [Item] = []
        /// Whether there is more.
        var isTruncated = false
        var continuation: String?
    }

    /// Code and message of an `Error`; empty ones where there is no such document.
    static func refusal(_ body: Bytes) -> (code: String, message: String) {
        var found = (code: "", message: "")
        _ = read(body) { path, text in
            switch path {
            case ["Error", "Code"]: found.code = text
            case ["Error", "Message"]: found.message = text
            default: break
            }
            return true
        }
        return found
    }

    /// A `ListBucketResult` (of ListObjectsV2); nil if it is not wholly one, or has more than `limit` items.
    static func listing(_ body: Bytes, limit: Int) -> Listing? {
        var listing = Listing()
        var item = Listing.Item()
        var isListing = false
        let isWhole = read(body) { path, text in
            guard path.first == "ListBucketResult" else { return false }
            switch path.dropFirst() {
            case []: isListing = true
            case ["IsTruncated"]: listing.isTruncated = text == "true"
            case ["NextContinuationToken"]: listing.continuation = text
            case ["Contents", "Key"]: item.key = text
            case ["Contents", "Size"]:
                guard let size = Int64(text), size >= 0 else { return false }
                item.size = size
            case ["Contents", "LastModified"]:
                guard let time = InternetTime.milliseconds(text) else { return false }
                item.modifiedAt = time
            case ["Contents"]:
                guard !item.key.isEmpty, listing.items.count < limit else { return false }
                listing.items.append(item)
                item = Listing.Item()
            default: break
            }
            return true
        }
        guard isWhole, isListing, listing.continuation != nil || !listing.isTruncated else { return nil }
        return listing
    }

    private static let deepest = 16

    /// Tells of each element at its end: the names from the root on, and the text directly in it. False if `element`
    /// said so, or if the document is not well formed.
    private static func read(_ body: Bytes, element: ([String], String) -> Bool) -> Bool {
        body.withUnsafeBytes { bytes in
            guard XMLLibrary.isReady, let size = CInt(exactly: bytes.count), size > 0 else { return false }
            let options = CInt(XML_PARSE_NONET.rawValue | XML_PARSE_NOERROR.rawValue | XML_PARSE_NOWARNING.rawValue)
            let memory = bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
            guard let reader = xmlReaderForMemory(memory, size, nil, nil, options) else { return false }
            defer { xmlFreeTextReader(reader) }
            return walk(reader, element)
        }
    }

    private static func walk(_ reader: OpaquePointer, _ element: ([String], String) -> Bool) -> Bool {
        var path: [String] = []
        var texts: [String] = []
        while true {
            let step = xmlTextReaderRead(reader)
            guard step == 1 else { return step == 0 && path.isEmpty }
            switch UInt32(bitPattern: xmlTextReaderNodeType(reader)) {
            case XML_READER_TYPE_ELEMENT.rawValue:
                guard path.count < deepest else { return false }
                path.append(text(xmlTextReaderConstLocalName(reader)))
                texts.append("")
                guard xmlTextReaderIsEmptyElement(reader) == 1 else { continue }
                guard element(path, "") else { return false }
                path.removeLast()
                texts.removeLast()
            case XML_READER_TYPE_TEXT.rawValue, XML_READER_TYPE_CDATA.rawValue,
                XML_READER_TYPE_WHITESPACE.rawValue, XML_READER_TYPE_SIGNIFICANT_WHITESPACE.rawValue:
                guard let value = xmlTextReaderConstValue(reader), !texts.isEmpty else { continue }
                texts[texts.count - 1] += text(value)
            case XML_READER_TYPE_END_ELEMENT.rawValue:
                guard element(path, texts.last ?? "") else { return false }
                path.removeLast()
                texts.removeLast()
            case XML_READER_TYPE_DOCUMENT_TYPE.rawValue, XML_READER_TYPE_ENTITY_REFERENCE.rawValue: return false
            default: continue
            }
        }
    }

    private static func text(_ bytes: UnsafePointer<xmlChar>?) -> String { bytes.map { String(cString: $0) } ?? "" }
}

/// libxml2's process-wide set-up, which must come before threads use it, once.
enum XMLLibrary {
    static let isReady: Bool = {
        xmlInitParser()
        return true
    }()
}

/// The time format of S3's documents (ISO 8601 in UTC: `2026-11-24T07:49:46.764Z`).
enum InternetTime {
    /// Milliseconds since 1970; nil for any other form.
    static func milliseconds(_ text: String) -> Int64? {
        let bytes = Array(text.utf8)
        guard bytes.count >= 20, bytes.count <= 30, bytes.last == UInt8(ascii: "Z"), bytes[10] == UInt8(ascii: "T"),
            bytes[4] == 45, bytes[7] == 45, bytes[13] == 58, bytes[16] == 58
        else { return nil }
        func number(_ range: Range<Int>) -> Int64? {
            bytes[range].reduce(0 as Int64?) { sum, byte in
                guard let sum, 48...57 ~= byte else { return nil }
                return sum * 10 + Int64(byte - 48)
            }
        }
        guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
            let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19),
            1...12 ~= month, 1...31 ~= day, hour < 24, minute < 60, second < 61
        else { return nil }
        var thousandths: Int64 = 0
        if bytes.count > 20 {
            guard bytes[19] == UInt8(ascii: "."), let fraction = number(20..<bytes.count - 1) else { return nil }
            let digits = bytes.count - 21
            thousandths = digits > 3 ? fraction / power(digits - 3) : fraction * power(3 - digits)
        }
        let seconds = ((days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second
        return seconds * Duration64.millisecondsPerSecond + thousandths
    }

    private static func power(_ exponent: Int) -> Int64 { (0..<exponent).reduce(1) { product, _ in product * 10 } }

    /// Days from 1970-01-01 in the Gregorian calendar (Howard Hinnant, "chrono-compatible low-level date algorithms",
    /// days_from_civil), for years from 0 on.
    private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 + 400 : year + 400
        let era = shifted / 400
        let yearOfEra = shifted % 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return (era - 1) * 146_097 + dayOfEra - 719_468
    }
}
