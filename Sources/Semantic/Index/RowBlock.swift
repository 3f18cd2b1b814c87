import Core

/// Memory for rows of vectors. Rows are added one behind the other and never change nor move.
///
/// Sendable although it is written to: a row is written once, under the index's lock, before its number is told to
/// anybody; who reads knows it from under the same lock and reads no row behind those it was told of.
final class RowMemory: @unchecked Sendable {
    let capacity: Int
    let shape: VectorRows
    private let start: UnsafeMutableRawPointer

    init(_ shape: VectorRows, capacity: Int) {
        self.shape = shape
        self.capacity = capacity
        start = .allocate(byteCount: shape.stride * capacity, alignment: 16)
    }

    deinit { start.deallocate() }

    var byteCount: Int { shape.stride * capacity + 64 }

    func row(_ index: Int) -> UnsafeRawPointer { UnsafeRawPointer(start + index * shape.stride) }

    func label(_ index: Int) -> UInt64 { tail(index).label }

    private func tail(_ index: Int) -> VectorRows.Tail {
        row(index).loadUnaligned(fromByteOffset: shape.padded, as: VectorRows.Tail.self)
    }

    func write(_ vector: QuantizedVector, label: UInt64, at index: Int) {
        RowMemory.write(vector, label: label, shape, to: start + index * shape.stride)
    }

    func copy(_ other: RowMemory, _ row: Int, to index: Int) {
        (start + index * shape.stride).copyMemory(from: other.row(row), byteCount: shape.stride)
    }

    func vector(_ index: Int) -> QuantizedVector {
        let values = UnsafeRawBufferPointer(start: row(index), count: shape.width)
        return QuantizedVector(values: values.map { Int8(bitPattern: $0) })
    }

    /// The cosine of a row with a vector of length one.
    func cosine(_ index: Int, with unit: [Float]) -> Float {
        let values = UnsafeRawBufferPointer(start: row(index), count: shape.width)
        var sum: Float = 0
        for place in 0..<shape.width { sum += Float(Int8(bitPattern: values[place])) * unit[place] }
        return sum * tail(index).scale
    }

    static func write(
        _ vector: QuantizedVector, label: UInt64, _ shape: VectorRows, to target: UnsafeMutableRawPointer
    ) {
        let numbers = UnsafeMutableRawBufferPointer(start: target, count: shape.padded)
        vector.values.withUnsafeBytes { numbers.copyMemory(from: $0) }
        for index in shape.width..<shape.padded { numbers[index] = 0 }
        let sum = vector.values.reduce(into: Int32(0)) { $0 += Int32($1) }
        let tail = VectorRows.Tail(scale: vector.scale, sum: sum, label: label)
        target.storeBytes(of: tail, toByteOffset: shape.padded, as: VectorRows.Tail.self)
    }
}

/// A run of a partition's rows, and which of them nobody owns any more. Belongs to who holds the index's lock.
final class RowBlock {
    let memory: RowMemory
    private(set) var count = 0
    private(set) var dead = 0
    /// A bit for each row that is dead.
    private(set) var marks: [UInt64]
    /// How many of the first rows a graph has, while the block is being taken into it.
    var graphed = 0
    /// The graph that has all of it. It owns the block, so it outlives this.
    unowned var part: GraphPart?

    static let mostRows = 1024

    init(_ memory: RowMemory) {
        self.memory = memory
        marks = []
    }

    var isFull: Bool { count == memory.capacity }
    var live: Int { count - dead }

    func append(_ write: (Int) -> Void) -> Int {
        write(count)
        count += 1
        return count - 1
    }

    func kill(_ row: Int) {
        if marks.isEmpty { marks = [UInt64](repeating: 0, count: (memory.capacity + 63) / 64) }
        marks[row / 64] |= 1 << UInt64(row % 64)
        dead += 1
    }

    /// What a scan needs of it.
    var view: View { View(memory: memory, count: count, marks: marks) }

    struct View: Sendable {
        let memory: RowMemory
        let count: Int
        let marks: [UInt64]

        func isDead(_ row: Int) -> Bool { !marks.isEmpty && marks[row / 64] >> UInt64(row % 64) & 1 == 1 }
    }
}
