import CS3
import Core
import Glibc

/// One request through libs3: its callbacks come here. Used by the thread that runs the request.
final class S3V2Call {
    private(set) var isComplete = false
    private(set) var refusal: S3Refusal?
    private(set) var isTooLarge = false
    /// What GET received.
    private(set) var received: [UInt8] = []
    /// How many bytes the server said there are; nil if it did not.
    private var announced: UInt64?
    /// libs3 takes a body that breaks off for a whole one.
    var isWhole: Bool { announced.map { $0 == received.count } ?? true }
    private let limit: Int
    private let sent: Bytes
    private var position = 0
    /// What a list brought: keys as they are in the bucket.
    private(set) var listing = S3Document.Listing()

    /// - Parameters:
    ///   - limit: how many bytes, or how many items of a list, are taken.
    ///   - sending: what PUT sends.
    init(limit: Int = 0, sending: Bytes = .empty) {
        self.limit = limit
        sent = sending
    }

    // MARK: Handlers

    static var response: S3ResponseHandler {
        S3ResponseHandler(
            propertiesCallback: { properties, data in
                // 0 says that there was no such line, or that it said 0.
                let length = properties?.pointee.contentLength ?? 0
                if length > 0 { S3V2Call.from(data).announced = length }
                return S3StatusOK
            },
            completeCallback: { status, details, data in S3V2Call.completed(status, details, data) })
    }

    static var get: S3GetObjectHandler {
        S3GetObjectHandler(
            responseHandler: response,
            getObjectDataCallback: { count, bytes, data in
                S3V2Call.from(data).receive(UnsafeRawBufferPointer(start: bytes, count: Int(count)))
            })
    }

    static var put: S3PutObjectHandler {
        S3PutObjectHandler(
            responseHandler: response,
            putObjectDataCallback: { count, bytes, data in
                S3V2Call.from(data).send(UnsafeMutableRawBufferPointer(start: bytes, count: Int(count)))
            })
    }

    static var list: S3ListBucketHandler {
        S3ListBucketHandler(
            responseHandler: response,
            listBucketCallback: { isTruncated, marker, count, contents, _, _, data in
                let items = UnsafeBufferPointer(start: contents, count: Int(count))
                return S3V2Call.from(data).receive(items, isTruncated: isTruncated != 0, marker: marker)
            })
    }

    /// The call behind a callback's data, which is always the one that `S3V2Connection.run` retained.
    private static func from(_ data: UnsafeMutableRawPointer?) -> S3V2Call {
        Unmanaged<S3V2Call>.fromOpaque(data!).takeUnretainedValue()
    }

    /// The last callback of a request, once for each: releases what `S3V2Connection.run` retained.
    private static func completed(
        _ status: S3Status, _ details: UnsafePointer<S3ErrorDetails>?, _ data: UnsafeMutableRawPointer?
    ) {
        let call = Unmanaged<S3V2Call>.fromOpaque(data!).takeRetainedValue()
        call.isComplete = true
        if status != S3StatusOK { call.refusal = S3Refusal(status, details?.pointee.message) }
    }

    // MARK: What comes

    private func receive(_ bytes: UnsafeRawBufferPointer) -> S3Status {
        guard bytes.count <= limit - received.count else {
            isTooLarge = true
            return S3StatusAbortedByCallback
        }
        received += bytes
        return S3StatusOK
    }

    private func send(_ target: UnsafeMutableRawBufferPointer) -> CInt {
        sent.withUnsafeBytes { bytes in
            let part = bytes[position..<min(bytes.count, position + target.count)]
            target.copyBytes(from: part)
            position += part.count
            return CInt(part.count)
        }
    }

    private func receive(
        _ items: UnsafeBufferPointer<S3ListBucketContent>, isTruncated: Bool, marker: UnsafePointer<CChar>?
    ) -> S3Status {
        for item in items {
            guard let key = item.key, listing.items.count < limit else { return S3StatusAbortedByCallback }
            listing.items.append(
                S3Document.Listing.Item(
                    key: String(cString: key), size: Int64(clamping: item.size),
                    modifiedAt: item.lastModified &* Duration64.millisecondsPerSecond))
        }
        listing.isTruncated = isTruncated
        let next = marker.map { String(cString: $0) } ?? ""
        // Servers name a marker only where a delimiter is used; else it is the last key.
        listing.continuation = next.isEmpty ? listing.items.last?.key : next
        return S3StatusOK
    }
}

extension S3Refusal {
    /// libs3's status: names of S3's own errors have `Error` before them, those of errors without a document
    /// `HttpError`; the others are about the connection.
    fileprivate init(_ code: S3Status, _ text: UnsafePointer<CChar>?) {
        let name = String(cString: S3_get_status_name(code))
        let message = text.map { String(cString: $0) } ?? ""
        switch code {
        case S3StatusHttpErrorForbidden: self.init(status: 403, code: "", message: message)
        case S3StatusHttpErrorNotFound: self.init(status: 404, code: "", message: message)
        case S3StatusHttpErrorBadRequest: self.init(status: 400, code: "", message: message)
        case S3StatusXmlParseFailure, S3StatusXmlDocumentTooLarge, S3StatusHeadersTooLong:
            self.init(status: 400, code: name, message: "the answer cannot be read")
        case _ where name.hasPrefix("Error"):
            self.init(status: 0, code: String(name.dropFirst("Error".count)), message: message)
        default: self.init(status: 0, code: name, message: message)
        }
    }
}
