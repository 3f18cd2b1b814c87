import Core

/// The slot of a key in a Redis Cluster.
package enum HashSlot {
    package static let count = 16_384

    /// CRC16 of the key, or of the hash tag in it: what stands between the first `{` and the next `}`, if anything does
    /// (Redis Cluster specification, "Key distribution model" and "Hash tags").
    package static func of(_ key: UnsafeRawBufferPointer) -> UInt16 {
        var hashed = key[...]
        if let open = key.firstIndex(of: UInt8(ascii: "{")),
            let close = key[(open + 1)...].firstIndex(of: UInt8(ascii: "}")), close > open + 1
        {
            hashed = key[(open + 1)..<close]
        }
        return crc16(UnsafeRawBufferPointer(rebasing: hashed)) & UInt16(count - 1)
    }

    package static func of(_ key: Bytes) -> UInt16 { key.withUnsafeBytes { of($0) } }

    /// CRC-16/XMODEM: polynomial 0x1021, start value 0, nothing reflected (specification, appendix A).
    package static func crc16(_ bytes: UnsafeRawBufferPointer) -> UInt16 {
        var crc: UInt16 = 0
        for byte in bytes { crc = crc << 8 ^ table[Int((crc >> 8) ^ UInt16(byte))] }
        return crc
    }

    private static let table: [UInt16] = (0..<256).map { index in
        var crc = UInt16(index) << 8
        for _ in 0..<8 { crc = crc & 0x8000 == 0 ? crc << 1 : crc << 1 ^ 0x1021 }
        return crc
    }
}
