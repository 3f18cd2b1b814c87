import CMalloc

/// Memory that was freed and that the allocator still holds.
package enum HeapTrim {
    /// Gives it back to the system; worth a call after something large was read once.
    package static func run() { malloc_trim(0) }
}
