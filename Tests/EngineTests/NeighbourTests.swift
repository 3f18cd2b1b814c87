import Core
import TestKit
import Testing
import Tiers

@testable import Engine

/// Answers of requests that mean the same: when they are served, and when they are not.
@Suite struct NeighbourTests {
    /// Texts are the same when they are without the word "please".
    private static func matcher() -> FakeMatcher {
        FakeMatcher { new, old in
            func plain(_ text: String) -> [Substring] { text.split(separator: " ").filter { $0 != "please" } }
            if plain(new) == plain(old) { return 0.95 }
            return plain(new).first == plain(old).first ? 0.8 : 0.1
        }
    }

    private static func scene(
        _ matcher: FakeMatcher, isServing: Bool = true, lower: FakeLower? = nil,
        upstream: FakeUpstream = FakeUpstream(),
        change: (inout Settings) -> Void = { _ in }
    ) -> Scene {
        Scene(
            upstream: upstream, lower: lower,
            meaning: Meaning(matcher: matcher, isServing: isServing, aliasBytes: 1 << 16), change: change)
    }

    private func settle(_ scene: Scene, _ text: String, answer: String = "yes") throws -> Client {
        let client = try scene.ask(text)
        scene.answer(answer)
        return client
    }

    @Test func aNeighboursAnswerIsServed() throws {
        let matcher = Self.matcher()
        let scene = Self.scene(matcher)
        let first = try settle(scene, "go home")
        let second = try scene.ask("please go home")
        #expect(scene.calls.count == 1)
        #expect(second.body == first.body)
        #expect(second.served?.outcome == .semantic(.memory))
        #expect(matcher.texts == ["go home"], "what was served by meaning is not remembered")
        scene.expectQuiet([first, second])
    }

    @Test func theSameWordingAgainIsNotComparedAgain() throws {
        let matcher = Self.matcher()
        let scene = Self.scene(matcher)
        _ = try settle(scene, "go home")
        for _ in 0..<3 { try scene.ask("please go home") }
        #expect(matcher.searches == 2)
        #expect(scene.calls.count == 1)
    }

    @Test(arguments: [
        ("x-refrain-semantic", "off"), ("Cache-Control", "no-cache"), ("x-refrain-semantic", "threshold=0.96"),
        ("x-refrain-namespace", "other"), ("Authorization", "Bearer two"), ("x-refrain-purpose", "warm"),
    ])
    func notServed(name: String, value: String) throws {
        let scene = Self.scene(Self.matcher())
        _ = try settle(scene, "go home")
        var headers = [(name, value)]
        if name != "Authorization" { headers.append(EngineRig.credential) }
        let other = try scene.ask("please go home", headers: headers)
        #expect(other.served == nil)
        #expect(scene.calls.count == 2)
        scene.answer("own")
        #expect(other.served?.outcome == .miss)
        // Before and after an alias was made, too.
        try scene.ask("please go home")
    }

    @Test func aLowThresholdIsForOneRequest() throws {
        let scene = Self.scene(Self.matcher())
        _ = try settle(scene, "go home")
        let lax = try scene.ask("go there", headers: [EngineRig.credential, ("x-refrain-semantic", "threshold=0.7")])
        #expect(lax.served?.outcome == .semantic(.memory))
        let strict = try scene.ask("go there")
        #expect(strict.served == nil)
        scene.answer("own")
        #expect(strict.served?.outcome == .miss)
    }

    @Test func aLowThresholdIsNotForThoseWhoWaitWithIt() throws {
        let scene = Self.scene(Self.matcher())
        let body = ModelRequest.body(.chat, "go there", form: .whole)
        func isShared(_ match: SemanticMatch, threshold: String? = nil) throws -> Bool {
            let header = threshold.map { [("x-refrain-semantic", "threshold=" + $0)] } ?? []
            return scene.rig.engine.suits(
                match, try scene.rig.admit(body, .chat, headers: [EngineRig.credential] + header))
        }
        var match = SemanticMatch(key: CacheKey(1, 2, 3, 4), similarity: 0.8, confidence: 0.8)
        #expect(try isShared(match))
        match.isByThreshold = true
        #expect(try !isShared(match))
        #expect(try isShared(match, threshold: "0.7"))
        #expect(try !isShared(match, threshold: "0.9"))
    }

