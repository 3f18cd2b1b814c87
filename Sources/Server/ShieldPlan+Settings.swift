import Core
import Engine

extension ShieldPlan {
    /// What the settings say of upstreams and limits.
    package init(_ settings: Settings) {
        self.init(upstreams: settings.upstreams.map { Upstream($0, connections: settings.limits.upstreamConnections) })
        let limits = settings.limits
        tenantRequestsPerSecond = limits.tenantRequestsPerSecond > 0 ? limits.tenantRequestsPerSecond : nil
        tenantTokensPerMinute = limits.tenantTokensPerMinute > 0 ? Double(limits.tenantTokensPerMinute) : nil
        queue = limits.queue
        patience = limits.queueTimeout.nanoseconds
        retryRatio = limits.retryRatio
        hedges = limits.hedge
        choice =
            switch limits.choice {
            case .weighted: .weighted
            case .leastLoaded: .leastLoaded
            }
        overflowAt = limits.overflowAt
    }
}

extension ShieldPlan.Upstream {
    fileprivate init(_ upstream: Settings.Upstream, connections: Int) {
        self.init(
            name: upstream.name, weight: upstream.weight,
            requestsPerSecond: upstream.requestsPerSecond > 0 ? upstream.requestsPerSecond : nil,
            tokensPerMinute: upstream.tokensPerMinute > 0 ? Double(upstream.tokensPerMinute) : nil,
            concurrency: upstream.concurrency > 0
                ? .fixed(upstream.concurrency) : .adaptive(min: 1, max: max(1, connections)),
            isOverflow: upstream.overflow, sharesCredential: !upstream.apiKey.isEmpty)
    }
}
