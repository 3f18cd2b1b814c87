/// What is counted of one subject.
package protocol Tally: Sendable {
    mutating func add(_ other: Self)
}

/// The tallies of the most frequent subjects of a stream, in a fixed number of rows.
///
/// Subjects compete within sets, each as Space-Saving has it (Metwally, Agrawal and El Abbadi, "Efficient computation of
/// frequent and top-k elements in data streams", ICDT 2005): a new one takes the place of the one with the least weight
/// and inherits that weight, so that a frequent subject cannot be kept out by many rare ones. The tallies themselves are
/// exact from when a subject came, and those of a subject that had to go are added to `rest`: nothing is counted twice or
/// lost. As long as no set overflows every tally is complete.
///
/// Counting costs a scan of one set and allocates nothing.
package struct TopTable<Row: Tally>: Sendable {
    /// All subjects that have no row.
    package private(set) var rest: Row

    private let ways: Int
    private let setMask: Int
    private let blank: Row
    private var ids: [UInt64]
    /// 0: the row is free.
    private var weights: [UInt64]
    private var rows: [Row]

    /// - Parameter sets: a power of two; how many groups of `ways` rows there are.
    package init(sets: Int, ways: Int, blank: Row) {
        precondition(sets > 0 && sets & (sets - 1) == 0 && ways > 0, "TopTable: the sets are a power of two")
        self.ways = ways
        self.blank = blank
        setMask = sets - 1
        rest = blank
        ids = Array(repeating: 0, count: sets * ways)
        weights = Array(repeating: 0, count: sets * ways)
        rows = Array(repeating: blank, count: sets * ways)
    }

    /// The row of a subject; one that has none is given a blank one, which `begin` may fill. `id` is evenly distributed.
    package mutating func row(of id: UInt64, begin: (inout Row) -> Void) -> Int {
        let start = (Int(truncatingIfNeeded: id) & setMask) * ways
        var least = start
        for index in start..<start + ways {
            if ids[index] == id, weights[index] > 0 {
                weights[index] &+= 1
                return index
            }
            if weights[index] < weights[least] { least = index }
        }
        if weights[least] > 0 { rest.add(rows[least]) }
        rows[least] = blank
        ids[least] = id
        weights[least] &+= 1
        begin(&rows[least])
        return least
    }

    /// A row that `row(of:begin:)` gave.
    package subscript(index: Int) -> Row {
        _read { yield rows[index] }
        _modify { yield &rows[index] }
    }

    /// The rows in use, in no order.
    package var all: [Row] { rows.indices.compactMap { weights[$0] > 0 ? rows[$0] : nil } }
}