    @Test func otherDialectsAndParametersAreOtherPartitions() throws {
        let matcher = Self.matcher()
        let scene = Self.scene(matcher)
        _ = try settle(scene, "go home")
        let other = try scene.ask("please go home", .messages)
        #expect(other.served == nil)
        scene.then { scene.calls[1].answer(.whole, [ModelAnswer.whole(.messages, "own")]) }
        #expect(other.served?.outcome == .miss)
        #expect(matcher.keys.count == 2)
    }

    @Test func whoeverWaitsForTheLeaderGetsItTooUnlessItSaysNo() throws {
        let matcher = Self.matcher()
        let scene = Self.scene(matcher)
        _ = try settle(scene, "go home")
        let clients = try [
            scene.start("please go home"), scene.start("please go home"),
            scene.start("please go home", headers: [EngineRig.credential, ("x-refrain-semantic", "off")]),
        ]
        scene.stage.run()
        #expect(clients[0].served?.outcome?.kind == .semantic)
        #expect(clients[1].served?.outcome?.kind == .semantic)
        #expect(clients[2].served == nil)
        scene.answer("own")
        #expect(clients[2].served?.outcome == .miss)
        scene.expectQuiet(clients)
    }

    @Test func aPurgeOfTheMatchedAnswerEndsIt() throws {
        let matcher = Self.matcher()
        let scene = Self.scene(matcher)
        _ = try settle(scene, "go home")
        try scene.ask("please go home")
        let key = try #require(matcher.keys.first)
        scene.rig.engine.purgeHere(.key(key))
        #expect(matcher.keys.isEmpty)
        let after = try scene.ask("please go home")
        #expect(after.served == nil)
        scene.answer("new")
        #expect(after.served?.outcome == .miss)
        #expect(matcher.texts == ["please go home"])
    }

    @Test(arguments: [PurgeGroup.everything, .model("m"), .namespace("")])
    func groupsThatArePurgedAreForgotten(group: PurgeGroup) throws {
        let matcher = Self.matcher()
        let scene = Self.scene(matcher)
        _ = try settle(scene, "go home")
        scene.rig.engine.purgeHere(group)
        #expect(matcher.keys.isEmpty)
    }

    @Test func anExpiredNeighbourIsForgotten() throws {
        let matcher = Self.matcher()
        let scene = Self.scene(matcher) { $0.cache.ttl = .seconds(60) }
        _ = try settle(scene, "go home")
        scene.advance(.seconds(61))
        let after = try scene.ask("please go home")
        #expect(after.served == nil)
        #expect(matcher.keys.isEmpty)
        scene.answer("new")
    }

    @Test func aNeighbourThatMemoryGaveUpIsFoundBelow() throws {
        let tier = FakeTier(.redis)
        let matcher = Self.matcher()
        let scene = Self.scene(matcher, lower: FakeLower([tier]))
        _ = try settle(scene, "go home")
        let key = try #require(matcher.keys.first)
        _ = scene.rig.memory.removeNow(key)
        let second = try scene.ask("please go home")
        #expect(second.served?.outcome == .semantic(.redis))
        #expect(scene.calls.count == 1)
    }

