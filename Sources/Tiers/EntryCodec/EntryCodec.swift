import Core

/// Turns entries into the bytes that the lower tiers keep, and back; `EntryLayout` is their format.
///
/// A reader trusts nothing. It checks every size against what is there and what is allowed before it allocates, takes no
/// field before the checksum is right, and serves an entry only under the key that it was written for.
package struct EntryCodec: Sendable {
    private let compression: any Compressing
    private let checksum: any Checksumming
    private let sealing: (any Sealing)?
    /// The most bytes that an entry may take, encoded; and its contents, decoded.
    package let limit: Int

    /// - Parameters:
    ///   - sealing: nil keeps entries unencrypted. With it, unencrypted ones are refused: who can write to the store
    ///     could otherwise put answers of his own there.
    ///   - limit: in bytes, at most 2³¹ - 1, which is as far as the libraries below count.
    package init(
        compression: any Compressing, checksum: any Checksumming, sealing: (any Sealing)? = nil, limit: Int
    ) {
        self.compression = compression
        self.checksum = checksum
        self.sealing = sealing
        self.limit = max(0, min(limit, Int(Int32.max)))
    }

    // MARK: Writing

    package func encode(_ entry: Entry, under key: CacheKey) throws(EncodeFailure) -> Bytes {
        let protection: EntryLayout.Protection = sealing == nil ? .plain : .sealed
        let payload = PayloadWriter(entry)
        guard let largest = payload.largestSize, largest + EntryLayout.overhead(protection) <= limit else {
            throw .tooLarge
        }
        let head = EntryHead(entry.facts, key, protection)
        let scratch = try Bytes(capacity: largest + EntryLayout.overhead(protection)) {
            (target) throws(EncodeFailure) in
            try write(head, payload, into: target)
        }
        // Compression left much of the memory unused, and what waits to be written is counted by its size.
        return scratch.withUnsafeBytes { Bytes(copying: $0) }
    }

    /// How many bytes it wrote.
    private func write(
        _ head: EntryHead, _ payload: PayloadWriter, into target: UnsafeMutableRawBufferPointer
    ) throws(EncodeFailure) -> Int {
        var writer = ByteWriter(target)
        let headPlace = writer.skip(EntryLayout.head)
        let sealPlace = sealing.map { _ in writer.skip(EntryLayout.seal) }
        let start = writer.count
        payload.write(to: &writer, compression)
        let payloadPlace = UnsafeMutableRawBufferPointer(rebasing: target[start..<writer.count])

        var head = head
        head.payloadSize = UInt32(payloadPlace.count)
        var headWriter = ByteWriter(headPlace)
        head.write(to: &headWriter)
        if let sealing, let sealPlace {
            var sealWriter = ByteWriter(sealPlace)
            sealWriter.put(sealing.keyID)
            let isSealed = sealing.seal(
                payloadPlace, associated: UnsafeRawBufferPointer(rebasing: target[..<(EntryLayout.head + 8)]),
                nonce: sealWriter.rest, tag: writer.skip(SealSize.tag))
            guard isSealed else { throw .unsealable }
        }
        writer.put(checksum.checksum(UnsafeRawBufferPointer(rebasing: target[..<writer.count])))
        return writer.count
    }

    // MARK: Reading

    package func decode(_ bytes: UnsafeRawBufferPointer, under key: CacheKey) throws(EntryFailure) -> Entry {
        guard bytes.count <= limit else { throw .tooLarge }
        var reader = ByteReader(bytes)
        guard try reader.number(UInt32.self) == EntryLayout.magic else { throw .foreign }
        let version = try reader.number(UInt8.self)
        guard version <= EntryLayout.version else { throw .futureVersion }
        guard version == EntryLayout.version else { throw .corrupt }
        let head = try EntryHead(from: &reader)
        let expected = EntryLayout.overhead(head.protection) + Int(head.payloadSize)
        guard bytes.count >= expected else { throw .tooShort }
        guard bytes.count == expected else { throw .corrupt }
        try verifyChecksum(of: bytes)
        guard head.key == key else { throw .wrongKey }
        switch head.protection {
        case .plain:
            guard sealing == nil else { throw .unsealed }
            return try entry(head, try reader.take(Int(head.payloadSize)))
        case .sealed:
            return try opened(
                head, &reader, associated: UnsafeRawBufferPointer(rebasing: bytes[..<(EntryLayout.head + 8)]))
        }
    }

    package func decode(_ bytes: Bytes, under key: CacheKey) throws(EntryFailure) -> Entry {
        try bytes.withUnsafeBytes { (view) throws(EntryFailure) in try decode(view, under: key) }
    }

    private func verifyChecksum(of bytes: UnsafeRawBufferPointer) throws(EntryFailure) {
        let end = bytes.count - EntryLayout.checksum
        var reader = ByteReader(UnsafeRawBufferPointer(rebasing: bytes[end...]))
        let covered = UnsafeRawBufferPointer(rebasing: bytes[..<end])
        guard try reader.number(UInt64.self) == checksum.checksum(covered) else { throw .corrupt }
    }

    private func opened(
        _ head: EntryHead, _ reader: inout ByteReader, associated: UnsafeRawBufferPointer
    ) throws(EntryFailure) -> Entry {
        let keyID = try reader.number(UInt64.self)
        guard let sealing else { throw .unknownEncryptionKey }
        let nonce = try reader.take(SealSize.nonce)
        let content = try reader.take(Int(head.payloadSize))
        let tag = try reader.take(SealSize.tag)
        let payload = try Bytes(capacity: content.count) { (target) throws(EntryFailure) in
            let opening = sealing.open(
                content, keyID: keyID, associated: associated, nonce: nonce, tag: tag, into: target)
            switch opening {
            case .opened: return content.count
            case .unknownKey: throw .unknownEncryptionKey
            case .forged: throw .forged
            }
        }
        return try payload.withUnsafeBytes { (view) throws(EntryFailure) in try entry(head, view) }
    }

    private func entry(_ head: EntryHead, _ payload: UnsafeRawBufferPointer) throws(EntryFailure) -> Entry {
        var reader = PayloadReader(payload, compression, limit: limit)
        return try reader.entry(head)
    }
}
