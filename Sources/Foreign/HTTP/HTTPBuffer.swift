/// A growing run of bytes that keeps its memory for the next use.
struct HTTPBuffer: ~Copyable {
    private var memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    private(set) var count = 0

    /// What is kept between uses; a rare big body must not stay in memory with an idle exchange.
    private static let keptCapacity = 64 * 1024

    init() {}
    deinit { memory.deallocate() }

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: memory.baseAddress, count: count) }

    @inline(__always)
    mutating func append(_ source: UnsafeRawBufferPointer) {
        guard let base = source.baseAddress, !source.isEmpty else { return }
        if memory.count - count < source.count { grow(to: count + source.count) }
        // Grown above, so there is memory.
        (memory.baseAddress! + count).copyMemory(from: base, byteCount: source.count)
        count += source.count
    }

    mutating func append(_ word: StaticString) {
        append(UnsafeRawBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount))
    }

    mutating func clear() {
        count = 0
        guard memory.count > HTTPBuffer.keptCapacity else { return }
        memory.deallocate()
        memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    }

    private mutating func grow(to needed: Int) {
        let larger = UnsafeMutableRawBufferPointer.allocate(
            byteCount: max(needed, memory.count * 2, 2048), alignment: 16)
        larger.copyMemory(from: bytes)
        memory.deallocate()
        memory = larger
    }
}
