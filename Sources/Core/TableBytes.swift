// What collections of the standard library take of memory, for those who keep to a bound and say how much they hold.

package enum TableBytes {
    /// Of a block on the heap: the object's head, and what the allocator adds.
    package static let block = 48

    /// Buckets are a power of two, three quarters of which may be used.
    fileprivate static func buckets(_ capacity: Int) -> Int {
        var buckets = 1
        while buckets / 4 * 3 + buckets % 4 * 3 / 4 < capacity { buckets *= 2 }
        return buckets
    }

    fileprivate static func table(_ capacity: Int, stride: Int) -> Int {
        guard capacity > 0 else { return 0 }
        let buckets = buckets(capacity)
        return block + buckets * stride + buckets / 8
    }

    /// How many entries a dictionary of so many bytes holds.
    package static func entries<Key, Value>(of _: [Key: Value].Type, in bytes: Int) -> Int {
        let stride = MemoryLayout<Key>.stride + MemoryLayout<Value>.stride
        var buckets = 1
        while table(buckets * 2 / 4 * 3, stride: stride) <= bytes, buckets < 1 << 40 { buckets *= 2 }
        return buckets / 4 * 3
    }
}

extension Dictionary {
    /// Of its table, without what keys and values hold elsewhere.
    package var tableBytes: Int {
        TableBytes.table(capacity, stride: MemoryLayout<Key>.stride + MemoryLayout<Value>.stride)
    }
}

extension Set {
    /// Of its table, without what members hold elsewhere.
    package var tableBytes: Int { TableBytes.table(capacity, stride: MemoryLayout<Element>.stride) }
}

extension Array {
    /// Of its block, without what elements hold elsewhere.
    package var tableBytes: Int { capacity == 0 ? 0 : TableBytes.block + capacity * MemoryLayout<Element>.stride }
}
