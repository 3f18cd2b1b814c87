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
    private let known = Mutex(Known())

    private struct Known {
        var byName: [String: Target] = [:]
        /// In the order of the shield's names, as they were in that generation of its plan.
        var byIndex: [Target?] = []
        var generation = -1
    }

    package init(
        _ shield: Shield, _ targets: [Target], scheduler: any Scheduler,
        hop: @escaping @Sendable (@escaping @Sendable () -> Void) -> Void
    ) {
        self.shield = shield
        self.scheduler = scheduler
        self.hop = hop
        adopt(targets)
    }

    /// The settings were read again. Those of which nothing is said stay while the shield may put calls to them.
    package func adopt(_ targets: [Target]) {
        let names = Set(shield.names)
        known.withLock { known in
            known.byName = known.byName.filter { names.contains($0.key) }
            for target in targets { known.byName[target.profile.name] = target }
            known.generation = -1
        }
    }

    func target(_ index: Int) -> Target? {
        let generation = shield.generation
        let target = known.withLock { known in
            known.generation == generation && index < known.byIndex.count ? known.byIndex[index] : nil
        }
        if let target { return target }
        let names = shield.names
        return known.withLock { known in
            known.byIndex = names.map { known.byName[$0] }
            known.generation = generation
            return index < names.count ? known.byIndex[index] : nil
        }
    }

    package func start(_ request: UpstreamRequest, sink: any UpstreamSink) -> any UpstreamCall {
        let call = ShieldedCall(self, request, sink)
        call.arrive()
        return call
    }
}
