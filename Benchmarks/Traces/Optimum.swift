/// The most hits that any choice can have over entries of equal size (Bélády, "A study of replacement algorithms for a
/// virtual-storage computer", IBM Systems Journal 5(2), 1966): give up what is asked for again last, and do not keep
/// what is never asked for again.
func optimalHits(_ requests: [Int], capacity: Int) -> Int {
    let never = Int.max
    var next = [Int](repeating: never, count: requests.count)
    var latest: [Int: Int] = [:]
    for position in requests.indices.reversed() {
        next[position] = latest[requests[position]] ?? never
        latest[requests[position]] = position
    }
    // The next use of each held key; the heap also holds outdated ones, which are skipped.
    var held: [Int: Int] = [:]
    var farthest = MaxHeap()
    var hits = 0
    for (position, key) in requests.enumerated() {
        if held[key] != nil { hits += 1 }
        guard next[position] != never else {
            held[key] = nil
            continue
        }
        held[key] = next[position]
        farthest.push(next[position])
        while held.count > capacity, let use = farthest.pop() {
            if held[requests[use]] == use { held[requests[use]] = nil }
        }
    }
    return hits
}

/// A binary heap that gives the largest number first.
private struct MaxHeap {
    private var items: [Int] = []

    mutating func push(_ item: Int) {
        items.append(item)
        var child = items.count - 1
        while child > 0, items[(child - 1) / 2] < items[child] {
            items.swapAt((child - 1) / 2, child)
            child = (child - 1) / 2
        }
    }

    mutating func pop() -> Int? {
        guard let top = items.first, let last = items.popLast() else { return nil }
        guard !items.isEmpty else { return top }
        items[0] = last
        var parent = 0
        while true {
            var largest = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < items.count && items[child] > items[largest] {
                largest = child
            }
            guard largest != parent else { return top }
            items.swapAt(parent, largest)
            parent = largest
        }
    }
}
