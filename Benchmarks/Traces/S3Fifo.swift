/// S3-FIFO over entries of equal size, the yardstick for `tinylfu` (Yang, Zhang, Qiu, Yue, Rashmi, "FIFO queues are all
/// you need for cache eviction", SOSP 2023): a small queue of a tenth, a main queue, and a ghost queue of names as long
/// as the main one. An entry leaves the small queue for the main one if it was asked for more than once.
struct S3Fifo {
    private enum Queue { case small, main }

    private struct Held {
        var queue: Queue
        var uses: Int
    }

    private let capacity: Int
    private let smallCapacity: Int
    private var held: [Int: Held] = [:]
    private var small = Fifo()
    private var main = Fifo()
    private var ghosts = Fifo()
    /// How often a name stands in the ghost queue.
    private var ghostCount: [Int: Int] = [:]

    private static let mostUses = 3

    init(capacity: Int) {
        self.capacity = capacity
        smallCapacity = max(1, capacity / 10)
    }

    /// Whether the key was held; it is afterwards.
    mutating func request(_ key: Int) -> Bool {
        if let uses = held[key]?.uses {
            held[key]?.uses = min(uses + 1, S3Fifo.mostUses)
            return true
        }
        while small.count + main.count >= capacity {
            if small.count >= smallCapacity || main.count == 0 { evictFromSmall() } else { evictFromMain() }
        }
        if ghostCount.removeValue(forKey: key) != nil {
            held[key] = Held(queue: .main, uses: 0)
            main.append(key)
        } else {
            held[key] = Held(queue: .small, uses: 0)
            small.append(key)
        }
        return false
    }

    private mutating func evictFromSmall() {
        while let key = small.removeFirst() {
            if let uses = held[key]?.uses, uses > 1 {
                held[key] = Held(queue: .main, uses: 0)
                main.append(key)
                if main.count > capacity - smallCapacity { evictFromMain() }
            } else {
                held[key] = nil
                remember(key)
                return
            }
        }
    }

    private mutating func evictFromMain() {
        while let key = main.removeFirst() {
            guard let uses = held[key]?.uses, uses > 0 else {
                held[key] = nil
                return
            }
            held[key]?.uses = uses - 1
            main.append(key)
        }
    }

    private mutating func remember(_ key: Int) {
        ghosts.append(key)
        ghostCount[key, default: 0] += 1
        while ghosts.count > capacity - smallCapacity, let forgotten = ghosts.removeFirst() {
            guard let count = ghostCount[forgotten] else { continue }
            ghostCount[forgotten] = count > 1 ? count - 1 : nil
        }
    }
}

/// A queue of keys over one growing array.
private struct Fifo {
    private var keys: [Int] = []
    private var first = 0

    var count: Int { keys.count - first }

    mutating func append(_ key: Int) { keys.append(key) }

    mutating func removeFirst() -> Int? {
        guard first < keys.count else { return nil }
        defer { first += 1 }
        return keys[first]
    }
}