    /// A tier that fails says nothing about what it holds: the question is there when the tier is back.
    @Test(arguments: [false, true])
    func aTierThatFailsMakesNothingForgotten(isAlias: Bool) throws {
        let tier = FakeTier(.redis)
        let matcher = Self.matcher()
        let scene = Self.scene(matcher, lower: FakeLower([tier]))
        _ = try settle(scene, "go home")
        let key = try #require(matcher.keys.first)
        if isAlias { try scene.ask("please go home") }
        _ = scene.rig.memory.removeNow(key)
        tier.isFailing = true
        let wordings = ["please go home", "go please home"]
        for text in wordings { #expect(try scene.start(text).served == nil) }
        scene.stage.run()
        #expect(matcher.texts == ["go home"])
        #expect(scene.rig.count(.semanticLookups, "unreachable") == 2)
        #expect(scene.rig.count(.semanticLookups, "gone") == 0)
        for call in scene.calls.dropFirst() { scene.then { call.fail() } }
        tier.isFailing = false
        for text in wordings {
            #expect(try scene.ask(text).served?.outcome.map { $0.kind } == .semantic)
        }
        // Once it says that the answer is not there, the question goes.
        _ = scene.rig.memory.removeNow(key)
        tier[key] = nil
        let last = try scene.ask("go home please")
        #expect(last.served == nil && matcher.texts.isEmpty)
        #expect(scene.rig.count(.semanticLookups, "gone") == 1)
        scene.answer("own")
    }

    /// What memory has no room for is found below, once it is there; until then nobody says that it is gone.
    @Test func whatIsStillOnItsWayBelowIsNotGone() throws {
        let tier = FakeTier(.redis)
        let gate = Gate()
        tier.during = { verb, _ in if verb == .store { await gate.pass() } }
        let matcher = Self.matcher()
        let scene = Self.scene(matcher, lower: FakeLower([tier]))
        _ = try settle(scene, "go home")
        let key = try #require(matcher.keys.first)
        _ = scene.rig.memory.removeNow(key)
        #expect(try scene.ask("please go home").served == nil)
        #expect(matcher.keys == [key])
        gate.open()
        scene.stage.run()
        #expect(try scene.ask("go please home").served?.outcome == .semantic(.redis))
        scene.answer("own")
    }

    /// An answer that another sidecar kept before this one began is found by meaning from its first exact hit on.
    @Test(arguments: [TierName.redis, .objects], [[], [("Cache-Control", "only-if-cached")]] as [[(String, String)]])
    func whatIsFoundBelowIsAQuestionHereToo(name: TierName, control: [(String, String)]) throws {
        let tier = FakeTier(name)
        let matcher = Self.matcher()
        let scene = Self.scene(matcher, lower: FakeLower([tier]))
        tier[try scene.key("go home")] = try scene.entry("kept", for: "go home")
        let headers = [EngineRig.credential] + control
        #expect(try scene.ask("go home", headers: headers).served?.outcome == .hit(name))
        #expect(matcher.texts == ["go home"] && matcher.recalled == 1)
        #expect(try scene.ask("please go home").served?.outcome == .semantic(.memory))
        // From memory nothing is learnt, and what is known stays.
        try scene.ask("go home")
        _ = scene.rig.memory.removeNow(try scene.key("go home"))
        try scene.ask("go home")
        #expect(matcher.recalled == 1 && scene.calls.isEmpty)
        let off = [EngineRig.credential, ("x-refrain-semantic", "off")]
        tier[try scene.key("go there")] = try scene.entry("kept", for: "go there")
        try scene.ask("go there", headers: off)
        #expect(matcher.texts == ["go home"])
    }

    @Test func onlyIfCachedTakesANeighbour() throws {
        let scene = Self.scene(Self.matcher())
        _ = try settle(scene, "go home")
        let headers = [EngineRig.credential, ("Cache-Control", "only-if-cached")]
        #expect(try scene.ask("please go home", headers: headers).served?.outcome == .semantic(.memory))
        #expect(scene.calls.count == 1)
    }

    @Test func theOtherFormIsMade() throws {
        let scene = Self.scene(Self.matcher())
        _ = try settle(scene, "go home")
        let second = try scene.ask("please go home", form: .stream)
        #expect(second.served?.outcome == .semantic(.memory))
        #expect(second.body?.contains("data: [DONE]") == true)
    }

    @Test(arguments: [("yes", [true]), ("no", [false])])
    func inTheShadowAnswersAreCompared(answer: String, observed: [Bool]) throws {
        let matcher = Self.matcher()
        let scene = Self.scene(matcher, isServing: false, lower: FakeLower([]))
        _ = try settle(scene, "go home")
        let second = try settle(scene, "please go home", answer: answer)
        #expect(second.served?.outcome == .miss)
        #expect(scene.calls.count == 2)
        scene.stage.run()
        #expect(matcher.observed == observed)
        #expect(matcher.texts == (observed == [true] ? ["go home"] : ["go home", "please go home"]))
        scene.expectQuiet()
    }

    @Test func whatIsExploredIsComparedToo() throws {
        let matcher = Self.matcher()
        matcher.isExploring = true
        let scene = Self.scene(matcher, lower: FakeLower([]))
        _ = try settle(scene, "go home")
        let second = try settle(scene, "please go home")
        scene.stage.run()
        #expect(second.served?.outcome == .miss)
        #expect(matcher.observed == [true])
    }

    @Test func aThumbDownEndsIt() throws {
        let matcher = Self.matcher()
        let scene = Self.scene(matcher)
        _ = try settle(scene, "go home")
        let meaning = try #require(scene.rig.engine.meaning)
        let second = try scene.ask("please go home")
        let match = try #require(second.served?.match)
        let key = try scene.key("please go home")
        meaning.note(7, key, match)
        #expect(meaning.feedback(on: 8, isRight: false) == nil)
        #expect(meaning.feedback(on: 7, isRight: false)?.match == match)
        let third = try scene.ask("please go home")
        #expect(third.served == nil)
        scene.answer("own")
        #expect(third.served?.outcome == .miss)
    }

    /// Of one answer one word counts: the first, or a no after a yes.
    @Test(arguments: [
        ("yes yes yes", [true, false, false], [true], 0), ("no no", [true, false], [false], 0),
        ("yes no", [true, true], [true], 1), ("yes no no yes", [true, true, false, false], [true], 1),
        ("no yes", [true, false], [false], 0),
    ])
    func feedbackCountsOnce(said: String, counted: [Bool], observed: [Bool], withdrawn: Int) throws {
        let matcher = Self.matcher()
        let meaning = Meaning(matcher: matcher, isServing: true, aliasBytes: 1 << 16)
        let match = SemanticMatch(key: CacheKey(1, 1, 1, 1), similarity: 0.95, confidence: nil)
        for id: UInt64 in 1...2 { meaning.note(id, CacheKey(id, 2, 2, 2), match) }
        let words = said.split(separator: " ")
        #expect(try words.map { try #require(meaning.feedback(on: 1, isRight: $0 == "yes")).isCounted } == counted)
        #expect(matcher.observed == observed)
        #expect(matcher.withdrawn.count == withdrawn)
        // Another answer has a word of its own.
        #expect(meaning.feedback(on: 2, isRight: true)?.isCounted == true)
        #expect(matcher.observed == observed + [true])
    }

    // MARK: Wordings that were answered before

    private static let again = "please go home"

    /// One question and another wording of it, which was answered by meaning once.
    private func aliased(_ matcher: FakeMatcher) throws -> (scene: Scene, key: CacheKey, match: SemanticMatch) {
        let scene = Self.scene(matcher, lower: FakeLower([]))
        _ = try settle(scene, "go home")
        let match = try #require(try scene.ask(Self.again).served?.match)
        #expect(matcher.searches == 2)
        return (scene, try scene.key(Self.again), match)
    }

    @Test(arguments: ["yes", "no"]) func theyAreExploredToo(answer: String) throws {
        let matcher = Self.matcher()
        let scene = try aliased(matcher).scene
        matcher.isExploring = true
        let cached = [EngineRig.credential, ("Cache-Control", "only-if-cached")]
        #expect(try scene.ask(Self.again, headers: cached).served?.outcome == .semantic(.memory))
        let explored = try settle(scene, Self.again, answer: answer)
        scene.stage.run()
        #expect(explored.served?.outcome == .miss)
        #expect(matcher.searches == 2, "without another search")
        #expect(matcher.observed == [answer == "yes"])
        #expect(scene.rig.count(.semanticLookups, "compared") == 1)
        scene.expectQuiet()
    }

    @Test(arguments: SemanticWitness.allCases) func theyEndWhenAnybodySaysNo(witness: SemanticWitness) throws {
        let matcher = Self.matcher()
        let (scene, key, match) = try aliased(matcher)
        try #require(scene.rig.engine.meaning).observe(match, for: key, isRight: false, by: witness)
        let after = try scene.ask(Self.again)
        #expect(matcher.searches == 3)
        // Only a person's word ends the pair itself.
        #expect((after.served == nil) == (witness == .person))
        if after.served == nil { scene.answer("own") }
    }

    @Test(arguments: [(PurgeGroup.everything, false), (.model("m"), false), (.model("m"), true)])
    func theyEndWithTheAnswer(group: PurgeGroup, isKey: Bool) throws {
        let matcher = Self.matcher()
        let (scene, _, match) = try aliased(matcher)
        scene.rig.engine.purgeHere(isKey ? .key(match.key) : group)
        scene.advance(.milliseconds(5))
        // The same question has another answer now.
        _ = try settle(scene, "go home", answer: "no")
        let after = try scene.ask(Self.again)
        #expect(matcher.searches == 4, "it is compared anew")
        #expect(after.body?.contains("no") == true)
        try scene.ask(Self.again)
        #expect(matcher.searches == 4, "and not again")
    }

    @Test func theyEndWhenTheAnswerExpires() throws {
        let matcher = Self.matcher()
        let scene = Self.scene(matcher) { $0.cache.ttl = .seconds(60) }
        _ = try settle(scene, "go home")
        try scene.ask(Self.again)
        scene.advance(.seconds(61))
        let after = try scene.ask(Self.again)
        #expect(after.served == nil && scene.rig.engine.meaning?.aliasCount == 0)
        scene.answer("own")
    }

    @Test(arguments: [("off", 2), ("threshold=0.96", 3)]) func theyAreNotForThoseWhoAskForMore(
        value: String, searches: Int
    ) throws {
        let matcher = Self.matcher()
        let scene = try aliased(matcher).scene
        let strict = try scene.ask(Self.again, headers: [EngineRig.credential, ("x-refrain-semantic", value)])
        #expect(strict.served == nil)
        #expect(matcher.searches == searches)
        scene.answer("own")
        #expect(strict.served?.outcome == .miss)
    }

    @Test(arguments: [SemanticResult.late, .busy, .failed, .tooLong])
    func withoutAVectorTheModelIsAsked(result: SemanticResult) throws {
        let matcher = Self.matcher()
        matcher.failure = result
        let scene = Self.scene(matcher)
        _ = try settle(scene, "go home")
        let second = try settle(scene, "please go home", answer: "own")
        #expect(second.served?.outcome == .miss)
        #expect(matcher.texts.count == 2)
    }

    @Test func anExactHitAsksNobody() throws {
        let matcher = Self.matcher()
        let scene = Self.scene(matcher)
        _ = try settle(scene, "go home")
        try scene.ask("go home")
        #expect(matcher.searches == 1)
    }

    @Test func whatWasDoneAboutNearQuestionsIsKeptWhereItMayBe() throws {
        let matcher = Self.matcher()
        let scene = Self.scene(matcher, lower: FakeLower([]))
        let meaning = try #require(scene.rig.engine.meaning)
        _ = try settle(scene, "go home")
        try scene.ask("please go home")
        #expect(meaning.recentPairs.all == nil)
        meaning.recentPairs.keep(true)
        _ = try settle(scene, "go there")
        try scene.ask("go please home")
        matcher.isExploring = true
        _ = try settle(scene, "go home please", answer: "no")
        scene.stage.run()
        let pairs = try #require(meaning.recentPairs.all)
        #expect(pairs.map(\.text) == ["go home please", "go please home", "go there"])
        #expect(pairs.map(\.candidate.text) == ["go home", "go home", "go home"])
        #expect(pairs.map(\.lookup) == [.compared, .served, .rejected])
        #expect(pairs.map(\.verdict) == [RecentPairs.Verdict(witness: .comparison, isRight: false), nil, nil])
        scene.rig.engine.purgeHere(.model("m"))
        #expect(meaning.recentPairs.all == [])
    }
}

@Suite struct AliasTableTests {
    @Test func isBoundedAndKeepsWhatIsAskedFor() {
        let bytes = 64 << 10
        let table = AliasTable(bytes: bytes)
        let match = AliasTable.Alias(
            match: SemanticMatch(key: CacheKey(9, 9, 9, 9), similarity: 1, confidence: nil), createdAt: 1)
        for number: UInt64 in 0..<5_000 {
            table.insert(match, under: CacheKey(number, 0, 0, 0))
            #expect(table.find(CacheKey(0, 0, 0, 0)) == match)
            #expect(table.byteCount <= bytes)
        }
        #expect(table.find(CacheKey(1, 0, 0, 0)) == nil)
        #expect(table.count > 200, "no more room is left free than growing needs")
        table.remove(CacheKey(0, 0, 0, 0))
        #expect(table.find(CacheKey(0, 0, 0, 0)) == nil)
    }
}
