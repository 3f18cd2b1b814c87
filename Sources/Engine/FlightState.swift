import Core
import Dialects

/// One upstream call and everybody who waits for its answer, as a plain value: events go in, what is to be done comes
/// out as `Effects`, and `Flight` does it outside its lock.
///
/// A flight is first *collecting*: every byte is held, so that a late follower can read from the start and the
/// answer can be kept. It turns to *relaying* when it may not be kept anyway (pass-through, too large, malformed):
/// then only a window is held and the slowest reader sets the pace.
struct FlightState {
    struct Limits: Sendable {
        /// A collected answer beyond this is only relayed.
        var maxAnswer: Int
        /// How far the upstream may be ahead of the slowest reader of a relayed answer, in bytes.
        var window = 1 << 20
        /// How long a reader that has fallen behind may hold up one that has not, in nanoseconds.
        var patience: Int64 = 5_000_000_000
        /// A whole answer is held back until it is complete, so that a failure in the middle can still be told as
        /// one; beyond this size it is passed on as it comes.
        var heldBack = 1 << 20
    }

    /// Somebody who waits for or reads the answer.
    struct Seat {
        var reader: AnswerLog.Reader
        /// nil: any form will do.
        let form: Form?
        var waiter: CheckedContinuation<Opening, Never>?
        var waker: (@Sendable () -> Void)?
        /// Told that there is news, and has not looked yet.
        var isSignalled = false
        /// Its time was over before it began to wait.
        var isExpired = false
    }

    struct Effects {
        var openings: [(CheckedContinuation<Opening, Never>, Opening)] = []
        var wakers: [@Sendable () -> Void] = []
        var resumes: (any UpstreamCall)?
        var cancels: (any UpstreamCall)?
        var stops: (any Scheduled)?
        /// New followers must not find this flight any more.
        var leavesTable = false
        /// Somebody's slowness holds up the upstream, and with it the other readers: `dropLaggards` after a while.
        var isHeldUp = false
        var stopsPatience: (any Scheduled)?
        /// Nobody waits any more; the abort rule says what then.
        var isAlone = false
        /// Only to be let go of: what a closure or a call holds may be a seat of this flight, and giving that up takes
        /// the lock.
        var dropped: [@Sendable () -> Void] = []
        var endedCall: (any UpstreamCall)?
        /// Told how the flight ended.
        var watchers: [@Sendable (FlightEnd) -> Void] = []
        var end: FlightEnd?
    }

    let dialect: Dialect?
    let limits: Limits
    /// Of the most urgent one who ever boarded.
    private(set) var priority: Priority
    private(set) var head: UpstreamHead?
    /// How the answer is laid out; before the head is there, how it was asked for.
    private(set) var form: Form
    private(set) var log = AnswerLog()
    private(set) var end: FlightEnd?
    private(set) var isRelaying: Bool
    /// Why it turned to relaying, or may not be kept for another reason known before its end.
    private(set) var refusal: NotStored?
    private var watcher: StreamWatcher?
    private var isOpen = false
    private var isPaused = false
    private var isAbandoned = false
    private var seats: [Int: Seat] = [:]
    private var nextSeat = 0
    private(set) var call: (any UpstreamCall)?
    /// Ends a flight that nobody waits for.
    private var abortTimer: (any Scheduled)?
    /// Drops the readers that hold up the others.
    private var patienceTimer: (any Scheduled)?
    private var watchers: [@Sendable (FlightEnd) -> Void] = []

    /// `dialect` nil: the answer is only relayed. `priority` is that of the one who starts the call.
    init(dialect: Dialect?, form: Form, limits: Limits, priority: Priority = .standard) {
        self.priority = priority
        self.dialect = dialect
        self.form = form
        self.limits = limits
        isRelaying = dialect == nil
    }

    // MARK: Seats

