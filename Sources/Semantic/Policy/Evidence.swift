import Core

/// Whether a remembered answer would have been right for a text: from a comparison with a fresh answer, a judge or a
/// thumb up or down.
package struct Observation: Sendable, Equatable {
    /// The verifier's score of the pair.
    package var score: Float
    package var isRight: Bool

    package init(score: Float, isRight: Bool) {
        self.score = score
        self.isRight = isRight
    }
}

/// What was observed of one remembered answer, after vCache (Schroeder et al., 2025), whose entries each learn a threshold
/// of their own. Here an entry begins with what the verifier knows of all pairs, so that it can serve before anything
/// was observed, and observations move it from there.
package struct EntryEvidence: Sendable, Equatable {
    /// Older ones give way.
    package static let most = 32

    package private(set) var observations: [Observation] = []

    package init() {}

    package mutating func add(_ observation: Observation) {
        if observations.count == Self.most { observations.removeFirst() }
        observations.append(observation)
    }

    /// What was right at this score was wrong after all.
    package mutating func correct(score: Float) {
        let place = observations.lastIndex { $0.score == score && $0.isRight }
        if let place { observations[place].isRight = false } else { add(Observation(score: score, isRight: false)) }
    }

    /// Observations for and against a pair of this score. What was right at a lower score speaks for it, what was wrong at
    /// a higher one against it; across the other side an observation fades within a unit of score.
    func counts(at score: Float) -> (right: Double, wrong: Double) {
        var right = 0.0
        var wrong = 0.0
        for observation in observations {
            let distance = Double(observation.isRight ? observation.score - score : score - observation.score)
            let weight = distance <= 0 ? 1 : max(0, 1 - distance)
            if observation.isRight { right += weight } else { wrong += weight }
        }
        return (right, wrong)
    }
}

/// Whether the verifier errs more or less often than it says, over all entries.
package struct PooledEvidence: Sendable, Equatable {
    /// As many wrong answers as expected are taken as seen beforehand, so that a few observations move little.
    private static let prior = 3.0
    /// Beyond this many expected errors the past is halved, so that a change of traffic is noticed.
    private static let horizon = 200.0

    package private(set) var expected = 0.0
    package private(set) var wrong = 0.0

    package init() {}

    /// - Parameter probability: the verifier's, before evidence.
    package mutating func add(probability: Double, isRight: Bool) {
        expected += 1 - probability
        if !isRight { wrong += 1 }
        fade()
    }

    /// One that was added as right was wrong.
    package mutating func correct() {
        wrong += 1
        fade()
    }

    private mutating func fade() {
        if expected > Self.horizon || wrong > Self.horizon {
            expected /= 2
            wrong /= 2
        }
    }

    /// How many times as often as expected the verifier was wrong.
    package var factor: Double { (wrong + Self.prior) / (expected + Self.prior) }
}
