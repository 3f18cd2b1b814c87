/// Why a request was not put to the upstream: the metric label `reason` of `refrain_shed_total`.
package enum ShedReason: String, Sendable, CaseIterable {
    case tenantLimit = "tenant-limit"
    case queueFull = "queue-full"
    case deadline
    case noUpstream = "no-upstream"
    case retryBudget = "retry-budget"

    package var word: String { rawValue }

    /// What a client is told.
    var message: String {
        switch self {
        case .tenantLimit: "Too many requests with this credential: try again later."
        case .queueFull, .deadline: "The model is busy: try again later."
        case .noUpstream, .retryBudget: "The model cannot be reached at the moment: try again later."
        }
    }

    /// What it means, for operators.
    package var sentence: String {
        switch self {
        case .tenantLimit:
            "The one who asks is over `limits.tenantRequestsPerSecond` or `limits.tenantTokensPerMinute`."
        case .queueFull: "As many of its priority were waiting as `limits.queue` allows."
        case .deadline: "It waited for as long as `limits.queueTimeout` allows."
        case .noUpstream: "Every upstream fails or refuses, and is left alone for a while."
        case .retryBudget: "A call of it failed, and too many were made again lately (`limits.retryRatio`)."
        }
    }
}