    /// nil when the start of the answer is gone, or nobody new may join.
    mutating func takeSeat(form: Form?, wantsUsage: Bool) -> (id: Int, effects: Effects)? {
        guard log.start == 0, !isAbandoned, !(isRelaying && isOpen) else { return nil }
        nextSeat += 1
        seats[nextSeat] = Seat(reader: AnswerLog.Reader(joined: log.end, wantsUsage: wantsUsage), form: form)
        var effects = Effects()
        effects.stops = abortTimer.take()
        return (nextSeat, effects)
    }

    /// How many have boarded: tells whether somebody did since it was last read.
    var boardings: Int { nextSeat }

    /// Gives up a seat; a waiter on it is released.
    mutating func leaveSeat(_ id: Int) -> Effects {
        var effects = Effects()
        guard let seat = seats.removeValue(forKey: id) else { return effects }
        if let waiter = seat.waiter { effects.openings.append((waiter, .left)) }
        if let waker = seat.waker { effects.dropped.append(waker) }
        if seats.isEmpty, end == nil, !isAbandoned {
            if isRelaying { giveUp(&effects) } else { effects.isAlone = true }
        }
        release(&effects)
        return effects
    }

    /// The answer is not to be finished for its own sake, unless somebody boarded since `boardings` was read.
    mutating func abandon(since boardings: Int) -> Effects {
        var effects = Effects()
        guard seats.isEmpty, nextSeat == boardings, end == nil, !isAbandoned else { return effects }
        refusal = .abandoned
        giveUp(&effects)
        return effects
    }

    /// Keeps the timer that will abandon the flight, unless it came too late to be of use.
    mutating func hold(_ timer: any Scheduled, since boardings: Int) -> Effects {
        var effects = Effects()
        if seats.isEmpty, nextSeat == boardings, end == nil, !isAbandoned {
            abortTimer = timer
        } else {
            effects.stops = timer
        }
        return effects
    }

    /// Keeps the timer that will drop those who hold up the others, unless nobody does any more.
    mutating func hold(patience timer: any Scheduled) -> Effects {
        var effects = Effects()
        if isPaused, end == nil {
            effects.stopsPatience = patienceTimer.take()
            patienceTimer = timer
        } else {
            effects.stopsPatience = timer
        }
        return effects
    }

    /// Breaks the answers of those who are far behind, if there is somebody who is not.
    mutating func dropLaggards() -> Effects {
        var effects = Effects()
        patienceTimer = nil
        let lags = seats.mapValues { log.end - $0.reader.position }
        guard isPaused, end == nil, let least = lags.values.min(), least < limits.window / 2 else { return effects }
        for (id, lag) in lags where lag >= limits.window / 2 {
            // Woken to find that it has no seat any more.
            if let waker = seats.removeValue(forKey: id)?.waker { effects.wakers.append(waker) }
        }
        release(&effects)
        return effects
    }

    mutating func await(seat id: Int, _ waiter: CheckedContinuation<Opening, Never>) -> Effects {
        var effects = Effects()
        guard let seat = seats[id] else {
            effects.openings.append((waiter, .left))
            return effects
        }
        if let opening = opening(for: seat) {
            effects.openings.append((waiter, opening))
        } else if seat.isExpired {
            effects.openings.append((waiter, .timedOut))
        } else {
            seats[id]?.waiter = waiter
        }
        return effects
    }

    mutating func expire(seat id: Int) -> Effects {
        var effects = Effects()
        seats[id]?.isExpired = true
        guard let waiter = seats[id]?.waiter else { return effects }
        seats[id]?.waiter = nil
        effects.openings.append((waiter, .timedOut))
        return effects
    }

    /// What came between the last `read` and this is told at once.
    mutating func listen(seat id: Int, _ waker: @escaping @Sendable () -> Void) -> Effects {
        var effects = Effects()
        guard var seat = seats[id] else { return effects }
        if let former = seat.waker { effects.dropped.append(former) }
        // After the end nothing is left to be told.
        seat.waker = end == nil ? waker : nil
        seat.isSignalled = end != nil || seat.reader.position < log.end
        if seat.isSignalled { effects.wakers.append(waker) }
        seats[id] = seat
        return effects
    }

