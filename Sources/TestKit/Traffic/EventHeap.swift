/// What is to happen in a simulation, earliest first, and in the order of coming where times are equal.
struct EventHeap<Event> {
    private var items: [(time: Int64, order: UInt64, event: Event)] = []
    private var nextOrder: UInt64 = 0

    mutating func add(_ event: Event, at time: Int64) {
        items.append((time, nextOrder, event))
        nextOrder += 1
        var child = items.count - 1
        while child > 0, isBefore(child, (child - 1) / 2) {
            items.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    mutating func next() -> (time: Int64, event: Event)? {
        guard let first = items.first, let last = items.popLast() else { return nil }
        guard !items.isEmpty else { return (first.time, first.event) }
        items[0] = last
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < items.count && isBefore(child, least) {
                least = child
            }
            if least == parent { return (first.time, first.event) }
            items.swapAt(parent, least)
            parent = least
        }
    }

    private func isBefore(_ a: Int, _ b: Int) -> Bool {
        (items[a].time, items[a].order) < (items[b].time, items[b].order)
    }
}
