import Core
import Dialects
import Foreign
import Semantic

/// Replays streams under several policies and prints what each would have served, a JSON document a line.
final class TrustTable {
    let corpus: Corpus
    let verifier: Verifier
    private var judged: [Pair: (judgement: Judgement, report: GuardReport)] = [:]

    private struct Pair: Hashable {
        var new: Int
        var old: Int
    }

    /// Neighbours that are looked at.
    private static let candidates = 3
    private static let steps = 80

    init(_ corpus: Corpus) throws {
        self.corpus = corpus
        verifier = try Verifier()
    }

    func run(_ streams: [Stream]) {
        for stream in streams {
            let near = stream.neighbours { corpus.cosine($0, $1) ?? -1 }
            let alike = stream.neighbours { corpus.texts[$0].likeness(corpus.texts[$1]) }
            sweep(stream, "cosine") { text, kept in
                Self.first(near[text] ?? [], kept, 1).map { ($0.text, $0.similarity) }.first
            }
            sweep(stream, "n-grams") { text, kept in
                Self.first(alike[text] ?? [], kept, 1).map { ($0.text, $0.similarity) }.first
            }
            let isReadable = Dictionary(
                stream.prompts.map { ($0.text, corpus.isReadable($0.text)) }, uniquingKeysWith: { first, _ in first })
            sweep(stream, "verifier") { text, kept in
                let found = Self.first((isReadable[text] == true ? near : alike)[text] ?? [], kept, Self.candidates)
                return found.map { ($0.text, judge(text, $0.text).score) }.max { $0.1 < $1.1 }
            }
            fixed(stream, near, alike, isReadable)
        }
    }

    private static func first(
        _ all: [(text: Int, similarity: Float)], _ kept: [Int: Int], _ count: Int
    ) -> [(text: Int, similarity: Float)] {
        var found: [(text: Int, similarity: Float)] = []
        for neighbour in all where kept[neighbour.text] != nil {
            found.append(neighbour)
            if found.count == count { break }
        }
        return found
    }

    /// Where a guard objects the score is the least.
    private func judge(_ new: Int, _ old: Int) -> Judgement {
        let known = look(new, old)
        return known.report.objections.isEmpty ? known.judgement : .none
    }

    private func look(_ new: Int, _ old: Int) -> (judgement: Judgement, report: GuardReport) {
        if let known = judged[Pair(new: new, old: old)] { return known }
        let report = corpus.report(new, old)
        let readable = corpus.isReadable(new) && corpus.isReadable(old)
        let judgement = verifier.judge(
            corpus.texts[new], corpus.texts[old], cosine: readable ? corpus.cosine(new, old) : nil,
            weights: corpus.weights, report: report)
        judged[Pair(new: new, old: old)] = (judgement, report)
        return (judgement, report)
    }

    /// The same policy at many thresholds, so that the best one of a limit can be read off.
    private func sweep(
        _ stream: Stream, _ policy: String, _ best: (_ text: Int, _ kept: [Int: Int]) -> (Int, Float)?
    ) {
        var scores: [Float] = []
        _ = stream.replay { text, kept, _ in
            if let found = best(text, kept), found.1.isFinite { scores.append(found.1) }
            return .keep
        }
        scores.sort()
        guard !scores.isEmpty else { return }
        for step in 0..<Self.steps {
            let rank = 0.02 + 0.98 * Double(step) / Double(Self.steps - 1)
            let threshold = scores[min(scores.count - 1, Int(Double(scores.count) * rank))]
            let tallies = stream.replay { text, kept, _ in
                guard let found = best(text, kept), found.1 >= threshold else { return .keep }
                return .serve(found.0)
            }
            report(stream, policy, "\(threshold)", tallies)
        }
    }

    private func report(_ stream: Stream, _ policy: String, _ setting: String, _ tallies: [Tally]) {
        for (name, tally) in zip(stream.counted, tallies) {
            Console.write(
                "{\"stream\":\"\(name)\",\"policy\":\"\(policy)\",\"setting\":\"\(setting)\",\"requests\":\(tally.requests),"
                    + "\"exact\":\(tally.exact),\"hits\":\(tally.hits),\"wrong\":\(tally.wrong),"
                    + "\"classes\":\(tally.classes.count)}\n", to: .output)
        }
    }
}

extension TrustTable {
    /// Policies with the settings that they come with.
    private func fixed(
        _ stream: Stream, _ near: [Int: [(text: Int, similarity: Float)]],
        _ alike: [Int: [(text: Int, similarity: Float)]], _ isReadable: [Int: Bool]
    ) {
        let policy = SemanticPolicy()
        report(
            stream, "defaults", "1 % of hits",
            stream.replay { text, kept, _ in
                let found = Self.first((isReadable[text] == true ? near : alike)[text] ?? [], kept, Self.candidates)
                let best = found.compactMap { neighbour -> (Int, Double)? in
                    let (judgement, report) = look(text, neighbour.text)
                    let decision = policy.decide(
                        judgement, similarity: Double(neighbour.similarity), report: report, chance: 1)
                    guard case .serve(let confidence) = decision else { return nil }
                    return (neighbour.text, confidence)
                }.max { $0.1 < $1.1 }
                return best.map { .serve($0.0) } ?? .keep
            })
        report(
            stream, "gptcache", "0.8",
            stream.replay { text, kept, _ in
                guard let found = Self.first(near[text] ?? [], kept, 1).first, found.similarity >= 0.8 else {
                    return .keep
                }
                return .serve(found.text)
            })
        for share in [0.01, 0.02] {
            var vcache = VCachePolicy(share: share)
            var chance = SplitMix(state: 1)
            report(
                stream, "vcache", "\(share)",
                stream.replay { text, kept, answer in
                    guard let found = Self.first(near[text] ?? [], kept, 1).first else { return .keep }
                    let similarity = Double(found.similarity)
                    if vcache.serves(found.text, similarity: similarity, chance: chance.next()) {
                        return .serve(found.text)
                    }
                    let isRight = kept[found.text] == answer
                    vcache.learn(found.text, similarity: similarity, isRight: isRight)
                    return isRight ? .pass : .keep
                })
        }
    }

    /// Judges labelled pairs, `[a, b]` as JSON: whether a cache that remembers the first would answer the second.
    func judgePairs(_ lines: [String]) throws {
        let policy = SemanticPolicy()
        for line in lines {
            let numbers = (try JSONValue.parse(line).elements ?? []).compactMap(\.integer)
            guard numbers.count == 2 else { continue }
            let (judgement, report) = look(numbers[1], numbers[0])
            let decision = policy.decide(judgement, similarity: 0, report: report, chance: 1)
            var isServed = false
            if case .serve = decision { isServed = true }
            let guardian = report.objections.first?.guardian.rawValue ?? ""
            Console.write(
                "{\"served\":\(isServed),\"score\":\(max(-1000, judgement.score)),\"guard\":\"\(guardian)\"}\n",
                to: .output)
        }
    }
}

/// Steele et al., "Fast splittable pseudorandom number generators", 2014.
private struct SplitMix {
    private var state: UInt64

    init(state: UInt64) { self.state = state }

    /// From 0 up to 1.
    mutating func next() -> Double {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return Double((mixed ^ (mixed >> 31)) >> 11) / 9_007_199_254_740_992
    }
}
