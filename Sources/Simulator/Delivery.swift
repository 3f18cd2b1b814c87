import Core
import Foreign

/// An answer that is sent piece by piece, each when it is due. Belongs to the loop's thread.
final class Delivery: HTTPBodySource {
    struct Piece {
        /// Nanoseconds after the request.
        var due: Int64
        var bytes: [UInt8]
    }

    private unowned let exchange: HTTPExchange
    private let clock: any Clock
    private let started: Int64
    private let pieces: [Piece]
    /// What comes after the last piece.
    private let last: BodyRead
    private var position = 0
    private var offset = 0
    private var timer: LoopEvent?
    private let whenEnded: () -> Void

    init(
        _ exchange: HTTPExchange, loop: EventLoop, clock: any Clock, pieces: [Piece], last: BodyRead,
        whenEnded: @escaping () -> Void
    ) {
        self.exchange = exchange
        self.clock = clock
        self.pieces = pieces
        self.last = last
        self.whenEnded = whenEnded
        started = clock.monotonic()
        timer = loop.timer { [unowned self] in self.exchange.wake() }
    }

    func read(into target: UnsafeMutableRawBufferPointer) -> BodyRead {
        let now = clock.monotonic() - started
        var count = 0
        while position < pieces.count, pieces[position].due <= now, count < target.count {
            let rest = pieces[position].bytes[offset...].prefix(target.count - count)
            UnsafeMutableRawBufferPointer(rebasing: target[count...]).copyBytes(from: rest)
            count += rest.count
            offset += rest.count
            if offset == pieces[position].bytes.count { (position, offset) = (position + 1, 0) }
        }
        if count > 0 { return .bytes(count) }
        guard position < pieces.count else { return last }
        timer?.arm(after: pieces[position].due - now)
        return .later
    }

    func ended(isComplete: Bool) {
        timer = nil
        whenEnded()
    }
}

/// The gzip format (RFC 1952) with stored blocks: compressed in form, not in size.
enum StoredGzip {
    static func wrap(_ bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255]
        var rest = bytes[...]
        repeat {
            let block = rest.prefix(0xFFFF)
            rest = rest.dropFirst(block.count)
            result.append(rest.isEmpty ? 1 : 0)
            result += littleEndian(UInt32(block.count), 2) + littleEndian(~UInt32(block.count), 2) + block
        } while !rest.isEmpty
        return result + littleEndian(crc(bytes), 4) + littleEndian(UInt32(truncatingIfNeeded: bytes.count), 4)
    }

    private static func littleEndian(_ value: UInt32, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: value >> UInt32(8 * $0)) }
    }

    private static func crc(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(0xFFFF_FFFF) { sum, byte in
            (0..<8).reduce(sum ^ UInt32(byte)) { sum, _ in sum & 1 == 1 ? sum >> 1 ^ 0xEDB8_8320 : sum >> 1 }
        }
    }
}
