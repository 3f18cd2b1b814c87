import Core
import Foreign
import Neighbours
import Synchronization
import TestKit
import Testing

@testable import Semantic

@Suite struct SemanticCacheTests {
    /// Vectors as a test gives them; a text without one is foreign.
    private final class FakeEncoding: TextEncoding {
        let identity = "fake"
        let width: Int? = 4
        let weights: TokenWeights? = nil
        private let vectors: [String: [Float]]
        private let refusal = Mutex<EncodingRefusal?>(nil)
        private let count = Atomic(0)

        /// What encodings wait for.
        let gate: Gate?

        init(_ vectors: [String: [Float]], gate: Gate? = nil) {
            self.vectors = vectors
            self.gate = gate
        }

        var encodings: Int { count.load(ordering: .relaxed) }
        func refuse(_ reason: EncodingRefusal) { refusal.withLock { $0 = reason } }

        func reach(of text: String) -> TextReach {
            text.utf8.count > 40 ? .tooLong : vectors[text] == nil ? .foreign : .readable
        }

        func tokens(of text: String) -> TokenizedText? { nil }

        func encode(_ text: String, budget: Int64) async throws(EncodingRefusal) -> EncodedText {
            count.wrappingAdd(1, ordering: .relaxed)
            await gate?.pass()
            if let reason = refusal.withLock({ $0 }) { throw reason }
            return EncodedText(
                vector: vectors[text] ?? [], tokenVectors: nil, tokens: TokenizedText(ids: [], unknown: 0))
        }
    }

    private let clock = ManualClock()
    private let registry = MetricsRegistry(version: "test")

    private func cache(
        _ encoder: (any TextEncoding)? = nil, _ change: (inout SemanticCache.Options) -> Void = { _ in }
    ) throws -> SemanticCache {
        var options = SemanticCache.Options()
        options.threshold = 0.8
        options.capacity = 1 << 20
        change(&options)
        return try SemanticCache(
            encoder: encoder, options: options, kernels: HNSWKernels(), clock: clock, random: SeededSource(seed: 1),
            metrics: registry.makeBlock())
    }

    private static func key(_ number: UInt64) -> CacheKey { CacheKey(number, number, number, number) }

    private static func question(_ text: String, partition: UInt64 = 1) -> SemanticQuestion {
        SemanticQuestion(partition: key(partition), text: text)
    }

    private func facts(ttl: Int64 = 1_000, tenant: UInt64 = 1) -> SemanticFacts {
        SemanticFacts(
            tenant: tenant, namespace: "", model: "m", tags: [], createdAt: clock.wall(),
            expiresAt: clock.wall() + ttl, generation: 0)
    }

    private func learn(_ cache: SemanticCache, _ text: String, _ number: UInt64, partition: UInt64 = 1) async {
        let question = Self.question(text, partition: partition)
        let reading = await cache.match(question, under: Self.key(number), threshold: nil).reading
        cache.learn(question, reading: reading, under: Self.key(number), facts(), isNew: true) { true }
    }

    private func match(
        _ cache: SemanticCache, _ text: String, under number: UInt64 = 99, partition: UInt64 = 1,
        threshold: Double? = nil
    ) async -> SemanticFinding {
        await cache.match(Self.question(text, partition: partition), under: Self.key(number), threshold: threshold)
    }

    // MARK: Letters

