/// A text as a point without any model: its runs of characters, hashed into a few hundred numbers (Weinberger et al.,
/// "Feature Hashing for Large Scale Multitask Learning", 2009). The cosine of two is the likeness of their spelling.
///
/// Case, the width of full-width forms, punctuation and the amount of white space make no difference to it, so two texts
/// of cosine 1 are not the same text. Nothing else is normalised: text that is composed otherwise is unlike, which costs
/// a match and never makes a wrong one.
package enum LexicalSketch {
    /// Numbers in a vector. With 8192 of them the streams that it was chosen on give the same rates.
    package static let width = 512
    /// Names how vectors are made; others do not compare with them.
    package static let identity = "lexical-1"
    /// Characters of a text: half a text is another text.
    package static let longest = 16_384

    /// A vector of length one; nil where the text is too long, or has no letter and no digit.
    package static func vector(of text: String) -> [Float]? {
        // A character takes four bytes at most.
        guard text.utf8.count <= longest * 4 else { return nil }
        var runs = LexicalRuns()
        for scalar in text.unicodeScalars { runs.append(scalar) }
        runs.finish()
        guard runs.scalars.count > 1, runs.scalars.count <= longest else { return nil }
        return folded(features(runs))
    }

    /// Hashes of what stands in the text: what is there twice is there twice.
    private struct Features {
        var major: [UInt64] = []
        /// Of what most sentences hold and few differ in.
        var minor: [UInt64] = []

        mutating func add(_ hash: UInt64, isMinor: Bool) {
            if isMinor { minor.append(hash) } else { major.append(hash) }
        }
    }

    private static func features(_ runs: LexicalRuns) -> Features {
        var all = Features()
        all.major.reserveCapacity(runs.scalars.count * 4)
        var start = 0
        while start < runs.scalars.count {
            let isDense = runs.isDense[start]
            var end = start + 1
            while end < runs.scalars.count, runs.isDense[end] == isDense { end += 1 }
            for length in isDense ? 1...2 : 2...4 {
                for place in start..<max(start, end - length + 1) { add(runs, place..<place + length, to: &all) }
            }
            // The place where scripts meet is a run too.
            if end < runs.scalars.count { add(runs, end - 1..<end + 1, to: &all) }
            start = end
        }
        addWords(runs, to: &all)
        return all
    }

    private static func add(_ runs: LexicalRuns, _ range: Range<Int>, to all: inout Features) {
        let isMinor = runs.isMinor[range].allSatisfy { $0 }
        all.add(hash(runs.scalars[range], seed: Feature.run), isMinor: isMinor)
    }

    /// Words, and each with the one before: runs of characters know little of the order in a sentence. Twice: a word
    /// counts for more than the runs in it.
    private static func addWords(_ runs: LexicalRuns, to all: inout Features) {
        var before: (hash: UInt64, isMinor: Bool) = (Feature.word, true)
        for word in runs.words {
            let own = hash(runs.scalars[word], seed: Feature.word)
            let isMinor = runs.isMinor[word.lowerBound]
            let pair = mix(before.hash &* 31 &+ own ^ Feature.pair)
            for _ in 0..<2 {
                all.add(own, isMinor: isMinor)
                all.add(pair, isMinor: isMinor && before.isMinor)
            }
            before = (own, isMinor)
        }
    }

    private enum Feature {
        static let run: UInt64 = 0x9E37_79B9_7F4A_7C15
        static let word: UInt64 = 0x1656_67B1_9E37_79F9
        static let pair: UInt64 = 0x27D4_EB2F_1656_67C5
    }

    /// What a minor feature counts beside a major one, under the root.
    private static let minorWeight: Float = 0.1

    private static func folded(_ features: Features) -> [Float] {
        var vector = [Float](repeating: 0, count: width)
        fold(features.major, weight: 1, into: &vector)
        fold(features.minor, weight: minorWeight, into: &vector)
        VectorMath.normalize(&vector)
        return vector
    }

    /// Each feature adds the root of its count, with a sign of its own, to one of the numbers.
    private static func fold(_ features: [UInt64], weight: Float, into vector: inout [Float]) {
        let sorted = features.sorted()
        var start = 0
        while start < sorted.count {
            var end = start + 1
            while end < sorted.count, sorted[end] == sorted[start] { end += 1 }
            let value = (Float(end - start) * weight).squareRoot()
            vector[Int(sorted[start] % UInt64(width))] += sorted[start] >> 63 == 0 ? value : -value
            start = end
        }
    }

    private static func hash(_ scalars: ArraySlice<UInt32>, seed: UInt64) -> UInt64 {
        var value = seed
        for scalar in scalars { value = (value ^ UInt64(scalar)) &* 0x0000_0100_0000_01B3 }
        return mix(value)
    }

    /// SplitMix64's finish: every bit of the input reaches every bit of the output.
    private static func mix(_ value: UInt64) -> UInt64 {
        var mixed = value
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
