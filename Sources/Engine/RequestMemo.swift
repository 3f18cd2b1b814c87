import Core
import Dialects

/// The keys of requests that were asked before in the very same bytes.
///
/// A key is a pure function of the tenant, the scope and the body, and programs that repeat a request mostly repeat it
/// byte for byte. Comparing bytes costs a tenth of reading JSON and hashing it. Nothing is found unless everything
/// is equal, so a collision of the index costs time and never an answer. Not for more than one thread.
struct RequestMemo {
    /// A class, so that a place that is free is a pointer: places by the thousand are for each worker.
    private final class Slot: Sendable {
        let tenant: CacheKey
        let dialect: Dialect
        /// The scope's bytes, then the body's.
        let bytes: Bytes
        let scopeCount: Int
        let key: CacheKey
        let facts: RequestFacts

        init(_ admitted: Admitted, _ bytes: Bytes, scopeCount: Int) {
            tenant = admitted.tenant
            dialect = admitted.dialect
            self.bytes = bytes
            self.scopeCount = scopeCount
            key = admitted.key
            facts = admitted.facts
        }
    }

    private var slots: [Slot?] = Array(repeating: nil, count: slotCount)
    private var byteCount = 0

    private static let slotCount = 4096
    /// A longer body is read anew: comparing it would save little beside sending its answer.
    private static let longestBody = 16 << 10
    private static let byteLimit = 8 << 20

    func find(
        _ tenant: CacheKey, _ dialect: Dialect, scope: [UInt8], body: BytesView
    ) -> (key: CacheKey, facts: RequestFacts)? {
        guard body.count <= RequestMemo.longestBody, let slot = slots[index(tenant, body)], slot.tenant == tenant,
            slot.dialect == dialect, slot.scopeCount == scope.count,
            slot.bytes.count == scope.count + body.count
        else { return nil }
        let isEqual = slot.bytes.withUnsafeBytes { known in
            scope.withUnsafeBytes { known.starts(with: $0) }
                && UnsafeRawBufferPointer(rebasing: known[scope.count...]).hasSameBytes(as: body)
        }
        return isEqual ? (slot.key, slot.facts) : nil
    }

    mutating func remember(_ admitted: Admitted, scope: [UInt8], body: BytesView) {
        let size = scope.count + body.count
        guard body.count <= RequestMemo.longestBody else { return }
        if byteCount + size > RequestMemo.byteLimit { self = RequestMemo() }
        let index = index(admitted.tenant, body)
        byteCount += size - (slots[index]?.bytes.count ?? 0)
        let bytes = Bytes(capacity: size) { target in
            scope.withUnsafeBytes { target.copyMemory(from: $0) }
            UnsafeMutableRawBufferPointer(rebasing: target[scope.count...]).copyMemory(from: body)
            return size
        }
        slots[index] = Slot(admitted, bytes, scopeCount: scope.count)
    }

    /// A place for the body that depends on all of it: bodies made from one template differ in the middle.
    private func index(_ tenant: CacheKey, _ body: BytesView) -> Int {
        let prime: UInt64 = 0x9E37_79B9_7F4A_7C15
        var lanes = SIMD4<UInt64>(tenant.word0, UInt64(body.count), prime, ~prime)
        var position = 0
        while position + 32 <= body.count {
            lanes ^= body.loadUnaligned(fromByteOffset: position, as: SIMD4<UInt64>.self)
            lanes = (lanes &* prime) ^ (lanes &>> 29)
            position += 32
        }
        var hash = lanes[0] ^ lanes[1] &* 3 ^ lanes[2] &* 5 ^ lanes[3] &* 7
        while position < body.count {
            hash = (hash ^ UInt64(body[position])) &* prime
            position += 1
        }
        return Int(truncatingIfNeeded: hash >> 40) & (RequestMemo.slotCount - 1)
    }
}

extension UnsafeRawBufferPointer {
    /// Eight bytes at a time; the standard library compares one by one.
    fileprivate func hasSameBytes(as other: UnsafeRawBufferPointer) -> Bool {
        guard count == other.count else { return false }
        var position = 0
        while position + 8 <= count {
            let mine = loadUnaligned(fromByteOffset: position, as: UInt64.self)
            if mine != other.loadUnaligned(fromByteOffset: position, as: UInt64.self) { return false }
            position += 8
        }
        while position < count {
            if self[position] != other[position] { return false }
            position += 1
        }
        return true
    }
}
