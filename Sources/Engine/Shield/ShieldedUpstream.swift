import Core
import Synchronization

/// The upstreams of one worker behind the shield that all workers share.
package final class ShieldedUpstream: Upstream {
    /// One of the upstreams as this worker reaches it.
    package struct Target: Sendable {
        package var profile: UpstreamProfile
        package var upstream: any Upstream

        package init(_ profile: UpstreamProfile, _ upstream: any Upstream) {
            self.profile = profile
            self.upstream = upstream
        }
    }

    let shield: Shield
    let scheduler: any Scheduler
    /// Runs work on the worker's thread, later.
    let hop: @Sendable (@escaping @Sendable () -> Void) -> Void
    private let targets = Mutex<[String: Target]>([:])

    package init(
        _ shield: Shield, _ targets: [Target], scheduler: any Scheduler,
        hop: @escaping @Sendable (@escaping @Sendable () -> Void) -> Void
    ) {
        self.shield = shield
        self.scheduler = scheduler
        self.hop = hop
        adopt(targets)
    }

    /// The settings were read again. Those of which nothing is said stay, for the calls that are put to them.
    package func adopt(_ targets: [Target]) {
        self.targets.withLock { known in for target in targets { known[target.profile.name] = target } }
    }

    func target(_ index: Int) -> Target? {
        let names = shield.names
        return targets.withLock { $0[names[index]] }
    }

    package func start(_ request: UpstreamRequest, sink: any UpstreamSink) -> any UpstreamCall {
        let call = ShieldedCall(self, request, sink)
        call.arrive()
        return call
    }
}
