/// Raw memory that grows and is reused from request to request, so that a warm reader allocates nothing.
struct Scratch: ~Copyable {
    private(set) var base: UnsafeMutableRawPointer
    private(set) var capacity: Int

    /// What is kept from one request to the next; one huge request must not hold its memory for ever.
    static let retained = 1 << 20

    init(capacity: Int) {
        self.capacity = capacity
        base = .allocate(byteCount: capacity, alignment: 16)
    }

    deinit { base.deallocate() }

    /// Makes room for `count` bytes, keeping the first `used`; pointers into the memory are void afterwards.
    @inline(__always)
    mutating func reserve(_ count: Int, keeping used: Int) {
        if count > capacity { resize(to: max(count, capacity * 2), keeping: used) }
    }

    /// Gives memory back that an unusually large request needed and a request of `count` bytes does not.
    @inline(__always)
    mutating func trim(forRequestOf count: Int) {
        if capacity > Scratch.retained, count < Scratch.retained / 8 { resize(to: Scratch.retained, keeping: 0) }
    }

    /// Moves what begins at `old` to begin at `new`, further on.
    mutating func shift(from old: Int, to new: Int) {
        var fresh = Scratch(capacity: capacity + new - old)
        (fresh.base + new).copyMemory(from: base + old, byteCount: max(0, capacity - old))
        swap(&self, &fresh)
    }

    @inline(never)
    private mutating func resize(to newCapacity: Int, keeping used: Int) {
        let fresh = UnsafeMutableRawPointer.allocate(byteCount: newCapacity, alignment: 16)
        fresh.copyMemory(from: base, byteCount: used)
        base.deallocate()
        base = fresh
        capacity = newCapacity
    }
}

/// Where a pass over a body stands: the next byte to read, and where the next canonical byte goes.
struct Cursor {
    var source: UnsafePointer<UInt8>
    var target: UnsafeMutablePointer<UInt8>

    @inline(__always) var byte: UInt8 { source.pointee }

    @inline(__always)
    mutating func put(_ byte: UInt8) {
        target.pointee = byte
        target += 1
    }

    /// Copies one byte that is its own canonical form.
    @inline(__always)
    mutating func pass() {
        put(byte)
        source += 1
    }

    @inline(__always)
    mutating func skipSpace() {
        while byte <= 0x20, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { source += 1 }
    }
}
