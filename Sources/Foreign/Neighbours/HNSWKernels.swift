import CHnsw
import Core
import Synchronization

/// Products by the processor's widest instructions, graphs by hnswlib (Malkov and Yashunin, "Efficient and robust
/// approximate nearest neighbor search using Hierarchical Navigable Small World graphs", 2018).
package struct HNSWKernels: NeighbourKernels {
    /// Links of a row on each upper level, twice that on the lowest.
    private let links: Int
    /// Candidates that are looked at for the links of a new row.
    private let buildBreadth: Int

    package init(links: Int = 16, buildBreadth: Int = 200) {
        self.links = links
        self.buildBreadth = buildBreadth
    }

    package func products(
        of rows: UnsafeRawPointer, count: Int, shape: VectorRows, with query: UnsafeRawPointer,
        into products: UnsafeMutablePointer<Float>
    ) {
        refrain_rows_products(rows, count, shape.stride, shape.padded, query, products)
    }

    package func graph(_ shape: VectorRows, capacity: Int) -> (any NeighbourGraph)? {
        refrain_graph_make(shape.padded, capacity, links, buildBreadth).map(HNSWGraph.init)
    }
}

/// A graph of hnswlib's.
///
/// Sendable because the handle is immutable and its functions lock the graph themselves; the owners have a lock of their
/// own.
private final class HNSWGraph: NeighbourGraph, @unchecked Sendable {
    private let handle: OpaquePointer
    /// Keep the memory of the rows; those of one owner come together, so each is noted once or little more.
    private let owners = Mutex<[any AnyObject & Sendable]>([])

    init(_ handle: OpaquePointer) { self.handle = handle }

    deinit { refrain_graph_free(handle) }

    func add(_ row: UnsafeRawPointer, label: UInt64, owner: any AnyObject & Sendable) -> Bool {
        owners.withLock { owners in
            if owners.last !== owner { owners.append(owner) }
        }
        return refrain_graph_add(handle, row, label)
    }

    func remove(_ labels: [UInt64]) {
        for label in labels { refrain_graph_remove(handle, label) }
    }

    func search(_ query: UnsafeRawPointer, count: Int, breadth: Int) -> [NeighbourHit] {
        withUnsafeTemporaryAllocation(of: UInt64.self, capacity: count) { labels in
            withUnsafeTemporaryAllocation(of: Float.self, capacity: count) { products in
                guard let label = labels.baseAddress, let product = products.baseAddress else { return [] }
                let found = refrain_graph_search(handle, query, count, max(breadth, count), label, product)
                return (0..<max(0, found)).map { NeighbourHit(label: labels[$0], product: products[$0]) }
            }
        }
    }

    var bytes: Int { refrain_graph_bytes(handle) }
}
