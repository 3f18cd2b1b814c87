/// Where two sequences of words differ, by the greedy algorithm of Myers, "An O(ND) difference algorithm and its
/// variations" (Algorithmica 1986), on what is left between a common start and a common end.
struct TokenDifference: Sendable {
    struct Hunk: Sendable, Equatable {
        var new: Range<Int>
        var old: Range<Int>
    }

    /// Positions in the sequences that were compared.
    private(set) var hunks: [Hunk] = []
    /// Elements in common, in order.
    private(set) var common = 0
    /// Comparisons made; bounded by the lengths and `mostEdits` squared, whatever the texts say.
    private(set) var steps = 0

    /// Beyond that many edits the rest is one difference: texts so far apart are not aligned word by word.
    static let mostEdits = 128

    init(_ new: [UInt64], _ old: [UInt64]) {
        var start = 0
        while start < new.count, start < old.count, new[start] == old[start] { start += 1 }
        var end = 0
        while end < min(new.count, old.count) - start, new[new.count - 1 - end] == old[old.count - 1 - end] { end += 1 }
        common = start + end
        steps = common
        let middleNew = new[start..<(new.count - end)]
        let middleOld = old[start..<(old.count - end)]
        guard !middleNew.isEmpty || !middleOld.isEmpty else { return }
        guard !middleNew.isEmpty, !middleOld.isEmpty, let matches = align(middleNew, middleOld) else {
            hunks = [Hunk(new: middleNew.indices, old: middleOld.indices)]
            return
        }
        common += matches.count
        var from = (new: middleNew.startIndex, old: middleOld.startIndex)
        for match in matches + [(new: middleNew.endIndex, old: middleOld.endIndex)] {
            if match.new > from.new || match.old > from.old {
                hunks.append(Hunk(new: from.new..<match.new, old: from.old..<match.old))
            }
            from = (match.new + 1, match.old + 1)
        }
    }

    /// Pairs of equal elements in order, the most there can be; nil if more edits were needed than allowed.
    private mutating func align(
        _ new: ArraySlice<UInt64>, _ old: ArraySlice<UInt64>
    ) -> [(new: Int, old: Int)]? {
        let most = min(new.count + old.count, Self.mostEdits)
        let offset = most + 1
        var furthest = [Int32](repeating: 0, count: 2 * most + 3)
        var trace: [[Int32]] = []
        for edits in 0...most {
            trace.append(Array(furthest[(offset - edits - 1)...(offset + edits + 1)]))
            for diagonal in stride(from: -edits, through: edits, by: 2) {
                let isDown =
                    diagonal == -edits
                    || diagonal != edits && furthest[offset + diagonal - 1] < furthest[offset + diagonal + 1]
                var x = isDown ? Int(furthest[offset + diagonal + 1]) : Int(furthest[offset + diagonal - 1]) + 1
                var y = x - diagonal
                while x < new.count, y < old.count, y >= 0, new[new.startIndex + x] == old[old.startIndex + y] {
                    x += 1
                    y += 1
                    steps += 1
                }
                steps += 1
                furthest[offset + diagonal] = Int32(x)
                if x >= new.count, y >= old.count {
                    return path(trace, new, old)
                }
            }
        }
        return nil
    }

    /// Walks back from the end. A level of the trace holds its diagonals and one more on either side.
    private func path(
        _ trace: [[Int32]], _ new: ArraySlice<UInt64>, _ old: ArraySlice<UInt64>
    ) -> [(new: Int, old: Int)] {
        var matches: [(new: Int, old: Int)] = []
        var x = new.count
        var y = old.count
        for edits in stride(from: trace.count - 1, through: 0, by: -1) {
            let level = trace[edits]
            let diagonal = x - y
            let center = edits + 1
            let isDown =
                diagonal == -edits || diagonal != edits && level[center + diagonal - 1] < level[center + diagonal + 1]
            let previous = isDown ? diagonal + 1 : diagonal - 1
            let previousX = edits == 0 ? 0 : Int(level[center + previous])
            let previousY = edits == 0 ? 0 : previousX - previous
            while x > previousX, y > previousY {
                x -= 1
                y -= 1
                matches.append((new.startIndex + x, old.startIndex + y))
            }
            x = previousX
            y = previousY
        }
        return matches.reversed()
    }
}
