import Core
import Tiers

/// A request from its arrival until it is over.
struct Ticket: Sendable {
    enum State: Sendable, Equatable {
        case waiting
        /// At least one attempt is under way.
        case running
        /// Its attempt failed, and its owner has not said yet whether it wants another.
        case resting
    }

    struct Attempt: Sendable {
        let upstream: Int
        let permit: Breaker.Permit
        let start: Int64
        var isAnswered = false
    }

    let number: UInt64
    var priority: Priority
    let tenant: CacheKey
    let tokens: Int
    /// What is left of the time that it may wait, in nanoseconds.
    var patience: Int64
    var state = State.waiting
    /// A bit for each upstream that it was put to. Beyond 64 upstreams two share a bit, which costs a choice at worst.
    private(set) var tried: UInt64 = 0
    /// At most two: a call and its hedge.
    private(set) var first: Attempt?
    private(set) var second: Attempt?

    init(number: UInt64, _ demand: UpstreamDemand, patience: Int64) {
        self.number = number
        priority = demand.priority
        tenant = demand.tenant
        tokens = max(0, demand.tokens)
        self.patience = patience
    }

    var isFresh: Bool { tried == 0 }
    func hasTried(_ upstream: Int) -> Bool { tried & Ticket.bit(upstream) != 0 }

    mutating func begin(_ attempt: Attempt) {
        tried |= Ticket.bit(attempt.upstream)
        if first == nil { first = attempt } else { second = attempt }
        state = .running
    }

    func attempt(on upstream: Int) -> Attempt? {
        first?.upstream == upstream ? first : second?.upstream == upstream ? second : nil
    }

    mutating func noteAnswer(from upstream: Int) {
        if first?.upstream == upstream { first?.isAnswered = true } else { second?.isAnswered = true }
    }

    mutating func end(on upstream: Int) {
        if first?.upstream == upstream { first = second }
        second = nil
        if first == nil { state = .resting }
    }

    private static func bit(_ upstream: Int) -> UInt64 { 1 << UInt64(upstream & 63) }
}

/// Tickets by number, in places that are used again.
struct TicketTable: Sendable {
    private var places: [Ticket?] = []
    private var free: [Int] = []
    private var index: [UInt64: Int] = [:]

    var count: Int { index.count }

    func place(of number: UInt64) -> Int? { index[number] }

    /// The ticket at a place that `insert` or `place(of:)` gave and that was not removed since.
    subscript(place: Int) -> Ticket {
        // A place without a ticket is a mistake in here, never one of a caller: places do not leave the shield.
        get { places[place]! }
        _modify { yield &places[place]! }
    }

    mutating func insert(_ ticket: Ticket) -> Int {
        let place: Int
        if let reused = free.popLast() {
            place = reused
            places[place] = ticket
        } else {
            place = places.count
            places.append(ticket)
        }
        index[ticket.number] = place
        return place
    }

    mutating func remove(_ place: Int) {
        index[self[place].number] = nil
        places[place] = nil
        free.append(place)
    }
}
