import Core
import TestKit
import Testing

@testable import Engine

@Suite struct PurgeLedgerTests {
    private static let keys = (0..<3).map { CacheKey(UInt64($0), 0, 0, 0) }
    private static let words = ["a", "b", ""]

    private static func entry(
        generation: UInt64 = 0, createdAt: Int64 = 0, tenant: UInt64 = 0, model: String = "", namespace: String = "",
        tags: [String] = []
    ) -> Entry {
        var facts = Entry.Facts(createdAt: createdAt, ttl: 1, dialect: .chat, origin: .whole)
        facts.generation = generation
        facts.tenant = tenant
        return Entry(
            facts: facts, model: model, namespace: namespace, tags: tags, whole: Bytes("text"), stream: nil)
    }

    private static func group(_ random: inout SeededRandom) -> PurgeGroup {
        let word = words.randomElement(using: &random) ?? ""
        switch Int.random(in: 0..<7, using: &random) {
        case 0: return .everything
        case 1: return .older
        case 2: return .key(keys.randomElement(using: &random) ?? keys[0])
        case 3: return .model(word)
        case 4: return .tag(word)
        case 5: return .namespace(word)
        default: return .tenant(UInt64.random(in: 0..<3, using: &random))
        }
    }

    private static func marks(_ count: Int, _ random: inout SeededRandom) -> [PurgeMark] {
        (0..<count).map { _ in PurgeMark(group(&random), UInt64.random(in: 0..<40, using: &random)) }
    }

    private static func entry(_ random: inout SeededRandom) -> Entry {
        entry(
            generation: .random(in: 0..<40, using: &random), createdAt: .random(in: 0..<40, using: &random),
            tenant: .random(in: 0..<3, using: &random), model: words.randomElement(using: &random) ?? "",
            namespace: words.randomElement(using: &random) ?? "",
            tags: (0..<Int.random(in: 0..<3, using: &random)).map { _ in words.randomElement(using: &random) ?? "" })
    }

    /// Said again, mark by mark.
    private static func isCovered(_ entry: Entry, _ key: CacheKey, by marks: [PurgeMark]) -> Bool {
        marks.contains { mark in
            let isMember =
                switch mark.group {
                case .everything: true
                case .older: entry.facts.createdAt < Int64(mark.number)
                case .key(let other): other == key
                case .model(let model): entry.model == model
                case .tag(let tag): entry.tags.contains(tag)
                case .namespace(let namespace): entry.namespace == namespace
                case .tenant(let tenant): entry.facts.tenant == tenant
                }
            return isMember && (mark.group == .older || entry.facts.generation < mark.number)
        }
    }

    @Test("it covers what some mark covers, in whatever order they came", arguments: 0..<200 as Range<UInt64>)
    func order(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let marks = Self.marks(Int.random(in: 0..<20, using: &random), &random)
        let first = PurgeLedger()
        let second = PurgeLedger()
        _ = first.adopt(marks)
        for mark in marks.shuffled(using: &random) + marks.prefix(3) { _ = second.adopt([mark]) }
        #expect(Set(first.all) == Set(second.all), "seed \(seed)")
        #expect(first.latest == second.latest, "seed \(seed)")
        for _ in 0..<50 {
            let (entry, key) = (Self.entry(&random), Self.keys.randomElement(using: &random) ?? Self.keys[0])
            let isCovered = Self.isCovered(entry, key, by: marks)
            #expect(first.covers(entry, under: key) == isCovered, "seed \(seed): \(entry.facts)")
            #expect(second.covers(entry, under: key) == isCovered, "seed \(seed): \(entry.facts)")
        }
    }

    @Test("what was purged stays purged", arguments: 0..<50 as Range<UInt64>) func monotone(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let ledger = PurgeLedger()
        let entries = (0..<40).map { _ in (Self.entry(&random), Self.keys.randomElement(using: &random) ?? Self.keys[0])
        }
        var covered: Set<Int> = []
        for _ in 0..<40 {
            if Bool.random(using: &random) {
                _ = ledger.adopt(Self.marks(1, &random))
            } else {
                _ = ledger.raise(.model(Self.words[0]), wall: Int64.random(in: -5...20, using: &random))
            }
            let now = Set(entries.indices.filter { ledger.covers(entries[$0].0, under: entries[$0].1) })
            #expect(now.isSuperset(of: covered), "seed \(seed)")
            covered = now
        }
    }

