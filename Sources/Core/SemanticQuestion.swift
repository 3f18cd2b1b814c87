/// A request as far as meaning goes: the text that may differ from a remembered one, and everything that may not.
package struct SemanticQuestion: Sendable, Equatable {
    /// A digest over all of the request but its last user text: tenant, namespace, dialect, model, parameters, what was
    /// said before, tools, the form asked for; and over who compares. Answers never cross from one to another.
    package var partition: CacheKey
    /// The last text of the user, exactly as it was sent.
    package var text: String

    package init(partition: CacheKey, text: String) {
        self.partition = partition
        self.text = text
    }
}

/// What has to be known of a remembered answer to let go of it in time.
package struct SemanticFacts: Sendable, Equatable {
    /// The first eight bytes of the tenant, as in `Entry.Facts`.
    package var tenant: UInt64
    package var namespace: String
    package var model: String
    package var tags: [String]
    /// In milliseconds since 1970.
    package var createdAt: Int64
    package var expiresAt: Int64
    /// The stamp of purges from when it was asked for.
    package var generation: UInt64

    package init(
        tenant: UInt64, namespace: String, model: String, tags: [String], createdAt: Int64, expiresAt: Int64,
        generation: UInt64
    ) {
        self.tenant = tenant
        self.namespace = namespace
        self.model = model
        self.tags = tags
        self.createdAt = createdAt
        self.expiresAt = expiresAt
        self.generation = generation
    }

    package init(_ entry: Entry) {
        let facts = entry.facts
        self.init(
            tenant: facts.tenant, namespace: entry.namespace, model: entry.model, tags: entry.tags,
            createdAt: facts.createdAt, expiresAt: facts.expiresAt, generation: facts.generation)
    }
}
