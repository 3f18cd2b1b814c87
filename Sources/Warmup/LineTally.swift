/// A line of one of the files that are read.
package struct LinePlace: Sendable, Equatable {
    /// The place of its file among them.
    package var source: Int
    /// From 1.
    package var line: Int

    package init(source: Int, line: Int) {
        self.source = source
        self.line = line
    }
}

/// Lines whose numbers are kept for each reason.
private let linesShown = 5

/// How many lines were of no use, by reason, with the first of each.
package struct LineTally<Reason: Hashable & Sendable>: Sendable {
    package struct Row: Sendable, Equatable {
        package var reason: Reason
        package var count: Int
        /// The first lines, each with the place of its file among those read.
        package var first: [LinePlace]
    }

    private var rowsByReason: [Reason: Row] = [:]
    package private(set) var total = 0

    package init() {}

    package mutating func add(_ reason: Reason, at place: LinePlace) {
        total += 1
        var row = rowsByReason[reason] ?? Row(reason: reason, count: 0, first: [])
        row.count += 1
        if row.first.count < linesShown { row.first.append(place) }
        rowsByReason[reason] = row
    }

    /// The most frequent first; of equal ones, the one that came first.
    package var rows: [Row] {
        rowsByReason.values.sorted { a, b in
            if a.count != b.count { return a.count > b.count }
            return (a.first[0].source, a.first[0].line) < (b.first[0].source, b.first[0].line)
        }
    }
}
