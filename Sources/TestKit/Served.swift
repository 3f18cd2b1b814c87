import Core
import Dialects
import Engine
import Synchronization

/// What a slow client does between two pieces.
package typealias Pace = @Sendable () async -> Void

/// What a client was sent, read to its end.
package struct Served: Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
        case answer
        /// The message broke off after its head.
        case broken
        case failed(UpstreamFailure.Kind)
        case notCached
    }

    package var kind = Kind.answer
    package var status = 0
    package var body = ""
    package var outcome: Outcome?
    package var notStored: NotStored?
    package var headers: [HeaderField] = []
    /// Whose answer it is, where it is another request's.
    package var match: SemanticMatch?

    package init() {}

    /// Reads a reply as its client would.
    package static func read(
        _ reply: Reply, _ call: Engine.Call?, readSize: Int = 64, pace: Pace? = nil
    ) async -> Served {
        var served = Served()
        await served.take(reply, wantsUsage: call?.admitted.facts.wantsUsage ?? true, readSize: readSize, pace: pace)
        return served
    }

    private mutating func take(_ reply: Reply, wantsUsage: Bool, readSize: Int, pace: Pace?) async {
        switch reply {
        case .found(let found, let outcome):
            take(found.entry, found.form, wantsUsage, outcome)
            match = found.match
        case .complete(_, let entry, let outcome, let reason):
            take(entry, entry.facts.origin, wantsUsage, outcome)
            notStored = reason
        case .whole(let head, let body, let outcome, let reason):
            (status, self.body, self.outcome, notStored) = (head.status, body.text, outcome, reason)
        case .live(let head, let seat, let outcome):
            (status, headers, self.outcome) = (head.status, head.headers, outcome)
            let (bytes, isWhole) = await SeatReader(seat, readSize: readSize).readToEnd(pace)
            body = String(decoding: bytes, as: UTF8.self)
            if !isWhole { kind = .broken }
        case .failed(let failure, let outcome): (kind, self.outcome) = (.failed(failure.kind), outcome)
        case .notCached: kind = .notCached
        }
    }

    private mutating func take(_ entry: Entry, _ form: Form, _ wantsUsage: Bool, _ outcome: Outcome) {
        (status, headers, self.outcome) = (Int(entry.facts.status), entry.headers, outcome)
        guard let (first, second) = entry.slices(form, wantsUsage: wantsUsage) else {
            kind = .broken
            return
        }
        body = withExtendedLifetime(entry) { first.text + second.text }
    }
}

/// Reads a live answer as a connection does: as much as there is, then it sleeps until it is called.
package final class SeatReader: Sendable {
    private struct State {
        var isCalled = false
        var sleeper: CheckedContinuation<Void, Never>?
    }

    private let seat: FlightSeat
    private let readSize: Int
    private let state = Mutex(State())

    package init(_ seat: FlightSeat, readSize: Int = 64) {
        self.seat = seat
        self.readSize = readSize
        // Weak: the seat holds the waker.
        seat.listen { [weak self] in self?.call() }
    }

    /// Everything, and whether the message ended as it should. A task that is cancelled reads no further.
    package func readToEnd(_ pace: Pace? = nil) async -> (bytes: [UInt8], isWhole: Bool) {
        var bytes: [UInt8] = []
        while !Task.isCancelled {
            let (piece, result) = read()
            switch result {
            case .bytes:
                bytes += piece
                await pace?()
            case .later: await sleep()
            case .end: return (bytes, true)
            case .broken: return (bytes, false)
            }
        }
        return (bytes, false)
    }

    /// One piece.
    package func read() -> (piece: [UInt8], result: BodyRead) {
        var result = BodyRead.later
        let piece = [UInt8](unsafeUninitializedCapacity: readSize) { buffer, count in
            result = seat.read(into: UnsafeMutableRawBufferPointer(buffer))
            if case .bytes(let written) = result { count = written } else { count = 0 }
        }
        return (piece, result)
    }

    private func sleep() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isCalled = state.withLock { state in
                    defer { state.isCalled = false }
                    if !state.isCalled { state.sleeper = continuation }
                    return state.isCalled
                }
                if isCalled { continuation.resume() }
            }
        } onCancel: {
            call()
        }
    }

    private func call() {
        let sleeper = state.withLock { state in
            if state.sleeper == nil { state.isCalled = true }
            return state.sleeper.take()
        }
        sleeper?.resume()
    }
}
