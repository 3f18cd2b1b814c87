import Core
import TestKit

/// FNV-1a with a finish: enough against accident.
struct MixingChecksum: Checksumming {
    func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        var value: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in bytes { value = (value ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        return value ^ value >> 31
    }
}

/// Fits everything, so that what lies under the checksum is tried.
struct NoChecksum: Checksumming {
    func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt64 { 0 }
}

/// Hides nothing from anybody who looks twice, but behaves as a seal.
struct MaskingSeal: Sealing {
    let keyID: UInt64

    func seal(
        _ content: UnsafeMutableRawBufferPointer, associated: UnsafeRawBufferPointer,
        nonce: UnsafeMutableRawBufferPointer, tag: UnsafeMutableRawBufferPointer
    ) -> Bool {
        for index in nonce.indices { nonce[index] = UInt8(index) }
        for index in content.indices { content[index] ^= 0xA5 }
        let sum = sum(UnsafeRawBufferPointer(content), associated)
        for index in tag.indices { tag[index] = UInt8(truncatingIfNeeded: sum >> UInt64(index % 8 * 8)) }
        return true
    }

    func open(
        _ content: UnsafeRawBufferPointer, keyID: UInt64, associated: UnsafeRawBufferPointer,
        nonce: UnsafeRawBufferPointer, tag: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer
    ) -> SealOpening {
        guard keyID == self.keyID else { return .unknownKey }
        let sum = sum(content, associated)
        guard tag.indices.allSatisfy({ tag[$0] == UInt8(truncatingIfNeeded: sum >> UInt64($0 % 8 * 8)) }) else {
            return .forged
        }
        for index in content.indices { target[index] = content[index] ^ 0xA5 }
        return .opened
    }

    private func sum(_ content: UnsafeRawBufferPointer, _ associated: UnsafeRawBufferPointer) -> UInt64 {
        MixingChecksum().checksum(content) &* 31 &+ MixingChecksum().checksum(associated)
    }
}

enum RandomText {
    static func any(using random: inout SeededRandom) -> String {
        let alphabet = ["a", "é", "中", "😀", "\u{0}", " ", "\n", "x"]
        return (0..<Int.random(in: 0...300, using: &random)).map { _ in
            alphabet.randomElement(using: &random) ?? ""
        }.joined()
    }

    /// Changes, cuts or lengthens.
    static func damage(_ bytes: inout [UInt8], using random: inout SeededRandom) {
        guard !bytes.isEmpty else { return bytes.append(0) }
        switch Int.random(in: 0..<5, using: &random) {
        case 0: bytes.removeLast(Int.random(in: 1...bytes.count, using: &random))
        case 1:
            bytes += (0..<Int.random(in: 1...9, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
        case 2:
            let start = Int.random(in: 0..<bytes.count, using: &random)
            for index in start..<min(bytes.count, start + 8) {
                bytes[index] = [0, 255].randomElement(using: &random) ?? 0
            }
        default:
            for _ in 0...Int.random(in: 0...3, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] ^= 1 << UInt8.random(in: 0...7, using: &random)
            }
        }
    }
}