    @Test(arguments: [
        ("How do I reset my password?", "How do I reset my password", SemanticResult.accepted),
        ("how do i reset my password", "How do I reset my password??", .accepted),
        ("怎么重置我的密码?", "怎么重置我的密码", .accepted),
        ("How do I get 5 apples?", "How do I get 7 apples?", .rejected),
        ("How do I reset my password?", "Where is the moon?", .none),
    ])
    func byTheirLetters(old: String, new: String, result: SemanticResult) async throws {
        let cache = try cache()
        await learn(cache, old, 1)
        let finding = await match(cache, new)
        #expect(finding.result == result)
        if result == .accepted { #expect(finding.accepted.map(\.match.key) == [Self.key(1)]) }
    }

    @Test func objectionsAreNamed() async throws {
        let cache = try cache()
        await learn(cache, "How do I get 5 apples?", 1)
        let candidate = try #require(await match(cache, "How do I get 7 apples?").candidates.first)
        #expect(candidate.objections.first?.word == "number")
        #expect(candidate.text == "How do I get 5 apples?")
    }

    @Test func partitionsNeverMeet() async throws {
        let cache = try cache()
        await learn(cache, "How do I reset my password?", 1)
        #expect(await match(cache, "How do I reset my password?", partition: 2).result == .none)
    }

    @Test func aRequestIsNotItsOwnNeighbour() async throws {
        let cache = try cache()
        await learn(cache, "How do I reset my password?", 1)
        #expect(await match(cache, "How do I reset my password?", under: 1).result == .none)
    }

    @Test func oneRequestMayAskForMore() async throws {
        let cache = try cache()
        await learn(cache, "How do I reset my password?", 1)
        let finding = await match(cache, "How do I reset my old password?", threshold: 0.999)
        #expect(finding.result == .rejected)
        #expect(finding.candidates.first?.objections.first?.word == "similarity")
    }

    // MARK: An encoder

    private static let near: [String: [Float]] = [
        "one": [1, 0, 0, 0], "uno": [0.9, 0.435_89, 0, 0], "far": [0, 0, 1, 0],
    ]

    @Test func byAnEncodersVectors() async throws {
        let encoder = FakeEncoding(Self.near)
        let cache = try cache(encoder)
        await learn(cache, "one", 1)
        let finding = await match(cache, "uno")
        #expect(finding.candidates.map(\.match.key) == [Self.key(1)])
        #expect(abs((finding.candidates.first?.match.similarity ?? 0) - 0.9) < 0.01)
        #expect(await match(cache, "far").result == .none)
    }

    @Test func whatTheEncoderCannotReadIsComparedByLetters() async throws {
        let encoder = FakeEncoding(Self.near)
        let cache = try cache(encoder)
        await learn(cache, "怎么重置我的密码?", 1)
        #expect(await match(cache, "怎么重置我的密码").result == .accepted)
        #expect(encoder.encodings == 0)
        #expect(await match(cache, String(repeating: "word ", count: 20)).result == .tooLong)
    }

    @Test(arguments: [
        (EncodingRefusal.late, SemanticResult.late), (.busy, .busy), (.failed, .failed), (.closed, .failed),
        (.tooLong, .tooLong),
    ])
    func withoutAVectorThereIsNoNeighbour(refusal: EncodingRefusal, result: SemanticResult) async throws {
        let encoder = FakeEncoding(Self.near)
        let cache = try cache(encoder)
        await learn(cache, "one", 1)
        encoder.refuse(refusal)
        let finding = await match(cache, "one")
        #expect(finding.result == result)
        #expect(finding.reading == nil)
    }

    @Test func whatWasNotReadInTimeIsLearntLater() async throws {
        let cache = try cache(FakeEncoding(Self.near))
        cache.learn(Self.question("one"), reading: nil, under: Self.key(1), facts(), isNew: true) { true }
        while cache.questionCount == 0 { await Task.yield() }
        #expect(await match(cache, "one").candidates.count == 1)
    }

    @Test func aKnownQuestionIsNotReadAgain() async throws {
        let encoder = FakeEncoding(Self.near)
        let cache = try cache(encoder)
        await learn(cache, "one", 1)
        let before = encoder.encodings
        cache.learn(Self.question("one"), reading: nil, under: Self.key(1), facts(ttl: 9_000), isNew: true) { true }
        clock.advance(.milliseconds(5_000))
        #expect(encoder.encodings == before)
        #expect(await match(cache, "uno").candidates.count == 1)
    }

    /// Found in a tier: learnt once and told to nobody.
    @Test func whatWasFoundIsLearntToo() async throws {
        let encoder = FakeEncoding(Self.near)
        let cache = try cache(encoder)
        let told = Atomic(0)
        cache.announce(RecordCodec(matcher: cache.identity, checksum: XXH3Checksum())) { _ in
            told.wrappingAdd(1, ordering: .relaxed)
        }
        let question = Self.question("one")
        cache.learn(question, reading: nil, under: Self.key(1), facts(), isNew: false) { true }
        while cache.questionCount == 0 { await Task.yield() }
        // What is known is not read again, and takes over the times of a younger answer.
        clock.advance(.milliseconds(500))
        cache.learn(question, reading: nil, under: Self.key(1), facts(), isNew: false) { true }
        #expect(encoder.encodings == 1)
        clock.advance(.milliseconds(800))
        #expect(await match(cache, "uno").candidates.map(\.match.key) == [Self.key(1)])
        #expect(told.load(ordering: .relaxed) == 0)
        cache.learn(question, reading: nil, under: Self.key(1), facts(), isNew: true) { true }
        #expect(told.load(ordering: .relaxed) == 1)
    }

    @Test func whatWasFoundLeavesRoomForWhatTheModelAnswers() throws {
        let encoder = FakeEncoding(Self.near, gate: Gate())
        let cache = try cache(encoder)
        func learn(_ numbers: ClosedRange<UInt64>, isNew: Bool) -> Int {
            for number in numbers {
                cache.learn(Self.question("one"), reading: nil, under: Self.key(number), facts(), isNew: isNew) { true }
            }
            return cache.tableBytes
        }
        let some = learn(1...2_000, isNew: false)
        #expect(learn(2_001...3_000, isNew: false) == some, "no more of those")
        #expect(learn(3_001...4_000, isNew: true) > some + 1_000_000)
        encoder.refuse(.failed)
        encoder.gate?.open()
    }

    // MARK: Forgetting

    @Test func expiredAndPurgedQuestionsAreForgotten() async throws {
        let cache = try cache()
        await learn(cache, "How do I reset my password?", 1)
        await learn(cache, "How tall is the tower?", 2)
        cache.forget(Self.key(1))
        #expect(cache.questionCount == 1)
        cache.forgetAll { key, _ in key == Self.key(2) }
        #expect(cache.questionCount == 0)
        await learn(cache, "How tall is the tower?", 2)
        clock.advance(.milliseconds(1_001))
        #expect(await match(cache, "How tall is the tower").result == .none)
        cache.sweep(now: clock.wall())
        #expect(cache.questionCount == 0)
    }

    @Test func whatWasPurgedMeanwhileIsNotKept() async throws {
        let cache = try cache()
        let question = Self.question("How tall is the tower?")
        let reading = await cache.match(question, under: Self.key(1), threshold: nil).reading
        cache.learn(question, reading: reading, under: Self.key(1), facts(), isNew: true) { false }
        #expect(cache.questionCount == 0)
    }

    @Test func aPairThatAPersonRefusedIsNotServedAgain() async throws {
        let cache = try cache()
        await learn(cache, "How do I reset my password?", 1)
        let finding = await match(cache, "how do I reset my password")
        let found = try #require(finding.accepted.first).match
        cache.observe(found, for: Self.key(99), isRight: false, by: .person)
        #expect(await match(cache, "how do I reset my password").candidates.first?.objections.first?.word == "feedback")
        // Of this pair alone, by the threshold.
        #expect(await match(cache, "how do I reset my password", under: 98).result == .accepted)
        let other = try self.cache()
        await learn(other, "How do I reset my password?", 1)
        other.refuse(lines: cache.refusedLines + "nonsense\n")
        #expect(await match(other, "how do I reset my password").result == .rejected)
    }

    // MARK: Others

    @Test func whatOneLearnsAnotherHears() async throws {
        let (one, other) = (try cache(), try cache())
        let codec = RecordCodec(matcher: "fake", checksum: XXH3Checksum())
        one.announce(codec) { bytes in
            other.heard(bytes, codec) { _, facts in facts.tenant == 1 }
            other.heard(Bytes("garbage"), codec) { _, _ in true }
        }
        await learn(one, "How do I reset my password?", 1)
        #expect(other.questionCount == 1)
        #expect(await match(other, "how do I reset my password").accepted.map(\.match.key) == [Self.key(1)])
    }

    @Test func vectorsOfAnotherWidthChangeNothing() async throws {
        let cache = try cache(FakeEncoding(Self.near))
        let codec = RecordCodec(matcher: "fake", checksum: XXH3Checksum())
        let stranger = SemanticRecord(
            key: Self.key(7), partition: Self.key(1), text: "one", sketch: QuantizedVector([1, 0, 0]), facts: facts())
        let bytes = try #require(codec.encode(stranger))
        for store in SemanticCache.Store.allCases {
            let announcement = bytes.withUnsafeBytes { Bytes([store.rawValue] + Array($0)) }
            cache.heard(announcement, codec) { _, _ in true }
        }
        #expect(cache.questionCount == 0)
        await learn(cache, "one", 1)
        #expect(cache.questionCount == 1)
    }

    @Test func whatOthersTellIsCounted() throws {
        let cache = try cache()
        let codec = RecordCodec(matcher: cache.identity, checksum: XXH3Checksum())
        let other = RecordCodec(matcher: "2 lexical-2", checksum: XXH3Checksum())
        let vector = try #require(LexicalSketch.vector(of: "one"))
        let record = SemanticRecord(
            key: Self.key(7), partition: Self.key(1), text: "one", sketch: QuantizedVector(vector), facts: facts())
        func told(_ bytes: [UInt8]) -> AnnouncementResult { cache.heard(Bytes(bytes), codec) { _, _ in true } }
        func encoded(_ codec: RecordCodec) throws -> [UInt8] { [1] + (try #require(codec.encode(record))).array }
        #expect(try told(encoded(other)) == .otherMatcher)
        #expect(cache.questionCount == 0)
        #expect(try told(encoded(codec)) == .taken)
        #expect(cache.heard(Bytes(try encoded(codec)), codec) { _, _ in false } == .unwanted)
        for garbage in [[], [9], [1], [2, 1], Array(repeating: 2, count: 500)] as [[UInt8]] {
            #expect(told(garbage) == .damaged)
        }
        #expect(told([2] + Array("\(Self.key(1).hex) \(Self.key(2).hex)\n".utf8)) == .taken)
        let counts = registry.values(of: .semanticAnnouncements).map(\.value)
        #expect(counts == [2, 1, 1, 5])
    }

    @Test func aRefusalIsToldToOthers() async throws {
        let (one, other) = (try cache(), try cache())
        let codec = RecordCodec(matcher: "fake", checksum: XXH3Checksum())
        one.announce(codec) { other.heard($0, codec) { _, _ in true } }
        await learn(one, "How do I reset my password?", 1)
        let found = try #require(await match(one, "how do I reset my password").accepted.first)
        one.observe(found.match, for: Self.key(99), isRight: false, by: .person)
        #expect(other.standing(of: found.match, for: Self.key(99)) == .ended)
        #expect(await match(other, "how do I reset my password").result == .rejected)
    }

    /// Whoever finds it out, no sidecar serves the same wording the same answer without comparing again.
    @Test(arguments: [SemanticWitness.judge, .comparison]) func anErrorIsToldToOthers(witness: SemanticWitness)
        async throws
    {
        let (one, other) = (try cache(), try cache())
        let codec = RecordCodec(matcher: one.identity, checksum: XXH3Checksum())
        let strange = RecordCodec(matcher: "other", checksum: XXH3Checksum())
        one.announce(codec) {
            _ = other.heard($0, strange) { _, _ in true }
            _ = other.heard($0, codec) { _, _ in true }
        }
        await learn(one, "How do I reset my password?", 1)
        let match = try #require(await match(one, "how do I reset my password").accepted.first).match
        for cache in [one, other] { #expect(cache.standing(of: match, for: Self.key(99)) == .stands) }
        one.observe(match, for: Self.key(99), isRight: true, by: witness)
        for cache in [one, other] { #expect(cache.standing(of: match, for: Self.key(99)) == .stands) }
        one.observe(match, for: Self.key(99), isRight: false, by: witness)
        for cache in [one, other] { #expect(cache.standing(of: match, for: Self.key(99)) == .ended) }
        // The rule of these caches is a threshold, so that others may still have it.
        for cache in [one, other] { #expect(cache.standing(of: match, for: Self.key(98)) == .stands) }
        let counts = registry.values(of: .semanticAnnouncements).map(\.value)
        #expect(counts == [2, 0, 2, 0])
    }

    /// By the rule of `maxError` an error tells against the entry, for whoever asks.
    @Test func anEntryThatWasWrongStandsForNobody() async throws {
        let (one, other) = (try cache { $0.threshold = 0 }, try cache { $0.threshold = 0 })
        let codec = RecordCodec(matcher: one.identity, checksum: XXH3Checksum())
        one.announce(codec) { _ = other.heard($0, codec) { _, _ in true } }
        let match = SemanticMatch(
            key: Self.key(1), similarity: 0.97, confidence: 0.995, score: 5, probability: 0.998, lowerBound: 0.995)
        #expect(one.standing(of: match, for: Self.key(98)) == .stands)
        one.observe(match, for: Self.key(99), isRight: true, by: .person)
        #expect(one.standing(of: match, for: Self.key(98)) == .stands)
        one.withdraw(match, for: Self.key(99))
        for cache in [one, other] {
            for key: UInt64 in 98...99 { #expect(cache.standing(of: match, for: Self.key(key)) == .ended) }
        }
        let observed = registry.values(of: .semanticObservations).map(\.value)
        #expect(observed == [0, 0, 0, 0, 0, 0, 1, 1, 1])
    }

    @Test func whatStandsIsExploredAsOftenAsTheRest() async throws {
        let cache = try cache { $0.exploration = 0.25 }
        let match = SemanticMatch(key: Self.key(1), similarity: 0.97, confidence: 0.97)
        let explored = (0..<1_000).count { _ in cache.standing(of: match, for: Self.key(2)) == .explores }
        #expect((200...300).contains(explored))
        let unsure = SemanticMatch(key: Self.key(1), similarity: 0.79, confidence: 0.79)
        #expect(cache.standing(of: unsure, for: Self.key(2)) == .ended)
    }

    /// All that is kept beside the questions, when all of it is full.
    @Test func theTablesKeepToTheirBound() async throws {
        let encoder = FakeEncoding(["one": [1, 0, 0, 0]], gate: Gate())
        let cache = try cache(encoder)
        for number: UInt64 in 0..<20_000 {
            let match = SemanticMatch(key: CacheKey(number, 0, 0, 0), similarity: 1, confidence: 1)
            cache.observe(match, for: CacheKey(0, number, 0, 0), isRight: false, by: .person)
            // The last ones were observed as often as is remembered.
            if number > 7_000 { for _ in 0..<40 { cache.observe(match, for: Self.key(1), isRight: true, by: .judge) } }
            cache.learn(Self.question("one"), reading: nil, under: Self.key(number), facts(), isNew: true) { true }
        }
        let bytes = cache.tableBytes
        #expect(bytes <= SemanticCache.mostTableBytes)
        #expect(bytes > SemanticCache.mostTableBytes / 2, "the bound says something")
        encoder.refuse(.failed)
        encoder.gate?.open()
    }

    @Test(arguments: [
        ("It is 42.", "It is 43.", SemanticAgreement.wrong), ("It is 42.", "it is 42", .right),
    ]) func answersAreCompared(one: String, other: String, agreement: SemanticAgreement) async throws {
        #expect(await (try cache()).agreement(one, other) == agreement)
    }

    @Test func aSnapshotComesBack() async throws {
        let codec = RecordCodec(matcher: "fake", checksum: XXH3Checksum())
        let cache = try cache(FakeEncoding(Self.near))
        await learn(cache, "one", 1)
        await learn(cache, "怎么重置我的密码?", 2)
        let other = try self.cache(FakeEncoding(Self.near))
        for store in SemanticCache.Store.allCases {
            var bytes: [UInt8] = []
            #expect(
                cache.snapshot(store, codec) {
                    $0.withUnsafeBytes { bytes += $0 }; return true
                } == 1)
            var place = 0
            let restored = try other.restore(store, codec, isWelcome: { _, _ in true }) { target in
                let count = min(target.count, bytes.count - place)
                target.copyBytes(from: bytes[place..<place + count])
                place += count
                return count
            }
            #expect(restored.records == 1)
            #expect(restored.isWhole)
        }
        #expect(await match(other, "怎么重置我的密码").accepted.map(\.match.key) == [Self.key(2)])
        #expect(await match(other, "uno").candidates.map(\.match.key) == [Self.key(1)])
    }

    // MARK: Words of guards

    @Test func everyGuardHasAWordInTheMetrics() {
        for guardian in Guard.allCases { #expect(SemanticRefusal(rawValue: guardian.rawValue) != nil) }
    }
}
