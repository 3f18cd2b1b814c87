import Core
import Dialects
import Synchronization
import TestKit
import Testing

@testable import Engine

/// Every event in every phase: what it is answered with, and what is to be done.
@Suite struct FlightStateTests {
    enum Phase: CaseIterable { case boarded, answering, live, relaying, alone, abandoned, over }

    private final class Call: UpstreamCall {
        func cancel() {}
        func resume() {}
    }

    private struct Timer: Scheduled {
        func cancel() {}
    }

    private static let event = #"data: {"choices":[{"index":0,"delta":{},"finish_reason":null}]}"# + "\n\n"

    /// A flight with one seat, number 1, on its way.
    private func flight(_ phase: Phase, limits: FlightState.Limits = .init(maxAnswer: 1000)) -> FlightState {
        var state = FlightState(dialect: .chat, form: .stream, limits: limits)
        _ = state.takeSeat(form: nil, wantsUsage: true)
        _ = state.departed(Call())
        switch phase {
        case .boarded: break
        case .answering:
            _ = state.responded(head(.whole))
            _ = deliver(#"{"id":"#, to: &state)
        case .live:
            _ = state.responded(head(.stream))
            _ = deliver(Self.event, to: &state)
        case .relaying:
            _ = state.responded(head(.stream))
            _ = deliver("data: nonsense\n\n", to: &state)
        case .alone, .abandoned:
            _ = state.leaveSeat(1)
            _ = state.hold(Timer(), since: state.boardings)
            if phase == .abandoned { _ = state.abandon(since: state.boardings) }
        case .over: _ = state.ended(.relayed)
        }
        return state
    }

    private func head(_ form: Form, _ status: Int = 200) -> UpstreamHead {
        UpstreamHead(status: status, headers: [HeaderField("content-type", form.contentType)])
    }

    private func deliver(_ text: String, to state: inout FlightState) -> (SinkDemand, FlightState.Effects) {
        Bytes(text).withUnsafeBytes { state.delivered($0) }
    }

    private func words(_ effects: FlightState.Effects) -> String {
        var words: [String] = []
        if effects.isAlone { words.append("alone") }
        if effects.cancels != nil { words.append("cancel") }
        if effects.leavesTable { words.append("leave-table") }
        if effects.resumes != nil { words.append("resume") }
        if effects.stops != nil { words.append("stop-timer") }
        if !effects.wakers.isEmpty { words.append("wake \(effects.wakers.count)") }
        if !effects.openings.isEmpty { words.append("open \(effects.openings.count)") }
        return words.joined(separator: ", ")
    }

    private func words(_ result: Result<FlightCargo, FlightFault>) -> String {
        switch result {
        case .success(let cargo): cargo.refusal.map { "cargo, not kept: \($0.word)" } ?? "cargo"
        case .failure(.failed(let failure)): "failed: \(failure.kind)"
        case .failure(.refused(let reason)): "refused: \(reason.word)"
        }
    }

    private func table(
        _ expected: KeyValuePairs<Phase, String>, sourceLocation: SourceLocation = #_sourceLocation,
        _ event: (inout FlightState) -> String
    ) {
        #expect(expected.map(\.key) == Phase.allCases, sourceLocation: sourceLocation)
        for (phase, words) in expected {
            var state = flight(phase)
            let happened = event(&state)
            #expect(happened == words, "\(phase)", sourceLocation: sourceLocation)
        }
    }

    @Test func board() {
        table([
            .boarded: "seat", .answering: "seat", .live: "seat", .relaying: "none", .alone: "seat, stop-timer",
            .abandoned: "none", .over: "seat",
        ]) { state in
            guard let (_, effects) = state.takeSeat(form: .stream, wantsUsage: false) else { return "none" }
            return (["seat"] + [words(effects)].filter { !$0.isEmpty }).joined(separator: ", ")
        }
    }

    @Test func lastSeatLeaves() {
        table([
            .boarded: "alone", .answering: "alone", .live: "alone", .relaying: "cancel, leave-table", .alone: "",
            .abandoned: "", .over: "",
        ]) { words($0.leaveSeat(1)) }
    }

    @Test func leavesTwice() {
        table([
            .boarded: "", .answering: "", .live: "", .relaying: "", .alone: "", .abandoned: "", .over: "",
        ]) { state in
            _ = state.leaveSeat(1)
            return words(state.leaveSeat(1))
        }
    }

    @Test func abandon() {
        table([
            .boarded: "", .answering: "", .live: "", .relaying: "",
            .alone: "cancel, leave-table, stop-timer", .abandoned: "", .over: "",
        ]) { words($0.abandon(since: $0.boardings)) }
    }

    @Test("somebody came and went since the timer was set") func abandonLate() {
        var state = flight(.alone)
        let before = state.boardings
        guard let (seat, _) = state.takeSeat(form: nil, wantsUsage: true) else {
            Issue.record("no seat")
            return
        }
        #expect(words(state.leaveSeat(seat)) == "alone")
        #expect(words(state.abandon(since: before)) == "")
        #expect(words(state.hold(Timer(), since: before)) == "stop-timer")
    }

    @Test func delivery() {
        table([
            .boarded: "more", .answering: "more", .live: "more", .relaying: "more leave-table", .alone: "more",
            .abandoned: "stop", .over: "more",
        ]) { state in
            let (demand, effects) = deliver(Self.event, to: &state)
            return ["\(demand)", words(effects)].filter { !$0.isEmpty }.joined(separator: " ")
        }
    }

    @Test func upstreamEnds() {
        table([
            .boarded: "failed: malformed", .answering: "cargo", .live: "refused: incomplete",
            .relaying: "refused: malformed", .alone: "failed: malformed", .abandoned: "failed: malformed",
            .over: "failed: malformed",
        ]) { words($0.finishCollecting(.complete)) }
    }

    @Test func upstreamFails() {
        table([
            .boarded: "failed: reset", .answering: "failed: reset", .live: "failed: reset",
            .relaying: "failed: reset", .alone: "failed: reset", .abandoned: "refused: abandoned",
            .over: "failed: reset",
        ]) { words($0.finishCollecting(.failed(UpstreamFailure(.reset, "")))) }
    }

    @Test func end() {
        table([
            .boarded: "leave-table", .answering: "leave-table", .live: "leave-table", .relaying: "leave-table",
            .alone: "leave-table, stop-timer", .abandoned: "leave-table", .over: "",
        ]) { words($0.ended(.relayed)) }
    }

    @Test func listen() {
        table([
            .boarded: "", .answering: "wake 1", .live: "wake 1", .relaying: "wake 1", .alone: "", .abandoned: "",
            .over: "wake 1",
        ]) { words($0.listen(seat: 1) {}) }
    }

    @Test func departs() {
        table([
            .boarded: "", .answering: "", .live: "", .relaying: "", .alone: "", .abandoned: "cancel", .over: "",
        ]) { words($0.departed(Call())) }
    }

    @Test("what a seat begins with", arguments: Phase.allCases) func opening(phase: Phase) async {
        var state = flight(phase)
        let expected: [Phase: String] = [
            .boarded: "wait", .answering: "wait", .live: "live", .relaying: "live", .alone: "left", .abandoned: "left",
            .over: "ended",
        ]
        let opening = await withCheckedContinuation { waiter in
            let effects = state.await(seat: 1, waiter)
            if effects.openings.isEmpty { waiter.resume(returning: .timedOut) }
            for (waiter, opening) in effects.openings { waiter.resume(returning: opening) }
        }
        let word =
            switch opening {
            case .live: "live"
            case .ended: "ended"
            case .left: "left"
            case .timedOut: "wait"
            case .released: "released"
            }
        #expect(word == expected[phase])
    }

    @Test("a timer that fires before anybody waits is not forgotten") func earlyTimeout() async {
        var state = flight(.boarded)
        #expect(words(state.expire(seat: 1)) == "")
        let opening = await withCheckedContinuation { waiter in
            for (waiter, opening) in state.await(seat: 1, waiter).openings { waiter.resume(returning: opening) }
        }
        guard case .timedOut = opening else {
            Issue.record("\(opening)")
            return
        }
    }

    @Test("who reads nothing does not hold up for ever who reads on", arguments: [true, false])
    func laggards(isLeaderSlow: Bool) {
        var limits = FlightState.Limits(maxAnswer: 1000)
        limits.window = 100
        var state = FlightState(dialect: .chat, form: .stream, limits: limits)
        _ = state.takeSeat(form: nil, wantsUsage: true)
        _ = state.takeSeat(form: .stream, wantsUsage: true)
        _ = state.departed(Call())
        _ = state.responded(head(.stream))
        _ = deliver("data: nonsense\n\n", to: &state)
        let (slow, fast) = isLeaderSlow ? (1, 2) : (2, 1)
        let target = UnsafeMutableRawBufferPointer.allocate(byteCount: 1000, alignment: 1)
        defer { target.deallocate() }
        for seat in [slow, fast] {
            _ = state.read(seat: seat, into: target)
            _ = state.listen(seat: seat) {}
        }
        var effects = FlightState.Effects()
        var demand = SinkDemand.more
        while demand != .pause {
            (demand, effects) = deliver(": filling the window\n\n", to: &state)
            if demand == .more { _ = state.read(seat: fast, into: target) }
        }
        #expect(effects.isHeldUp)
        #expect(deliver("again", to: &state).1.isHeldUp == false, "once is enough")
        #expect(words(state.hold(patience: Timer())).isEmpty)
        #expect(words(state.dropLaggards()) == "resume, wake 1")
        #expect(state.read(seat: slow, into: target).0 == .broken)
        #expect(state.read(seat: fast, into: target).0 == .later)
        #expect(words(state.dropLaggards()).isEmpty)
        #expect(deliver(": more\n\n", to: &state).0 == .more)
        // Somebody who is alone may take all the time there is.
        while deliver(": filling the window\n\n", to: &state).0 == .more {}
        #expect(words(state.dropLaggards()).isEmpty)
        #expect(words(state.ended(.relayed)) == "leave-table")
    }

    @Test("a relayed answer stays within its window") func backpressure() {
        var limits = FlightState.Limits(maxAnswer: 1000)
        limits.window = 100
        var state = flight(.relaying, limits: limits)
        let piece = String(repeating: ": keep-alive\n\n", count: 5)
        var taken = 0
        while true {
            let (demand, _) = deliver(piece, to: &state)
            if demand == .pause { break }
            taken += 1
            #expect(taken < 10)
        }
        #expect(state.log.end - state.log.start < 100 + piece.utf8.count)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 32, alignment: 1)
        defer { buffer.deallocate() }
        var said: [String] = []
        while case (.bytes, let effects) = state.read(seat: 1, into: buffer) { said.append(words(effects)) }
        #expect(said.filter { $0 == "resume" }.count == 1, "\(said)")
        #expect(deliver(piece, to: &state).0 == .more)
    }

    @Test("nobody is left to pass an answer on to that cannot be kept") func relayingToNobody() {
        var state = flight(.alone)
        _ = state.responded(head(.stream))
        let (demand, effects) = deliver("data: nonsense\n\n", to: &state)
        #expect(demand == .stop)
        #expect(words(effects) == "leave-table")
        #expect(words(state.finishCollecting(.failed(UpstreamFailure(.cancelled, "")))) == "refused: malformed")
    }

    @Test("a waker is let go of with the end, outside the lock") func wakers() {
        var state = flight(.live)
        _ = state.listen(seat: 1) {}
        #expect(state.listen(seat: 1) {}.dropped.count == 1)
        #expect(state.ended(.relayed).dropped.count == 1)
        #expect(state.leaveSeat(1).dropped.isEmpty)
    }
}
