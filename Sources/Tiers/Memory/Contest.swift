/// The entries that may have to make room for a candidate; the storage is reused, so a contest allocates nothing.
struct Contest {
    private var contenders: [Contender] = []
    private var idleBytes = 0

    /// How many of the least recently used entries are compared for the least frequently used ones.
    static let limit = 64

    struct Contender {
        var index: NodeIndex
        var frequency: Int
        /// What its eviction frees.
        var bytes: Int
    }

    struct Choice {
        /// The victims are the first so many contenders.
        var count = 0
        /// Their frequencies together.
        var frequency = 0
    }

    var isEmpty: Bool { contenders.isEmpty }

    subscript(position: Int) -> NodeIndex { contenders[position].index }

    mutating func begin() {
        contenders.removeAll(keepingCapacity: true)
        contenders.reserveCapacity(Contest.limit)
        idleBytes = 0
    }

    /// Takes contenders from the oldest to the newest. False when no more are wanted: there are as many as are
    /// compared, or enough that nobody asked for lately.
    mutating func add(_ contender: Contender, need: Int) -> Bool {
        contenders.append(contender)
        if contender.frequency == 0 { idleBytes += contender.bytes }
        return contenders.count < Contest.limit && idleBytes < need
    }

    /// Moves the least frequent contenders to the front until they free so many bytes, the older first where
    /// frequencies are equal.
    mutating func chooseVictims(toFree need: Int) -> Choice {
        var choice = Choice()
        var freed = 0
        while freed < need, choice.count < contenders.count {
            var least = choice.count
            for position in choice.count..<contenders.count
            where contenders[position].frequency < contenders[least].frequency { least = position }
            let victim = contenders.remove(at: least)
            contenders.insert(victim, at: choice.count)
            freed += victim.bytes
            choice.count += 1
            choice.frequency += victim.frequency
        }
        return choice
    }
}
