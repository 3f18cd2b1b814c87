/// A model server in a simulation: some requests are computed at a time, the others wait in line before it.
struct ModelServer {
    enum Fault: Equatable {
        case none
        /// Every now and then an error, at once.
        case failing(share: Double)
        /// Takes connections and answers nobody.
        case away
        case slow(factor: Double)
    }

    /// Beyond this many in line it refuses.
    static let longestLine = 500

    let slots: Int
    var fault = Fault.none
    /// Computed, and waiting, by attempt.
    private(set) var running: Set<Int> = []
    private var line: [Int] = []
    private var lineStart = 0
    private var gone: Set<Int> = []

    init(slots: Int) { self.slots = slots }

    /// How many it has to do with at the moment.
    var held: Int { running.count + waiting }
    private var waiting: Int { line.count - lineStart - gone.count }

    /// Whether it is computed now, or false: waits.
    mutating func take(_ attempt: Int) -> Bool {
        if fault != .away, running.count < slots {
            running.insert(attempt)
            return true
        }
        line.append(attempt)
        return false
    }

    var isFull: Bool { waiting >= ModelServer.longestLine }

    /// The attempt is over or given up; answers who is computed next.
    mutating func drop(_ attempt: Int) -> Int? {
        if running.remove(attempt) == nil {
            gone.insert(attempt)
            return nil
        }
        return next()
    }

    /// Somebody from the line, where there is room.
    mutating func next() -> Int? {
        while fault != .away, running.count < slots, lineStart < line.count {
            let attempt = line[lineStart]
            lineStart += 1
            if lineStart > 1000 {
                line.removeFirst(lineStart)
                lineStart = 0
            }
            if gone.remove(attempt) != nil { continue }
            running.insert(attempt)
            return attempt
        }
        return nil
    }
}
