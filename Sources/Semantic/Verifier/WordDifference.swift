/// Which words of two texts have no partner in the other one.
struct WordDifference {
    private let a: ComparedText
    private let b: ComparedText
    /// The word of `b` for each word of `a`, or -1.
    private var partner: [Int]
    private var taken: [Bool]
    private var typos = 0
    private var kin = 0

    init(_ a: ComparedText, _ b: ComparedText) {
        self.a = a
        self.b = b
        partner = Array(repeating: -1, count: a.words.count)
        taken = Array(repeating: false, count: b.words.count)
        pairEqual()
        pairAlike()
    }

    /// Equal words, in order where one stands more than once.
    private mutating func pairEqual() {
        var places: [UInt64: [Int]] = [:]
        for index in b.words.indices.reversed() { places[b.words[index].stem, default: []].append(index) }
        for index in a.words.indices {
            guard let place = places[a.words[index].stem]?.popLast() else { continue }
            partner[index] = place
            taken[place] = true
        }
    }

    /// Misspelled words and words of one family, among the few that are left.
    private mutating func pairAlike() {
        let left = b.words.indices.filter { !taken[$0] && b.words[$0].kind == .latin }.prefix(32)
        for index in a.words.indices.filter({ partner[$0] < 0 && a.words[$0].kind == .latin }).prefix(32) {
            let word = a.words[index]
            for other in left where !taken[other] {
                let likeness = Likeness(word.text, b.words[other].text)
                guard likeness != .none else { continue }
                // Two common words are two words, however alike.
                if likeness == .typo && word.weight < 1 && b.words[other].weight < 1 { continue }
                if likeness == .typo { typos += 1 } else { kin += 1 }
                partner[index] = other
                taken[other] = true
                break
            }
        }
    }

    func fill(_ features: inout PairFeatures) {
        let only = a.words.indices.filter { partner[$0] < 0 }.map { a.words[$0] }
        let onlyOther = b.words.indices.filter { !taken[$0] }.map { b.words[$0] }
        let shared = partner.indices.filter { partner[$0] >= 0 }
        let sharedWeight = shared.reduce(Float(0)) { $0 + a.words[$1].weight }
        let sums = [only, onlyOther].map { $0.reduce(Float(0)) { $0 + $1.weight } }.sorted()
        let largest = [only, onlyOther].map { $0.map(\.weight).max() ?? 0 }.sorted()
        let counts = [only, onlyOther].map { Float(min($0.count { $0.weight > 0.2 }, 20)) }.sorted()
        features[.onlyWeight] = min(sums[0], 20)
        features[.onlyWeightOther] = min(sums[1], 20)
        features[.onlyLargest] = largest[0]
        features[.onlyLargestOther] = largest[1]
        features[.onlyCount] = counts[0]
        features[.onlyCountOther] = counts[1]
        features[.sameWords] = only.isEmpty && onlyOther.isEmpty ? 1 : 0
        features[.sameContent] = counts[1] == 0 ? 1 : 0
        features[.wordJaccard] =
            Float(shared.count + 1) / Float(a.words.count + b.words.count - shared.count + 1)
        features[.weightedJaccard] = (sharedWeight + 0.1) / (sharedWeight + sums[0] + sums[1] + 0.1)
        let containments = [a.sumOfWeights, b.sumOfWeights].map { (sharedWeight + 0.1) / ($0 + 0.1) }.sorted()
        features[.containment] = min(containments[1], 1.5)
        features[.containmentOther] = min(containments[0], 1.5)
        features[.sharedWeight] = min(sharedWeight, 20)
        features[.typos] = Float(min(typos, 3))
        features[.kin] = Float(min(kin, 3))
        let heavy = shared.filter { a.words[$0].weight > 0.2 }.prefix(64)
        features[.orderKept] = 1 - PairFeatures.inversions(heavy.map { partner[$0] })
        features[.firstWord] = a.words.first?.stem == b.words.first?.stem ? 1 : 0
        features[.numbersOnly] = Float(min(3, (only + onlyOther).count { $0.kind == .number }))
        features[.sameButCourtesy] = a.isSameButCourtesy(b) ? 1 : 0
        fillSpan(&features)
    }

    /// What is left of both texts without what they begin and end with alike: of long texts it is what they differ in.
    private func fillSpan(_ features: inout PairFeatures) {
        let shorter = min(a.words.count, b.words.count)
        var front = 0
        while front < shorter && a.words[front].stem == b.words[front].stem { front += 1 }
        var back = 0
        while back < shorter - front
            && a.words[a.words.count - 1 - back].stem == b.words[b.words.count - 1 - back].stem
        { back += 1 }
        features[.prefixShare] = Float(front + back + 1) / Float(max(a.words.count, b.words.count) + 1)
        let spans = [a.words.count - front - back, b.words.count - front - back].sorted()
        features[.changedSpan] = Float(min(spans[0], 30))
        features[.changedSpanOther] = Float(min(spans[1], 30))
    }
}

/// Whether two different words may be one.
enum Likeness {
    case none, typo, kin

    init(_ a: [UInt8], _ b: [UInt8]) {
        let shorter = min(a.count, b.count)
        let longer = max(a.count, b.count)
        guard shorter >= 4 else {
            self = .none
            return
        }
        var front = 0
        while front < shorter && a[front] == b[front] { front += 1 }
        var back = 0
        while back < shorter - front && a[a.count - 1 - back] == b[b.count - 1 - back] { back += 1 }
        let isSwap =
            a.count == b.count && front + back + 2 == a.count && a[front] == b[front + 1] && a[front + 1] == b[front]
        // The first letter is seldom the wrong one.
        if front > 0, isSwap || (longer >= 5 && front + back + 1 >= longer && back > 0) {
            self = .typo
        } else if front >= 5 && front * 5 >= longer * 3 {
            self = .kin
        } else {
            self = .none
        }
    }
}
