import Core
import TestKit
import Testing

@testable import Engine

@Suite struct HealthProbesTests {
    private let prober = FakeUpstream()

    private func watch(_ scene: ShieldScene) -> HealthProbes {
        var settings = Settings.Upstream()
        settings.name = "one"
        settings.apiKey = Secret("own")
        let probes = HealthProbes(scene.shield, scheduler: scene.scheduler)
        probes.watch([
            .init(
                ShieldedUpstream.Target(UpstreamProfile(settings, credentialHeaders: []), prober), path: "/health",
                interval: 10 * Duration64.nanosecondsPerSecond)
        ])
        scene.scheduler.advance(.zero)
        return probes
    }

    private func isHealthy(_ scene: ShieldScene) -> Bool { scene.shield.report.upstreams[0].isHealthy }

    @Test func theUnwellAreNotUsed() throws {
        let scene = ShieldScene()
        let probes = watch(scene)
        let call = try #require(prober.calls.first)
        #expect(call.request.method == "GET" && call.request.target == "/health")
        #expect(call.request.headers == [HeaderField("Authorization", "Bearer own")])
        call.answer(.whole, ["no"], status: 503)
        for _ in 0..<3 where isHealthy(scene) {
            scene.scheduler.advance(.seconds(10))
            prober.calls.last?.fail(.connect)
        }
        #expect(!isHealthy(scene))
        for _ in 0..<4 { _ = scene.ask() }
        #expect(scene.upstreams.map(\.calls.count) == [0, 4])
        for _ in 0..<3 where !isHealthy(scene) {
            scene.scheduler.advance(.seconds(10))
            prober.calls.last?.answer(.whole, ["ok"])
        }
        #expect(isHealthy(scene))
        #expect(scene.log.lines.map(\.event) == ["upstream-unwell", "upstream-well"])
        probes.watch([])
        #expect(scene.scheduler.count == 0)
    }

    @Test func noAnswerIsAnAnswer() {
        let scene = ShieldScene()
        let probes = watch(scene)
        for _ in 0..<4 { scene.scheduler.advance(.seconds(10)) }
        #expect(!isHealthy(scene))
        #expect(prober.calls.dropLast().allSatisfy { $0.isCancelled })
        #expect(prober.calls.last?.isCancelled == false)
        probes.watch([])
        #expect(prober.calls.allSatisfy { $0.isCancelled })
        let asked = prober.calls.count
        scene.scheduler.advance(.seconds(60))
        #expect(prober.calls.count == asked)
    }

    @Test func whatIsStoppedSaysNothing() {
        let scene = ShieldScene()
        let probes = watch(scene)
        for kind: UpstreamFailure.Kind in [.shutdown, .cancelled, .shutdown, .cancelled] {
            prober.calls.last?.fail(kind)
            scene.scheduler.advance(.seconds(10))
        }
        #expect(isHealthy(scene))
        probes.watch([])
    }
}
