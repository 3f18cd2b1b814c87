/// What a call asks of the upstream's capacity, and how long it may wait for it.
package struct UpstreamDemand: Sendable, Equatable {
    package var priority: Priority
    /// Whose limits it counts against; all zero where that is not known.
    package var tenant: CacheKey
    package var model: String
    /// An estimate of prompt and answer together, corrected by `UpstreamCall.settle`.
    package var tokens: Int
    /// How long it may wait for its turn, in nanoseconds; nil: as long as the settings allow.
    package var patience: Int64?

    package init(
        priority: Priority = .standard, tenant: CacheKey = CacheKey(0, 0, 0, 0), model: String = "", tokens: Int = 0,
        patience: Int64? = nil
    ) {
        self.priority = priority
        self.tenant = tenant
        self.model = model
        self.tokens = tokens
        self.patience = patience
    }
}
