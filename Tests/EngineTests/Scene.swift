import Core
import Synchronization
import TestKit
import Testing

@testable import Engine

/// One engine, and clients that come to it on a stage of their own.
struct Scene: Sendable {
    let rig: EngineRig
    let stage: Stage

    init(
        capacity: Int = 64 << 20, clock: ManualClock = ManualClock(), upstream: FakeUpstream = FakeUpstream(),
        seed: UInt64? = nil, lower: FakeLower? = nil, meaning: Meaning? = nil,
        change: (inout Settings) -> Void = { _ in }
    ) {
        stage = Stage(seed: seed)
        rig = EngineRig(
            capacity: capacity, upstream: upstream, clock: clock, executor: stage, lower: lower,
            meaning: meaning, change: change)
    }

    /// One of several sidecars in the same time and on the same stage, with one model.
    init(
        on stage: Stage, clock: ManualClock, scheduler: ManualScheduler, upstream: FakeUpstream, capacity: Int,
        lower: FakeLower, change: (inout Settings) -> Void
    ) {
        self.stage = stage
        rig = EngineRig(
            capacity: capacity, upstream: upstream, clock: clock, scheduler: scheduler, executor: stage, lower: lower,
            change: change)
    }

    /// Another sidecar in the same time and on the same stage.
    init(beside other: Scene, upstream: FakeUpstream = FakeUpstream(), lower: FakeLower) {
        stage = other.stage
        rig = EngineRig(
            upstream: upstream, clock: other.rig.clock, scheduler: other.rig.scheduler, executor: stage, lower: lower)
    }

    var calls: [FakeCall] { rig.upstream.calls }

    /// Sends a request and lets it go as far as it can.
    @discardableResult
    func ask(
        _ prompt: String = "hi", _ dialect: Dialect = .chat, form: Form = .whole, includeUsage: Bool = false,
        headers: [(String, String)] = [EngineRig.credential], readSize: Int = 64
    ) throws -> Client {
        let client = try start(
            prompt, dialect, form: form, includeUsage: includeUsage, headers: headers, readSize: readSize)
        stage.run()
        return client
    }

    /// Sends a request that goes on with the next `run`.
    func start(
        _ prompt: String = "hi", _ dialect: Dialect = .chat, form: Form = .whole, includeUsage: Bool = false,
        headers: [(String, String)] = [EngineRig.credential], readSize: Int = 64
    ) throws -> Client {
        let body = ModelRequest.body(dialect, prompt, form: form, includeUsage: includeUsage)
        let call = try rig.admit(body, dialect, headers: headers)
        let client = Client()
        client.task = stage.spawn {
            client.set(await rig.serve(call, readSize: readSize) { client.noteOpened() })
        }
        return client
    }

    /// Does something and lets everybody react.
    func then(_ act: () -> Void) {
        act()
        stage.run()
    }

    func advance(_ duration: Duration) {
        rig.scheduler.advance(duration) { stage.run() }
        stage.run()
    }

    /// Nothing is left behind: every client has ended, and neither flight nor timer is there.
    func expectQuiet(_ clients: [Client] = [], sourceLocation: SourceLocation = #_sourceLocation) {
        stage.run()
        for (index, client) in clients.enumerated() {
            #expect(client.served != nil, "client \(index) hangs", sourceLocation: sourceLocation)
        }
        #expect(rig.engine.flights.count == 0, sourceLocation: sourceLocation)
        #expect(rig.scheduler.count == 0, sourceLocation: sourceLocation)
        let running = calls.filter { !$0.hasEnded }.map(\.number)
        #expect(running == [], sourceLocation: sourceLocation)
        let leaked = calls.filter(\.isSinkAlive).map(\.number)
        #expect(leaked == [], "flights that nobody lets go of", sourceLocation: sourceLocation)
    }
}

/// Somebody who sent a request.
final class Client: Sendable {
    private struct State {
        var served: Served?
        var isOpened = false
        var replies = 0
        var task: Task<Void, Never>?
    }

    private let state = Mutex(State())

    var served: Served? { state.withLock { $0.served } }
    var body: String? { served?.body }
    var isOpened: Bool { state.withLock { $0.isOpened } }
    /// How often it was given a reply.
    var replies: Int { state.withLock { $0.replies } }
    var task: Task<Void, Never>? {
        get { state.withLock { $0.task } }
        set { state.withLock { $0.task = newValue } }
    }

    func set(_ served: Served) {
        state.withLock { state in
            state.served = served
            state.replies += 1
        }
    }

    func noteOpened() { state.withLock { $0.isOpened = true } }

    func leave() { task?.cancel() }
}

/// A value that several threads change.
final class Box<Value: Sendable>: Sendable {
    private let held: Mutex<Value>

    init(_ value: Value) { held = Mutex(value) }

    var value: Value {
        get { held.withLock { $0 } }
        set { held.withLock { $0 = newValue } }
    }

    @discardableResult
    func change<Result: Sendable>(_ body: (inout Value) -> Result) -> Result { held.withLock { body(&$0) } }
}

/// The chunks of a chat answer as the upstream sends them, and as clients see them.
struct ChatAnswer {
    let text: String
    var whole: String { ModelAnswer.whole(.chat, text) }
    var events: [String] { ModelAnswer.events(.chat, text.split(separator: " ").map { $0 + " " }) }
    var stream: String { events.joined() }
    var streamWithoutUsage: String {
        ModelAnswer.events(.chat, text.split(separator: " ").map { $0 + " " }, reportsUsage: false).joined()
    }
}
