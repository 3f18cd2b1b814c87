import Core

/// How TinyLFU shares out a shard, in bytes; both are 0 under plain LRU.
struct Segmentation {
    /// The most that the window of newcomers may hold.
    let window: Int
    /// The most that may be protected within the main space.
    let protected: Int

    /// The share of newcomers. Fixed, since on the development traces hill climbing as in Caffeine stayed below it
    /// at every size, while 1 % cost up to .06 of hit rate.
    private static let windowPercent = 20
    private static let protectedPercent = 75

    init(capacity: Int, eviction: Settings.Eviction) {
        guard eviction == .tinylfu else {
            (window, protected) = (0, 0)
            return
        }
        window = Segmentation.share(Segmentation.windowPercent, of: capacity)
        protected = Segmentation.share(Segmentation.protectedPercent, of: capacity - window)
    }

    private static func share(_ percent: Int, of bytes: Int) -> Int {
        bytes / 100 * percent + bytes % 100 * percent / 100
    }
}

/// W-TinyLFU (Einziger, Friedman, Manes, "TinyLFU", ACM Transactions on Storage 13(4), 2017): newcomers pass through
/// a window ruled by recency, then must be asked for at least as often as what they displace in a main space of two
/// segments. Two things differ from the paper: the victim is the least frequent of the 64 oldest entries, not simply
/// the oldest; and where entries differ in size, a candidate is weighed against the sum of all it displaces
/// (aggregated victims: Einziger, Eytan, Friedman, Manes, "Lightweight Robust Size Aware Cache Management", ACM
/// Transactions on Storage 18(3), 2022).
extension MemoryShard {
    mutating func enlistInWindow(_ index: NodeIndex) {
        sketch?.reserve(slots: slab.slots)
        slab[index].pointee.segment = .window
        // What would fill the window alone goes to its end, to be judged before it drives the others out.
        if Int(slab[index].pointee.charge) > segmentation.window {
            window.pushOldest(index, in: slab)
        } else {
            window.pushNewest(index, in: slab)
        }
    }

    mutating func touchSegmented(_ index: NodeIndex) {
        switch slab[index].pointee.segment {
        case .window:
            window.moveToNewest(index, in: slab)
        case .probation:
            probation.remove(index, in: slab)
            slab[index].pointee.segment = .protected
            protected.pushNewest(index, in: slab)
        case .protected:
            protected.moveToNewest(index, in: slab)
        }
        demoteProtected()
    }

    private mutating func demoteProtected() {
        while protected.bytes > segmentation.protected {
            let index = protected.oldest
            protected.remove(index, in: slab)
            enlistInProbation(index)
        }
    }

    private mutating func enlistInProbation(_ index: NodeIndex) {
        slab[index].pointee.segment = .probation
        probation.pushNewest(index, in: slab)
    }

    /// Lets what the window cannot hold compete for the main space; false if the newcomer lost.
    mutating func settleWindow(now: Int64, newcomer: NodeIndex, released: inout [Entry]) -> Bool {
        var stays = true
        while window.bytes > segmentation.window {
            let candidate = window.oldest
            if bytes <= capacity || displaces(candidate, now: now, released: &released) {
                window.remove(candidate, in: slab)
                enlistInProbation(candidate)
            } else {
                if candidate == newcomer { stays = false }
                give(candidate, .admission, now: now, to: &released)
            }
        }
        return stays
    }

    /// Frees what the shard is above its capacity in favour of the candidate, unless what would have to go is
    /// asked for more often.
    private mutating func displaces(_ candidate: NodeIndex, now: Int64, released: inout [Entry]) -> Bool {
        guard !isDead(candidate, now: now) else { return false }
        let worth = frequency(candidate)
        var displaced = 0
        while bytes > capacity {
            if let oldest = oldestOfMainSpace, isDead(oldest, now: now) {
                give(oldest, .expired, now: now, to: &released)
                continue
            }
            // A victim frees its charge without its node, which stays; the first node to fall idle is free, though.
            let need = max(1, bytes - capacity - (slab.slots == slab.used ? slotBytes : 0))
            gatherContenders(need: need)
            guard !contest.isEmpty else { return false }
            let choice = contest.chooseVictims(toFree: need)
            displaced += choice.frequency
            guard worth >= displaced else { return false }
            for position in 0..<choice.count { give(contest[position], .capacity, now: now, to: &released) }
        }
        return true
    }

    private func frequency(_ index: NodeIndex) -> Int {
        sketch?.estimate(slab[index].pointee.key) ?? 0
    }

    private mutating func gatherContenders(need: Int) {
        contest.begin()
        if gather(from: probation.oldest, need: need) { _ = gather(from: protected.oldest, need: need) }
    }

    /// Whether more contenders are wanted.
    private mutating func gather(from oldest: NodeIndex, need: Int) -> Bool {
        var index = oldest
        while index != Node.none {
            let node = slab[index]
            let contender = Contest.Contender(
                index: index, frequency: frequency(index), bytes: Int(node.pointee.charge) - slotBytes)
            guard contest.add(contender, need: need) else { return false }
            index = node.pointee.newer
        }
        return true
    }
}