    mutating func read(seat id: Int, into target: UnsafeMutableRawBufferPointer) -> (BodyRead, Effects) {
        var effects = Effects()
        guard var seat = seats[id] else { return (.broken, effects) }
        let count = log.read(&seat.reader, into: target)
        seat.isSignalled = false
        seats[id] = seat
        release(&effects)
        if count > 0 { return (.bytes(count), effects) }
        switch end {
        case nil: return (.later, effects)
        case .failed: return (.broken, effects)
        case .complete, .found, .answered, .relayed: return (.end, effects)
        }
    }

    /// What a seat may begin with now, nil while it has to wait.
    private func opening(for seat: Seat) -> Opening? {
        if isOpen, let head, seat.form ?? form == form { return .live(head) }
        if let end { return .ended(end) }
        return isOpen && isRelaying ? .released(refusal ?? .tooLarge) : nil
    }

    /// Somebody boarded who is more urgent than those before; the call that is to be told, where there is one.
    mutating func raise(to priority: Priority) -> (any UpstreamCall)? {
        guard priority < self.priority, end == nil else { return nil }
        self.priority = priority
        return call
    }

    // MARK: What the upstream says

    /// Whether nobody is to hear of it any more.
    var isOver: Bool { isAbandoned || end != nil }

    mutating func watch(_ watcher: @escaping @Sendable (FlightEnd) -> Void) -> Effects {
        var effects = Effects()
        if end == nil { watchers.append(watcher) } else { (effects.watchers, effects.end) = ([watcher], end) }
        return effects
    }

    mutating func departed(_ call: any UpstreamCall) -> Effects {
        var effects = Effects()
        guard end == nil else { return effects }
        self.call = call
        // Everybody may have left between boarding and this, or read on while the upstream was told to pause.
        if isAbandoned { effects.cancels = call }
        release(&effects)
        return effects
    }

    mutating func responded(_ head: UpstreamHead) -> Effects {
        var effects = Effects()
        self.head = head
        guard let dialect else {
            isOpen = true
            settle(&effects)
            return effects
        }
        let type = head.headers.first(named: "content-type") ?? ""
        form = type.lowercased().hasPrefix("text/event-stream") ? .stream : .whole
        if form == .stream, (200..<300).contains(head.status) { watcher = StreamWatcher(dialect: dialect) }
        return effects
    }

    mutating func delivered(_ piece: BytesView) -> (SinkDemand, Effects) {
        var effects = Effects()
        if isAbandoned { return (.stop, effects) }
        if isRelaying, log.end - slowest >= limits.window {
            effects.isHeldUp = !isPaused && seats.count > 1
            isPaused = true
            return (.pause, effects)
        }
        if watcher != nil {
            watch(piece)
            isOpen = isOpen || !log.isEmpty
        } else if isRelaying {
            log.append(piece, .answer)
        } else {
            collectWhole(piece)
        }
        if !isRelaying, log.end > limits.maxAnswer { relay(because: .tooLarge) }
        effects.leavesTable = isRelaying && dialect != nil
        if isRelaying, seats.isEmpty {
            // It cannot be kept, and there is nobody to pass it on to.
            isAbandoned = true
            return (.stop, effects)
        }
        settle(&effects)
        return (.more, effects)
    }

