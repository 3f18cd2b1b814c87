import Core
import Tiers

/// What every tier must do, whatever it is made of: run each check against a fresh tier that retains entries for at
/// least a minute beyond their lifetime.
package struct TierContract: Sendable, CustomStringConvertible {
    package let description: String
    /// The tier and the present time in milliseconds since 1970; returns what was wrong, in words.
    package let violations: @Sendable (any Tier, Int64) async -> [String]

    private init(_ description: String, _ violations: @escaping @Sendable (any Tier, Int64) async -> [String]) {
        self.description = description
        self.violations = violations
    }

    package static let all = [
        TierContract("nothing is found before it is stored") { tier, _ in
            await tier.find(key(1)) == nil ? [] : ["found what was never stored"]
        },
        TierContract("what is stored is found, every part of it") { tier, now in
            let entry = fullEntry(now: now)
            await tier.store(entry, under: key(1))
            return await difference(tier.find(key(1)), entry)
        },
        TierContract("storing again replaces") { tier, now in
            await tier.store(plainEntry("first", now: now), under: key(1))
            let second = plainEntry("second, and longer", now: now)
            await tier.store(second, under: key(1))
            return await difference(tier.find(key(1)), second)
        },
        TierContract("what is removed is gone, and said to have been there") { tier, now in
            await tier.store(plainEntry("text", now: now), under: key(1))
            let removed = await [tier.remove(key(1)), tier.remove(key(1))]
            let left = await tier.find(key(1))
            return (removed == [true, false] ? [] : ["remove twice said \(removed)"])
                + (left == nil ? [] : ["found what was removed"])
        },
        TierContract("removing one key leaves the others") { tier, now in
            let kept = plainEntry("kept", now: now)
            await tier.store(kept, under: key(1))
            await tier.store(plainEntry("gone", now: now), under: key(2))
            await tier.remove(key(2))
            return await difference(tier.find(key(1)), kept)
        },
        TierContract("entries beyond their lifetime are found, for staleness") { tier, now in
            let entry = plainEntry("stale", now: now - 10_000, ttl: 1_000)
            await tier.store(entry, under: key(1))
            return await difference(tier.find(key(1)), entry)
        },
        TierContract("keys that differ in one bit are different keys") { tier, now in
            var faults: [String] = []
            let neighbours = neighboursOfKey
            for (index, key) in neighbours.enumerated() {
                await tier.store(plainEntry("entry \(index)", now: now), under: key)
            }
            for (index, key) in neighbours.enumerated() {
                faults += await difference(tier.find(key), plainEntry("entry \(index)", now: now))
            }
            return faults
        },
        TierContract("large answers survive") { tier, now in
            let entry = Entry(facts: facts(now: now), whole: pattern(count: 300_000), stream: nil)
            await tier.store(entry, under: key(1))
            return await difference(tier.find(key(1)), entry)
        },
        TierContract("every byte survives, and empty forms stay forms") { tier, now in
            let entry = Entry(facts: facts(now: now), whole: pattern(count: 256), stream: .empty)
            await tier.store(entry, under: key(1))
            return await difference(tier.find(key(1)), entry)
        },
    ]

    private static func key(_ seed: UInt64) -> CacheKey {
        var random = SeededRandom(seed: seed)
        return CacheKey(random.next(), random.next(), random.next(), random.next())
    }

    /// One key, and all that differ from it in the lowest or the highest bit of one word.
    private static var neighboursOfKey: [CacheKey] {
        let base = key(1)
        let words = [base.word0, base.word1, base.word2, base.word3]
        var keys = [base]
        for position in words.indices {
            for bit: UInt64 in [1, 1 << 63] {
                var changed = words
                changed[position] ^= bit
                keys.append(CacheKey(changed[0], changed[1], changed[2], changed[3]))
            }
        }
        return keys
    }

    private static func pattern(count: Int) -> Bytes { Bytes((0..<count).map { UInt8(truncatingIfNeeded: $0) }) }

    private static func facts(now: Int64, ttl: Int64 = 60_000) -> Entry.Facts {
        Entry.Facts(createdAt: now, ttl: ttl, dialect: .chat, origin: .whole)
    }

    private static func plainEntry(_ text: String, now: Int64, ttl: Int64 = 60_000) -> Entry {
        Entry(facts: facts(now: now, ttl: ttl), whole: Bytes(text), stream: nil)
    }

    /// An entry in which no field has its default.
    private static func fullEntry(now: Int64) -> Entry {
        var facts = Entry.Facts(createdAt: now, ttl: 123_456, dialect: .responses, origin: .stream)
        facts.generation = 7
        facts.tenant = 0x0123_4567_89AB_CDEF
        facts.promptTokens = 11
        facts.completionTokens = 13
        facts.status = 203
        facts.storedUpstream = true
        facts.usageStart = 2
        facts.usageEnd = 5
        return Entry(
            facts: facts, headers: [HeaderField("openai-model", "m"), HeaderField("x-empty", "")], model: "gpt-ü",
            namespace: "team", tags: ["a", "b"], whole: Bytes("{}"), stream: Bytes("data: [DONE]\n\n"))
    }

    private static func difference(_ found: Entry?, _ expected: Entry) -> [String] {
        guard let found else { return ["nothing found"] }
        var faults: [String] = []
        if found.facts != expected.facts { faults.append("facts: \(found.facts), stored \(expected.facts)") }
        if found.headers != expected.headers { faults.append("headers: \(found.headers)") }
        if found.model != expected.model { faults.append("model: \(found.model)") }
        if found.namespace != expected.namespace { faults.append("namespace: \(found.namespace)") }
        if found.tags != expected.tags { faults.append("tags: \(found.tags)") }
        for form in Form.allCases {
            let (held, stored) = (found.content(form).map(Array.init), expected.content(form).map(Array.init))
            if held != stored { faults.append("\(form): \(held?.count ?? -1) bytes, stored \(stored?.count ?? -1)") }
        }
        return faults
    }
}
