import Semantic
import Testing

struct PairFeaturesTests {
    /// As the program printed them: coefficients are learned from these numbers, so a change of one asks for new ones.
    private static let recorded: [(a: String, b: String, features: String)] = [
        (
            "How do I reset my password?", "hello, how can I reset my pasword, please",
            """
            sameContent 1, wordJaccard 0.6, weightedJaccard 0.9216, containment 0.9792, containmentOther 0.94, \
            gramJaccard 0.4444, gramContainment 0.7692, onlyWeight 0.05, onlyWeightOther 0.15, onlyLargest 0.05, \
            onlyLargestOther 0.05, typos 1, orderKept 1, lengthRatio 0.6667, length 0.08, prefixShare 0.1111, \
            changedSpan 6, changedSpanOther 8, sharedWeight 2.25, contentOverlap 0.5, unmatchedNew 0.5, \
            unmatchedOld 0.5, unmatchedMost 1, orderAgreement 1, commonShare 0.5, lengthRatio 1, \
            differenceOverlap 0.4, differenceSize 3
            """
        ),
        (
            "怎么在微信上删除好友", "请问如何在微信里删除好友？谢谢",
            """
            wordJaccard 0.5714, weightedJaccard 0.8092, containment 0.9535, containmentOther 0.8425, \
            gramJaccard 0.2857, gramContainment 0.5455, onlyWeight 0.3, onlyWeightOther 1.15, onlyLargest 0.15, \
            onlyLargestOther 1, onlyCountOther 1, orderKept 1, lengthRatio 0.7333, length 0.11, hanShare 1, \
            prefixShare 0.0833, changedSpan 9, changedSpanOther 11, sharedWeight 6.05, contentOverlap 0.9091, \
            unmatchedOld 0.1667, unmatchedMost 1, orderAgreement 1, commonShare 0.4615, lengthRatio 0.8333, \
            differenceOverlap 1, differenceSize 4
            """
        ),
        (
            "Write a long poem about autumn in JSON", "Don't write a poem about autumn",
            """
            wordJaccard 0.5455, weightedJaccard 0.638, containment 0.8881, containmentOther 0.6938, \
            gramJaccard 0.5455, gramContainment 0.8, onlyWeight 0.4032, onlyWeightOther 1.4125, \
            onlyLargest 0.3532, onlyLargestOther 1, onlyCount 1, onlyCountOther 2, orderKept 1, \
            lengthRatio 0.8125, length 0.08, prefixShare 0.1111, changedSpan 7, changedSpanOther 8, \
            sharedWeight 3.1, negationConflict 1, negationOneSided 1, properOneSided 1, formatOneSided 2, \
            contentOverlap 0.75, unmatchedOld 0.4, unmatchedMost 2, orderAgreement 1, commonShare 0.625, \
            lengthRatio 0.6, differenceOverlap 0.75, differenceSize 4, objections 1
            """
        ),
        (
            "Please list 3 cities in Peru, thanks", "list 3 cities in Peru",
            """
            sameContent 1, wordJaccard 0.75, weightedJaccard 0.9741, containment 1, containmentOther 0.9741, \
            gramJaccard 0.6, gramContainment 1, onlyWeightOther 0.1, onlyLargestOther 0.05, orderKept 1, \
            lengthRatio 0.6, length 0.07, prefixShare 0.125, changedSpan 5, changedSpanOther 7, \
            sharedWeight 3.6683, sameButCourtesy 1, contentOverlap 1, orderAgreement 1, commonShare 0.7143, \
            lengthRatio 1, differenceSize 4
            """
        ),
    ]

    private func features(_ a: String, _ b: String) -> PairFeatures {
        let (new, old) = (VerifiedText(a), VerifiedText(b))
        let report = Guards.compare(new.prepared, old.prepared)
        return Verifier.features(new, old, cosine: nil, weights: nil, report: report).values
    }

    @Test(arguments: recorded)
    func `what is measured of a pair is what the coefficients were learned from`(
        a: String, b: String, expected: String
    ) throws {
        let found = zip(PairFeatures.names, features(a, b).values).filter { $1 != 0 }
        let listed = expected.split(separator: ", ").map { $0.split(separator: " ") }
        #expect(found.map(\.0) == listed.map { String($0[0]) })
        for ((name, value), entry) in zip(found, listed) {
            let recorded = try #require(Float(entry[1]))
            #expect(abs(value - recorded) < 1e-4, "\(name)")
        }
    }

    @Test(arguments: [
        ("Please help: what is a monad?", "what is a monad", true),
        ("Hi there! What is a monad? Thanks in advance.", "What is a monad", true),
        ("你好，怎么给扫描件加页码？谢谢", "怎么给扫描件加页码", true),
        ("What is a monad?", "What is a monoid?", false), ("thanks", "hello", false),
        ("translate 'hello' to French", "translate 'thanks' to French", false),
        ("用法语怎么说谢谢", "用法语怎么说你好", false), ("你好用法语怎么说", "谢谢用法语怎么说", false),
        ("What is -5 + 3", "what is 5 + 3, please", false), ("请翻译这句话", "请问：请翻译这句话", true),
        ("dogs chase cats", "cats chase dogs", false), ("猫追狗", "狗追猫", false),
    ])
    func `courtesies are all that differs`(a: String, b: String, isSame: Bool) {
        #expect((features(a, b)[.sameButCourtesy] == 1) == isSame)
        #expect((features(b, a)[.sameButCourtesy] == 1) == isSame)
    }
}