    /// The content as collected, once the upstream is done; nil where it was only relayed.
    mutating func finishCollecting(_ result: UpstreamEnd) -> Result<FlightCargo, FlightFault> {
        if case .failed(let failure) = result {
            return .failure(isAbandoned ? .refused(refusal ?? .abandoned) : .failed(failure))
        }
        guard let head else {
            return .failure(.failed(UpstreamFailure(.malformed, "the upstream ended without an answer")))
        }
        var verdict: Verdict?
        if var watcher = watcher.take() {
            do throws(NotStored) {
                verdict = try watcher.finish { log.append($0) }
            } catch {
                // What is left of it may be half an event: that is no part of an answer, but it was sent.
                relay(because: error)
            }
        }
        if let refusal, isRelaying { return .failure(.refused(refusal)) }
        guard !isRelaying, let collected = log.collected() else { return .failure(.refused(refusal ?? .malformed)) }
        return .success(
            FlightCargo(
                head: head, form: form, content: collected.content, usage: collected.usage, verdict: verdict,
                refusal: refusal))
    }

    mutating func ended(_ end: FlightEnd) -> Effects {
        var effects = Effects()
        guard self.end == nil else { return effects }
        self.end = end
        (effects.watchers, effects.end, watchers) = (watchers, end, [])
        effects.endedCall = call.take()
        effects.stops = abortTimer.take()
        effects.stopsPatience = patienceTimer.take()
        effects.leavesTable = true
        settle(&effects)
        // Nothing is left to be told; and what a waker holds may hold a seat.
        for id in seats.keys {
            if let waker = seats[id]?.waker.take() { effects.dropped.append(waker) }
        }
        return effects
    }

    // MARK: Inside

    /// What cannot be understood is not kept, but it is still the upstream's answer, and is passed on as it is.
    private mutating func watch(_ piece: BytesView) {
        guard var watcher = watcher.take() else { return }
        watcher.feed(piece) { log.append($0) }
        if let failure = watcher.failure { relay(because: failure) }
        self.watcher = watcher
    }

    private mutating func giveUp(_ effects: inout Effects) {
        isAbandoned = true
        effects.cancels = call
        effects.stops = abortTimer.take()
        effects.leavesTable = true
    }

    private mutating func relay(because reason: NotStored) {
        refusal = refusal ?? reason
        isRelaying = true
        isOpen = true
    }

    /// Blank lines before a whole answer are how a busy server keeps the connection alive: they are passed on at once.
    private mutating func collectWhole(_ piece: BytesView) {
        var blank = 0
        if log.answerCount == 0 {
            blank = piece.firstIndex { $0 != 10 && $0 != 13 && $0 != 32 && $0 != 9 } ?? piece.count
        }
        log.append(UnsafeRawBufferPointer(rebasing: piece[..<blank]), .wire)
        log.append(UnsafeRawBufferPointer(rebasing: piece[blank...]), .answer)
        isOpen = isOpen || (blank > 0 && blank == piece.count) || log.end > limits.heldBack
    }

    /// The position of the reader that is furthest behind.
    private var slowest: Int { seats.values.lazy.map(\.reader.position).min() ?? log.end }

    private mutating func release(_ effects: inout Effects) {
        guard isRelaying, isOpen else { return }
        let slowest = slowest
        log.release(before: slowest)
        if isPaused, let call, log.end - slowest < limits.window / 2 {
            isPaused = false
            effects.stopsPatience = patienceTimer.take()
            effects.resumes = call
        }
    }

    /// Tells everybody who can go on now, those who wait to begin in the order they came: whoever is told first may
    /// lead the next flight.
    private mutating func settle(_ effects: inout Effects) {
        var opened: [(id: Int, waiter: CheckedContinuation<Opening, Never>, opening: Opening)] = []
        defer { effects.openings += opened.sorted { $0.id < $1.id }.map { ($0.waiter, $0.opening) } }
        for id in seats.keys {
            guard var seat = seats[id] else { continue }
            if let waiter = seat.waiter {
                guard let opening = opening(for: seat) else { continue }
                seat.waiter = nil
                opened.append((id, waiter, opening))
            } else if let waker = seat.waker, !seat.isSignalled {
                seat.isSignalled = true
                effects.wakers.append(waker)
            } else {
                continue
            }
            seats[id] = seat
        }
    }
}
