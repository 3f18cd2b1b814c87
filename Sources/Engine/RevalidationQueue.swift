import Core

/// The expired answers that are being fetched anew behind their clients' backs, and those that wait for their turn, each
/// key once. A plain value; `Revalidations` locks it.
struct RevalidationQueue<Item> {
    struct Limits: Equatable {
        /// How many are fetched at once.
        var atOnce: Int
        /// How many may wait, and how many bytes of them.
        var waiting: Int
        var bytes: Int
    }

    enum Order: Equatable {
        /// The caller is to begin.
        case begin
        case waits
        /// It is on its way, waits, or failed a moment ago.
        case known
        /// There is no room; whoever asks next may have more luck.
        case full
    }

    private struct Waiting {
        let key: CacheKey
        let item: Item
        let bytes: Int
    }

    var limits: Limits
    private var running: Set<CacheKey> = []
    private var waitingKeys: Set<CacheKey> = []
    /// Places before `head` are used up.
    private var places: [Waiting?] = []
    private var head = 0
    private var bytes = 0
    /// When the last attempt of a key failed, in monotonic nanoseconds.
    private var failures: [CacheKey: Int64] = [:]
    private var isClosed = false

    /// How long a key rests whose attempt failed: its clients may be many, and the upstream is in trouble.
    static var pause: Int64 { Duration64.nanosecondsPerSecond }

    /// More failures are not remembered. They are then forgotten all at once: the worst of it is an early attempt each.
    static var mostFailures: Int { 10_000 }

    init(_ limits: Limits) { self.limits = limits }

    var runningCount: Int { running.count }
    var waitingCount: Int { waitingKeys.count }

    /// `item` is held while it waits; `bytes` is what it keeps of memory. `now` is monotonic, in nanoseconds.
    mutating func order(_ key: CacheKey, bytes: Int, now: Int64, _ item: @autoclosure () -> Item) -> Order {
        guard !isClosed, !running.contains(key), !waitingKeys.contains(key) else { return .known }
        if let failed = failures[key], now - failed < Self.pause { return .known }
        failures[key] = nil
        if running.count < limits.atOnce {
            running.insert(key)
            return .begin
        }
        guard waitingKeys.count < limits.waiting, self.bytes + bytes <= limits.bytes else { return .full }
        waitingKeys.insert(key)
        places.append(Waiting(key: key, item: item(), bytes: bytes))
        self.bytes += bytes
        return .waits
    }

    /// One attempt is over; those to begin now, which are several only after the limits were raised.
    mutating func ended(_ key: CacheKey, hasFailed: Bool, now: Int64) -> [Item] {
        running.remove(key)
        if hasFailed {
            if failures.count >= Self.mostFailures { failures = [:] }
            failures[key] = now
        }
        var begun: [Item] = []
        while running.count < limits.atOnce, let next = takeFirst() {
            running.insert(next.key)
            begun.append(next.item)
        }
        return begun
    }

    /// Lets go of those that wait and takes no more. How many they were.
    mutating func close() -> Int {
        defer { (isClosed, waitingKeys, places, head, bytes) = (true, [], [], 0, 0) }
        return waitingCount
    }

    private mutating func takeFirst() -> Waiting? {
        guard head < places.count, let first = places[head].take() else { return nil }
        head += 1
        // Used-up places are given back once they are most of them: one move for each in the long run.
        if head * 2 > places.count + 64 {
            places.removeFirst(head)
            head = 0
        }
        waitingKeys.remove(first.key)
        bytes -= first.bytes
        return first
    }
}
