import Core

/// Turns records into the bytes that sidecars send to each other and that outlive a restart, and back. Numbers are most
/// significant byte first.
///
/// ```
/// head     4 magic · 1 version · 1 protection · 4 payload size · 8 matcher
/// seal     8 key id · 12 nonce                       only where protection is `sealed`
/// payload  see `RecordPayload`                       encrypted where protection is `sealed`
/// tag      16                                        only where protection is `sealed`
/// checksum 8, over everything before it
/// ```
/// A reader trusts nothing: it checks every size against what is there and what is allowed before it allocates.
package struct RecordCodec: Sendable {
    private let checksum: any Checksumming
    private let sealing: (any Sealing)?
    /// A digest of the matcher's identity: who compares otherwise can make nothing of a record.
    let matcher: UInt64

    private static let magic: UInt32 = 0x5246_5351  // "RFSQ"
    private static let version: UInt8 = 2
    private static let head = 4 + 1 + 1 + 4 + 8
    private static let seal = 8 + SealSize.nonce
    /// The most bytes that a record takes, encoded.
    package static let limit = 1 << 20

    private enum Protection: UInt8 {
        case plain, sealed
    }

    /// - Parameters:
    ///   - matcher: names how texts are compared; records of others are refused.
    ///   - sealing: nil leaves records unencrypted, with the texts in them. With it, unencrypted ones are refused.
    package init(matcher: String, checksum: any Checksumming, sealing: (any Sealing)? = nil) {
        self.checksum = checksum
        self.sealing = sealing
        self.matcher = Array(matcher.utf8).withUnsafeBytes { checksum.checksum($0) }
    }

    private var overhead: Int {
        RecordCodec.head + 8 + (sealing == nil ? 0 : RecordCodec.seal + SealSize.tag)
    }

    /// nil where the record is larger than one may be, or the encryption library fails.
    package func encode(_ record: SemanticRecord) -> Bytes? {
        let payload = RecordPayload(record)
        guard let size = payload.size, size + overhead <= RecordCodec.limit else { return nil }
        var isSealed = true
        let bytes = Bytes(capacity: size + overhead) { target in
            var writer = RecordWriter(target)
            writer.put(RecordCodec.magic)
            writer.put(RecordCodec.version)
            writer.put((sealing == nil ? Protection.plain : .sealed).rawValue)
            writer.put(UInt32(size))
            writer.put(matcher)
            if let sealing {
                writer.put(sealing.keyID)
                let associated = UnsafeRawBufferPointer(rebasing: target[..<writer.count])
                let nonce = writer.skip(SealSize.nonce)
                let start = writer.count
                payload.write(to: &writer)
                let content = UnsafeMutableRawBufferPointer(rebasing: target[start..<writer.count])
                let tag = writer.skip(SealSize.tag)
                isSealed = sealing.seal(content, associated: associated, nonce: nonce, tag: tag)
            } else {
                payload.write(to: &writer)
            }
            writer.put(checksum.checksum(UnsafeRawBufferPointer(rebasing: target[..<writer.count])))
            return writer.count
        }
        return isSealed ? bytes : nil
    }

    package func decode(_ bytes: Bytes) throws(RecordFault) -> SemanticRecord {
        try bytes.withUnsafeBytes { (view) throws(RecordFault) in try decode(view) }
    }

    package func decode(_ bytes: UnsafeRawBufferPointer) throws(RecordFault) -> SemanticRecord {
        guard bytes.count <= RecordCodec.limit else { throw .tooLarge }
        var reader = RecordReader(bytes)
        guard try reader.number(UInt32.self) == RecordCodec.magic else { throw .foreign }
        let version = try reader.number(UInt8.self)
        guard version == RecordCodec.version else { throw .otherVersion }
        guard let protection = Protection(rawValue: try reader.number(UInt8.self)) else { throw .corrupt }
        let size = Int(try reader.number(UInt32.self))
        let theirs = try reader.number(UInt64.self)
        try verifyChecksum(of: bytes)
        guard theirs == matcher else { throw .otherMatcher }
        switch protection {
        case .plain:
            guard sealing == nil else { throw .unsealed }
            return try whole(try reader.take(size), behind: reader)
        case .sealed:
            return try opened(&reader, size, in: bytes)
        }
    }

    private func verifyChecksum(of bytes: UnsafeRawBufferPointer) throws(RecordFault) {
        guard bytes.count >= RecordCodec.head + 8 else { throw .tooShort }
        let covered = UnsafeRawBufferPointer(rebasing: bytes[..<(bytes.count - 8)])
        var reader = RecordReader(UnsafeRawBufferPointer(rebasing: bytes[(bytes.count - 8)...]))
        guard try reader.number(UInt64.self) == checksum.checksum(covered) else { throw .corrupt }
    }

    private func opened(
        _ reader: inout RecordReader, _ size: Int, in bytes: UnsafeRawBufferPointer
    ) throws(RecordFault) -> SemanticRecord {
        let keyID = try reader.number(UInt64.self)
        guard let sealing else { throw .unknownEncryptionKey }
        let nonce = try reader.take(SealSize.nonce)
        let content = try reader.take(size)
        let tag = try reader.take(SealSize.tag)
        let rest = reader
        let payload = try Bytes(capacity: size) { (target) throws(RecordFault) in
            let opening = sealing.open(
                content, keyID: keyID,
                associated: UnsafeRawBufferPointer(rebasing: bytes[..<(RecordCodec.head + 8)]), nonce: nonce, tag: tag,
                into: target)
            switch opening {
            case .opened: return size
            case .unknownKey: throw .unknownEncryptionKey
            case .forged: throw .forged
            }
        }
        return try payload.withUnsafeBytes { (view) throws(RecordFault) in try whole(view, behind: rest) }
    }

    /// The record of a payload behind which the checksum alone is left.
    private func whole(
        _ payload: UnsafeRawBufferPointer, behind reader: RecordReader
    ) throws(RecordFault) -> SemanticRecord {
        guard reader.rest.count == 8 else { throw .corrupt }
        var content = RecordReader(payload)
        let record = try RecordPayload.read(from: &content)
        guard content.rest.isEmpty else { throw .corrupt }
        return record
    }
}
