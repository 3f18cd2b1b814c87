/// What was asked and saved under one name: a model, a tenant or a namespace.
package struct NameUsage: Tally, Equatable {
    package fileprivate(set) var name = ""
    /// Whether it stands for all names that have no row. A client may call its model what this row is called.
    package fileprivate(set) var isRest = false
    /// Requests by how they were answered.
    package private(set) var hits: UInt64 = 0
    package private(set) var semantic: UInt64 = 0
    package private(set) var stale: UInt64 = 0
    package private(set) var coalesced: UInt64 = 0
    package private(set) var misses: UInt64 = 0
    package private(set) var promptTokens: UInt64 = 0
    package private(set) var completionTokens: UInt64 = 0
    /// What those tokens would have cost.
    package private(set) var picodollars: UInt64 = 0
    /// Of one token of a model; plain numbers, because reading them copies no name.
    fileprivate var inputPrice = TokenPrice.zero
    fileprivate var outputPrice = TokenPrice.zero

    package init() {}

    package var requests: UInt64 { hits &+ semantic &+ stale &+ coalesced &+ misses }

    package mutating func add(_ other: NameUsage) {
        hits &+= other.hits
        semantic &+= other.semantic
        stale &+= other.stale
        coalesced &+= other.coalesced
        misses &+= other.misses
        promptTokens &+= other.promptTokens
        completionTokens &+= other.completionTokens
        picodollars &+= other.picodollars
    }

    fileprivate mutating func count(_ outcome: Outcome.Kind, _ saved: UsageTally.Tokens?, picodollars cost: UInt64) {
        switch outcome {
        case .hit: hits &+= 1
        case .semantic: semantic &+= 1
        case .stale: stale &+= 1
        case .coalesced: coalesced &+= 1
        case .miss, .bypass: misses &+= 1
        }
        guard let saved else { return }
        promptTokens &+= UInt64(max(saved.prompt, 0))
        completionTokens &+= UInt64(max(saved.completion, 0))
        picodollars &+= cost
    }
}

/// What was asked under one key.
package struct KeyUsage: Tally, Equatable {
    /// nil for the sum of all others.
    package fileprivate(set) var key: CacheKey?
    package fileprivate(set) var requests: UInt64 = 0
    /// Those that cost no call of their own.
    package fileprivate(set) var saved: UInt64 = 0

    package init() {}

    package mutating func add(_ other: KeyUsage) {
        requests &+= other.requests
        saved &+= other.saved
    }
}

/// What one worker counts by model, tenant, namespace and key of cacheable requests. Bounded: names beyond the room there
/// is are counted together.
package struct UsageTally: Sendable {
    /// Of a kept answer; negative where the upstream did not say.
    package typealias Tokens = (prompt: Int32, completion: Int32)

    package private(set) var models = TopTable(sets: 1, ways: UsageTally.nameCount, blank: NameUsage())
    package private(set) var tenants = TopTable(sets: 1, ways: UsageTally.nameCount, blank: NameUsage())
    package private(set) var namespaces = TopTable(sets: 1, ways: UsageTally.nameCount, blank: NameUsage())
    package private(set) var keys = TopTable(sets: 256, ways: 8, blank: KeyUsage())
    private let prices: ModelPrices

    /// Names of each kind that are told apart.
    package static let nameCount = 64
    /// Longer names are cut, in bytes.
    private static let longestName = 256

    package init(prices: ModelPrices) { self.prices = prices }

    /// Counts one answered request; what it saved, in picodollars. `saved` is nil where the upstream was asked. Allocates
    /// only for names and keys that are new.
    package mutating func count(
        _ outcome: Outcome.Kind, key: CacheKey, tenant: CacheKey, model: BytesView, namespace: BytesView, saved: Tokens?
    ) -> UInt64 {
        let modelRow = models.row(of: UsageTally.hash(of: model)) { [prices] row in
            row.name = UsageTally.name(model)
            if let price = prices[row.name] { (row.inputPrice, row.outputPrice) = (price.input, price.output) }
        }
        let tenantRow = tenants.row(of: tenant.word0) { $0.name = PurgeGroup.hex(of: tenant.word0) }
        let namespaceRow = namespaces.row(of: UsageTally.hash(of: namespace)) { $0.name = UsageTally.name(namespace) }
        let keyRow = keys.row(of: key.word0) { $0.key = key }
        var cost: UInt64 = 0
        if let saved {
            cost = UInt64(max(saved.prompt, 0)) &* models[modelRow].inputPrice.picodollars
            cost &+= UInt64(max(saved.completion, 0)) &* models[modelRow].outputPrice.picodollars
        }
        models[modelRow].count(outcome, saved, picodollars: cost)
        tenants[tenantRow].count(outcome, saved, picodollars: cost)
        namespaces[namespaceRow].count(outcome, saved, picodollars: cost)
        keys[keyRow].requests &+= 1
        if outcome != .miss, outcome != .bypass { keys[keyRow].saved &+= 1 }
        return cost
    }

    /// The seed differs from process to process, so nobody can choose names that share a row.
    private static func hash(of bytes: BytesView) -> UInt64 {
        if bytes.isEmpty { return 0 }
        var hasher = Hasher()
        hasher.combine(bytes: bytes)
        return UInt64(bitPattern: Int64(hasher.finalize()))
    }

    private static func name(_ bytes: BytesView) -> String {
        UnsafeRawBufferPointer(rebasing: bytes.prefix(longestName)).text
    }
}

/// What all workers counted.
package struct UsageReport: Sendable, Equatable {
    /// Most requests first.
    package private(set) var models: [NameUsage] = []
    package private(set) var tenants: [NameUsage] = []
    package private(set) var namespaces: [NameUsage] = []
    package private(set) var keys: [KeyUsage] = []

    /// How the sum of all names without a row is called.
    package static let rest = "(other)"

    package init() {}

    package init(_ tallies: [UsageTally]) {
        models = UsageReport.merged(tallies.map(\.models))
        tenants = UsageReport.merged(tallies.map(\.tenants))
        namespaces = UsageReport.merged(tallies.map(\.namespaces))
        var byKey: [CacheKey: KeyUsage] = [:]
        for row in tallies.flatMap(\.keys.all) {
            guard let key = row.key else { continue }
            byKey[key, default: KeyUsage()].key = key
            byKey[key]?.add(row)
        }
        keys = byKey.values.sorted { ($0.requests, $1.key?.word0 ?? 0) > ($1.requests, $0.key?.word0 ?? 0) }
    }

    private static func merged(_ tables: [TopTable<NameUsage>]) -> [NameUsage] {
        var byName: [String: NameUsage] = [:]
        var rest = NameUsage()
        rest.name = UsageReport.rest
        rest.isRest = true
        for table in tables {
            for row in table.all {
                byName[row.name, default: NameUsage()].name = row.name
                byName[row.name]?.add(row)
            }
            rest.add(table.rest)
        }
        // Each worker has its own names: together they may be more than one has room for.
        let all = byName.values.sorted { ($0.requests, $1.name) > ($1.requests, $0.name) }
        for row in all.dropFirst(UsageTally.nameCount) { rest.add(row) }
        return all.prefix(UsageTally.nameCount) + (rest.requests > 0 ? [rest] : [])
    }
}
