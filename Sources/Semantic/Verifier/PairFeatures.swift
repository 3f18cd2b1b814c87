/// What is measured of a new text and a remembered one. None depends on which of the two is the new one.
package struct PairFeatures: Sendable, Equatable {
    /// In the order of `names`.
    package private(set) var values: [Float]

    /// What is measured here, and then what the guards measure.
    package static let names = Name.allCases.map { "\($0)" } + GuardSignal.allCases.map { "\($0)" }

    package enum Name: Int, CaseIterable, Sendable {
        // Of the words.
        case sameWords, sameContent, wordJaccard, weightedJaccard, containment, containmentOther, gramJaccard
        case gramContainment, onlyWeight, onlyWeightOther, onlyLargest, onlyLargestOther, onlyCount, onlyCountOther
        case typos, kin, orderKept, firstWord, lengthRatio, length, hanShare, questionsDiffer, prefixShare, numbersOnly
        case changedSpan, changedSpanOther, sharedWeight, sameButCourtesy
        // Of the encoder's vectors.
        case cosine, meanLow, meanHigh, plainLow, worst, worstSecond, worstCost, worstCostSecond, costLow, costHigh
        case differing, differingMean, differingWorst, sameMean, sameWorst, inversions, first, mutual
        case unknownShare
    }

    package subscript(name: Name) -> Float {
        get { values[name.rawValue] }
        set { values[name.rawValue] = newValue }
    }

    package init(_ a: ComparedText, _ b: ComparedText, guards: GuardSignals) {
        values = Array(repeating: 0, count: Name.allCases.count)
        values += Self.symmetric(guards)
        WordDifference(a, b).fill(&self)
        let grams = Self.overlap(a.grams, b.grams)
        self[.gramJaccard] = grams.jaccard
        self[.gramContainment] = grams.containment
        self[.lengthRatio] = Float(min(a.length, b.length) + 1) / Float(max(a.length, b.length) + 1)
        self[.length] = Float(min(max(a.words.count, b.words.count), 100)) / 100
        self[.hanShare] = max(a.hanShare, b.hanShare)
        self[.questionsDiffer] = Float(a.questions.symmetricDifference(b.questions).count)
    }

    /// Which text is the new one must not matter: the shares of both are put in order.
    private static func symmetric(_ guards: GuardSignals) -> [Float] {
        var guards = guards
        let shares = [guards[.unmatchedNew], guards[.unmatchedOld]].sorted()
        guards[.unmatchedNew] = shares[0]
        guards[.unmatchedOld] = shares[1]
        return guards.values
    }

    /// - Parameters: sorted, each once.
    static func overlap(_ a: [UInt32], _ b: [UInt32]) -> (jaccard: Float, containment: Float) {
        var shared = 0
        var i = 0
        var j = 0
        while i < a.count && j < b.count {
            if a[i] == b[j] {
                shared += 1
                i += 1
                j += 1
            } else if a[i] < b[j] {
                i += 1
            } else {
                j += 1
            }
        }
        return (
            Float(shared) / Float(max(1, a.count + b.count - shared)),
            Float(shared) / Float(max(1, min(a.count, b.count)))
        )
    }

    /// Adds what the encoder's vectors say.
    package mutating func add(
        cosine: Float, _ a: TokenSequence, _ b: TokenSequence, weights: TokenWeights, unknownShare: Float
    ) {
        self[.cosine] = cosine
        self[.unknownShare] = unknownShare
        let alignment = TokenAlignment(a, b, weights: weights)
        self[.first] = alignment.first
        let sides = [alignment.a, alignment.b]
        let means = sides.map { mean($0.best, $0.weights) }
        self[.meanLow] = min(means[0], means[1])
        self[.meanHigh] = max(means[0], means[1])
        self[.plainLow] = sides.map { side in mean(side.best, side.weights.map { _ in 1 }) }.min() ?? 0
        let content = sides.flatMap { side in side.best.indices.filter { side.weights[$0] >= 0.3 }.map { side.best[$0] }
        }
        .sorted()
        self[.worst] = content.first ?? 1
        self[.worstSecond] = content.dropFirst().first ?? 1
        let costs = sides.map { side in zip(side.best, side.weights).map { (1 - $0) * $1 } }
        let sorted = (costs[0] + costs[1]).sorted(by: >)
        self[.worstCost] = sorted.first ?? 0
        self[.worstCostSecond] = sorted.dropFirst().first ?? 0
        let sums = costs.map { $0.reduce(0, +) }
        self[.costLow] = min(sums[0], sums[1])
        self[.costHigh] = max(sums[0], sums[1])
        fillDifference(sides)
        self[.inversions] = inversions(alignment)
    }

    private mutating func fillDifference(_ sides: [TokenAlignment.Side]) {
        var differing: [Float] = []
        var same: [Float] = []
        for side in sides {
            for token in side.ids.indices where side.weights[token] >= 0.3 {
                if let similarity = side.same[token] {
                    same.append(similarity)
                } else {
                    differing.append(side.best[token])
                }
            }
        }
        self[.differing] = Float(min(differing.count, 20))
        self[.differingMean] = differing.isEmpty ? 1 : differing.reduce(0, +) / Float(differing.count)
        self[.differingWorst] = differing.min() ?? 1
        self[.sameMean] = same.isEmpty ? 0.5 : same.reduce(0, +) / Float(same.count)
        self[.sameWorst] = same.min() ?? 0.5
    }

    private func mean(_ values: [Float], _ weights: [Float]) -> Float {
        var sum: Float = 0
        var total: Float = 0.001
        for (value, weight) in zip(values, weights) {
            sum += value * weight
            total += weight
        }
        return sum / total
    }

    /// The share of pairs of matched tokens whose order differs between the texts.
    private mutating func inversions(_ alignment: TokenAlignment) -> Float {
        let a = alignment.a
        let b = alignment.b
        let mutual = a.ids.indices.filter { a.weights[$0] >= 0.3 && a.match[$0] >= 0 && b.match[a.match[$0]] == $0 }
        let heavy = a.weights.count { $0 >= 0.3 } + b.weights.count { $0 >= 0.3 }
        self[.mutual] = heavy > 0 ? Float(2 * mutual.count) / Float(heavy) : 1
        return Self.inversions(mutual.map { a.match[$0] })
    }

    static func inversions(_ order: [Int]) -> Float {
        guard order.count > 1 else { return 0 }
        var inverted = 0
        for i in order.indices {
            for j in i + 1..<order.count where order[i] > order[j] { inverted += 1 }
        }
        return Float(inverted) / Float(order.count * (order.count - 1) / 2)
    }
}
