import Core
import TestKit
import Testing

@testable import Engine

/// Which texts are kept for people to look at, and for how long.
@Suite struct RecentPairTests {
    private static func key(_ number: Int) -> CacheKey { CacheKey(UInt64(number), 0, 0, 0) }

    private static func candidate(_ key: Int, text: String = "old") -> SemanticCandidate {
        SemanticCandidate(
            match: SemanticMatch(key: Self.key(key), similarity: 0.9, confidence: nil), text: text, objections: [],
            isAccepted: true)
    }

    private func pairs(_ count: Int) -> RecentPairs {
        let pairs = RecentPairs()
        pairs.keep(true)
        for number in 0..<count {
            pairs.note(Self.key(number), "new \(number)", Self.candidate(1000 + number), .served, time: Int64(number))
        }
        return pairs
    }

    @Test func nothingIsKeptUnlessItIsWanted() {
        let pairs = RecentPairs()
        pairs.note(Self.key(1), "new", Self.candidate(2), .served, time: 0)
        #expect(pairs.all == nil)
        pairs.keep(true)
        #expect(pairs.all == [])
        pairs.note(Self.key(1), "new", Self.candidate(2), .served, time: 0)
        #expect(pairs.all?.count == 1)
        pairs.keep(false)
        pairs.keep(true)
        #expect(pairs.all == [], "what was kept is forgotten")
    }

    @Test(arguments: [0, 1, RecentPairs.most - 1, RecentPairs.most, RecentPairs.most + 1, RecentPairs.most * 2 + 7])
    func theLatestAreKept(count: Int) {
        let times = pairs(count).all?.map(\.time)
        #expect(times == (max(0, count - RecentPairs.most)..<count).reversed().map(Int64.init))
    }

    @Test(arguments: [
        (RecentPairs.longest, false), (RecentPairs.longest + 1, true), (RecentPairs.longest * 10, true),
    ])
    func longTextsAreCut(length: Int, isCut: Bool) throws {
        let pairs = RecentPairs()
        pairs.keep(true)
        let text = String(repeating: "文", count: length)
        pairs.note(Self.key(1), text, Self.candidate(2, text: text), .rejected, time: 0)
        let kept = try #require(pairs.all?.first)
        let expected = isCut ? String(repeating: "文", count: RecentPairs.longest) + "…" : text
        #expect(kept.text == expected)
        #expect(kept.candidate.text == expected)
    }

    /// One character may have thousands of marks.
    @Test func bytesAreBoundedToo() throws {
        let pairs = RecentPairs()
        pairs.keep(true)
        let text = "e" + String(repeating: "\u{301}", count: 5_000)
        pairs.note(Self.key(1), text, Self.candidate(2, text: text), .rejected, time: 0)
        let kept = try #require(pairs.all?.first)
        for text in [kept.text, kept.candidate.text] {
            #expect(text.utf8.count <= RecentPairs.mostBytes + 3 && text.utf8.count > RecentPairs.mostBytes - 4)
            #expect(text.unicodeScalars.first == "e" && text.unicodeScalars.last == "…")
        }
    }

    /// All that is kept for feedback and for people to look at, when all of it is full.
    @Test func theTablesKeepToTheirBound() {
        let meaning = Meaning(matcher: FakeMatcher { _, _ in 0 }, isServing: true, aliasBytes: 1 << 20)
        meaning.recentPairs.keep(true)
        let text = String(repeating: "文", count: 10_000)
        var candidate = Self.candidate(1, text: text)
        candidate.objections = (0..<40).map { _ in SemanticObjection("entity", text) }
        let alias = AliasTable.Alias(match: candidate.match, createdAt: 0)
        for number: UInt64 in 0..<20_000 {
            let key = CacheKey(number, 0, 0, 0)
            meaning.note(number, key, candidate.match)
            meaning.aliases.insert(alias, under: key)
            if number < 1_000 { meaning.recentPairs.note(key, text, candidate, .rejected, time: 0) }
        }
        #expect(meaning.feedback(on: 0, isRight: true) == nil)
        #expect(meaning.feedback(on: 20_000 - 6_144, isRight: true) != nil)
        #expect(meaning.tableBytes <= Meaning.mostTableBytes)
        #expect(meaning.tableBytes > Meaning.mostTableBytes / 2, "the bound says something")
        #expect(meaning.aliasBytes <= 1 << 20)
    }

    @Test(arguments: [3, RecentPairs.most + 3])
    func whatWasPurgedIsGone(count: Int) throws {
        let pairs = pairs(count)
        let before = try #require(pairs.all)
        // Once by its own key, once by that of the entry that was near.
        pairs.forget(before[0].key)
        pairs.forget(before[2].candidate.match.key)
        #expect(pairs.all == [before[1]] + before[3...])
        // The order stays when more come.
        pairs.note(Self.key(9999), "late", Self.candidate(9998), .served, time: 9999)
        #expect(pairs.all?.map(\.time) == [9999, before[1].time] + before[3...].map(\.time))
        pairs.forgetAll()
        #expect(pairs.all == [])
    }

    @Test func aVerdictStandsBesideItsPair() throws {
        let pairs = pairs(3)
        let verdict = RecentPairs.Verdict(witness: .comparison, isRight: false)
        pairs.observe(Self.key(1001), for: Self.key(1), verdict)
        pairs.observe(Self.key(1001), for: Self.key(2), verdict)
        #expect(pairs.all?.map(\.verdict) == [nil, verdict, nil])
    }
}
