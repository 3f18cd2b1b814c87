import Core
import Synchronization

/// Marks in a dictionary. It can be told to fail, and several sidecars may share it.
package final class FakePurgeHome: PurgeHome {
    private struct State {
        var marks: [PurgeGroup: UInt64] = [:]
        var revision: UInt64 = 0
        var failure: PurgeHomeFailure?
        var announced: [PurgeMark] = []
        var calls: [String] = []
    }

    private let clock: any Clock
    private let state = Mutex(State())

    package init(clock: any Clock = ManualClock()) { self.clock = clock }

    /// With which every call fails, nil to let them succeed.
    package var failure: PurgeHomeFailure? {
        get { state.withLock { $0.failure } }
        set { state.withLock { $0.failure = newValue } }
    }

    /// What the other sidecars were told so far.
    package var announced: [PurgeMark] { state.withLock { $0.announced } }

    /// Every call so far: a verb.
    package var calls: [String] { state.withLock { $0.calls } }

    package func marks(deadline: Int64) async throws(PurgeHomeFailure) -> [PurgeMark] {
        try call("marks") { state in state.marks.map { PurgeMark($0.key, $0.value) } }
    }

    package func revision(deadline: Int64) async throws(PurgeHomeFailure) -> UInt64 {
        try call("revision") { $0.revision }
    }

    package func raise(
        _ group: PurgeGroup, above floor: UInt64, deadline: Int64
    ) async throws(PurgeHomeFailure) -> PurgeMark {
        let now = UInt64(max(0, clock.wall()))
        return try call("raise") { state in
            let known = state.marks.reduce(max(now, floor)) { $1.key == .older ? $0 : max($0, $1.value) }
            let mark = PurgeMark(group, known + 1)
            FakePurgeHome.join(mark, into: &state)
            return mark
        }
    }

    package func join(_ marks: [PurgeMark], deadline: Int64) async throws(PurgeHomeFailure) {
        try call("join") { state in
            for mark in marks { FakePurgeHome.join(mark, into: &state) }
        }
    }

    private static func join(_ mark: PurgeMark, into state: inout State) {
        guard mark.number > state.marks[mark.group] ?? 0 else { return }
        state.marks[mark.group] = mark.number
        state.revision += 1
        state.announced.append(mark)
    }

    private func call<Result>(
        _ verb: String, _ body: (inout sending State) -> sending Result
    ) throws(PurgeHomeFailure) -> Result {
        try state.withLock { (state) throws(PurgeHomeFailure) in
            state.calls.append(verb)
            if let failure = state.failure { throw failure }
            return body(&state)
        }
    }
}
