// What the index of vectors needs from the outside: products of rows of bytes, and a graph through many of them.

/// How a vector of small whole numbers stands in memory, and what is known of it behind the numbers.
package struct VectorRows: Sendable, Hashable {
    /// Numbers in a vector.
    package let width: Int
    /// Rows have a multiple of 64 bytes of numbers; those behind the vector are 0.
    package let padded: Int
    /// From one row to the next: the numbers, then a `Tail`.
    package let stride: Int

    package init(width: Int) {
        self.width = width
        padded = (width + 63) / 64 * 64
        stride = padded + MemoryLayout<Tail>.stride
    }

    package struct Tail: Sendable {
        /// What a number of 1 stands for.
        package var scale: Float
        /// Of the numbers.
        package var sum: Int32
        /// Whose vector it is; means nothing to products and graphs.
        package var label: UInt64

        package init(scale: Float, sum: Int32, label: UInt64) {
            self.scale = scale
            self.sum = sum
            self.label = label
        }
    }
}

/// Products and graphs of rows by what the processor and a library have for them.
package protocol NeighbourKernels: Sendable {
    /// The inner products of `count` rows, which follow each other, with one more row.
    func products(
        of rows: UnsafeRawPointer, count: Int, shape: VectorRows, with query: UnsafeRawPointer,
        into products: UnsafeMutablePointer<Float>)

    /// An empty graph with room for `capacity` rows, which grows where it must; nil where memory is out.
    func graph(_ shape: VectorRows, capacity: Int) -> (any NeighbourGraph)?
}

/// Finds rows with a great inner product among many without looking at all of them, and may miss some. From any thread.
package protocol NeighbourGraph: AnyObject, Sendable {
    /// Takes `owner`'s row at this address under its label, and keeps `owner`, so that it stays where it is. Whether
    /// there was memory; where there was none the graph is of no use any more. Takes a fraction of a millisecond.
    func add(_ row: UnsafeRawPointer, label: UInt64, owner: any AnyObject & Sendable) -> Bool
    /// Rows that are not to be found any more. Their memory stays taken.
    func remove(_ labels: [UInt64])
    /// Up to `count` rows, in no order; the more `breadth`, the less is missed and the longer it takes.
    func search(_ query: UnsafeRawPointer, count: Int, breadth: Int) -> [NeighbourHit]
    /// What it takes beside the rows, nearly.
    var bytes: Int { get }
}

package struct NeighbourHit: Sendable, Hashable {
    package var label: UInt64
    package var product: Float
    package init(label: UInt64, product: Float) {
        self.label = label
        self.product = product
    }
}