    @Test("marks that rose are told, and no others") func risen() {
        let ledger = PurgeLedger()
        #expect(ledger.adopt([PurgeMark(.model("m"), 5), PurgeMark(.model("m"), 4)]) == [PurgeMark(.model("m"), 5)])
        #expect(ledger.adopt([PurgeMark(.model("m"), 5)]) == [])
        #expect(ledger.adopt([PurgeMark(.everything, 7), PurgeMark(.older, 3)]).count == 2)
        // Said by the purge of everything already.
        #expect(ledger.adopt([PurgeMark(.model("m"), 6), PurgeMark(.tag("t"), 7)]) == [])
        #expect(Set(ledger.all) == [PurgeMark(.everything, 7), PurgeMark(.older, 3)])
        #expect(ledger.adopt([PurgeMark(.model("m"), 8)]).count == 1)
    }

    @Test("numbers that nobody can have raised are not taken", arguments: [1 << 53, UInt64.max] as [UInt64])
    func tooHigh(number: UInt64) {
        let ledger = PurgeLedger()
        for group in [PurgeGroup.everything, .older, .model("m")] {
            #expect(ledger.adopt([PurgeMark(group, number)]) == [])
        }
        #expect(ledger.latest == 0)
        #expect(!ledger.covers(Self.entry(), under: Self.keys[0]))
    }

    @Test("a stamp from before a purge is covered and one from after it is not") func stamps() {
        let ledger = PurgeLedger()
        var stamp = ledger.latest
        for wall: Int64 in [-1, 0, 1_000, 1_000, 10, .min] {
            let before = Self.entry(generation: stamp, model: "m")
            let mark = ledger.raise(.model("m"), wall: wall)
            #expect(mark.number > stamp)
            #expect(mark.number > wall)
            #expect(ledger.covers(before, under: Self.keys[0]))
            #expect(!ledger.covers(Self.entry(generation: stamp, model: "n"), under: Self.keys[0]))
            stamp = ledger.latest
            #expect(stamp == mark.number)
            #expect(!ledger.covers(Self.entry(generation: stamp, model: "m"), under: Self.keys[0]))
        }
    }

    @Test("older goes by the moment an answer was finished, whatever its stamp") func older() {
        let ledger = PurgeLedger()
        _ = ledger.adopt([PurgeMark(.older, 1_000)])
        #expect(ledger.latest == 0, "it is no stamp")
        for generation in [0, 5_000, UInt64.max] {
            #expect(ledger.covers(Self.entry(generation: generation, createdAt: 999), under: Self.keys[0]))
            #expect(!ledger.covers(Self.entry(generation: generation, createdAt: 1_000), under: Self.keys[0]))
        }
        #expect(ledger.covers(Self.entry(createdAt: .min), under: Self.keys[0]))
    }

    @Test("forgetting marks purges more, never less") func condensing() {
        let ledger = PurgeLedger()
        let count = UInt64(PurgeLedger.mostMarks) + 1
        _ = ledger.adopt([PurgeMark(.older, 7)])
        for number in 1...count { _ = ledger.adopt([PurgeMark(.tag("\(number)"), number)]) }
        #expect(ledger.all.count <= PurgeLedger.mostMarks)
        #expect(ledger.all.contains(PurgeMark(.older, 7)))
        #expect(ledger.latest == count)
        for number in stride(from: 1, through: count, by: 997) {
            let entry = Self.entry(generation: number - 1, createdAt: 8, tags: ["\(number)"])
            #expect(ledger.covers(entry, under: Self.keys[0]), "\(number)")
        }
        #expect(!ledger.covers(Self.entry(generation: count, createdAt: 8, tags: ["1"]), under: Self.keys[0]))
        // The home may hold on to what was forgotten: that is no news.
        let held = Set(ledger.all)
        #expect(ledger.adopt((1...count).map { PurgeMark(.tag("\($0)"), $0) }) == [])
        #expect(Set(ledger.all) == held)
    }

    @Test("one that is shared has to be settled") func settling() {
        #expect(PurgeLedger().isSettled)
        let shared = PurgeLedger(isShared: true)
        #expect(!shared.isSettled)
        shared.settle()
        #expect(shared.isSettled)
    }
}
