import Core
import Engine
import Synchronization
import TestKit

/// Fake upstreams behind a shield, and the time.
final class ShieldScene: Sendable {
    let clock = ManualClock()
    let scheduler: ManualScheduler
    let log = RecordingLog()
    let upstreams: [FakeUpstream]
    let shield: Shield
    let origin: ShieldedUpstream

    static let names = ["one", "two", "three"]

    init(
        _ count: Int = 2, scripts: [@Sendable (FakeCall) -> Void] = [],
        plan changePlan: (inout ShieldPlan) -> Void = { _ in }
    ) {
        scheduler = ManualScheduler(clock: clock)
        let settings = ShieldScene.names.prefix(count).map { name in
            var upstream = Settings.Upstream()
            upstream.name = name
            return upstream
        }
        var plan = ShieldPlan(upstreams: settings.map { ShieldPlan.Upstream(name: $0.name, concurrency: .fixed(100)) })
        changePlan(&plan)
        upstreams = (0..<count).map { index in FakeUpstream(script: index < scripts.count ? scripts[index] : nil) }
        shield = Shield(plan, clock: clock, scheduler: scheduler, log: log, seed: 1)
        let targets = zip(settings, upstreams).map {
            ShieldedUpstream.Target(UpstreamProfile($0, credentialHeaders: ["x-goog-api-key"]), $1)
        }
        origin = ShieldedUpstream(shield, targets, scheduler: scheduler) { $0() }
    }

    static func request(
        _ body: UpstreamRequest.Body = .bytes(Bytes(#"{"model":"m"}"#)), _ priority: Priority = .standard,
        tenant: UInt64 = 0, headers: [HeaderField] = []
    ) -> UpstreamRequest {
        UpstreamRequest(
            method: "POST", target: "/v1/chat/completions", headers: headers, body: body, decodes: true,
            demand: UpstreamDemand(priority: priority, tenant: CacheKey(tenant, 0, 0, 0), model: "m", tokens: 10))
    }

    func ask(
        _ request: UpstreamRequest = ShieldScene.request(), sink: RecordingSink = RecordingSink()
    ) -> (sink: RecordingSink, call: any UpstreamCall) {
        (sink, origin.start(request, sink: sink))
    }

    /// All calls that were put to upstreams, in the order of the upstreams.
    var calls: [FakeCall] { upstreams.flatMap(\.calls) }

    /// Nothing is held for calls that are over.
    var isIdle: Bool {
        let report = shield.report
        return report.tickets == 0 && report.waiting.allSatisfy { $0 == 0 }
            && report.upstreams.allSatisfy { $0.inFlight == 0 } && calls.allSatisfy { !$0.isSinkAlive }
    }
}

/// A request's body that comes when a test says so.
final class ScriptedBody: RequestBodySource {
    private let reads = Atomic(0)

    var readCount: Int { reads.load(ordering: .relaxed) }

    func read(into target: UnsafeMutableRawBufferPointer) -> BodyRead {
        reads.wrappingAdd(1, ordering: .relaxed)
        return .end
    }

    func whenReady(_ ready: @escaping @Sendable () -> Void) {}
}
