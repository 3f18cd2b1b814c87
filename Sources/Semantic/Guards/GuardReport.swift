/// What a guard looks at. The words are what explain, the statistics and the metrics show.
package enum Guard: String, Sendable, CaseIterable {
    /// Amounts, counts and ordinals.
    case number
    /// What is counted, and what it is converted to.
    case unit
    /// Years, months, weekdays, times of day, relative days.
    case date
    case version
    /// One text denies what the other one asks.
    case negation
    /// Opposites: rise and fall, advantages and drawbacks.
    case antonym
    /// A to B against B to A.
    case direction
    /// Two members of one class: two cities, two programming languages.
    case entity
    /// Another question about the same: when for where, or for whether.
    case question
    /// Text between quotation marks.
    case quoted
    /// Identifiers, file names, flags, addresses, operators, and spelling where it is what is asked about.
    case code
    /// The language that is asked for, or the texts' own one.
    case language
    /// The form or the length that is asked for.
    case format
    /// What is to be done with the same material.
    case task
    /// One word that differs in long texts which are otherwise the same.
    case detail
    /// More text than the guards read.
    case size
}

/// A reason not to give the answer of one text to the other.
package struct GuardObjection: Sendable, Equatable {
    package var guardian: Guard
    /// What differs, for people: `5 / 7`. Holds words of the texts, so it is shown only where bodies may be.
    package var detail: String

    package init(_ guardian: Guard, _ detail: String) {
        self.guardian = guardian
        self.detail = detail
    }
}

/// The numbers that the guards hand to the learned verifier. Counts are cut at four and shares lie between zero and one.
package enum GuardSignal: Int, Sendable, CaseIterable {
    case numberConflict, numberOneSided, unitConflict, unitOneSided, dateConflict, dateOneSided, versionConflict
    case negationConflict, negationOneSided, antonymConflict, directionConflict
    /// Members of one class that exclude each other; then names that only one or both texts have.
    case entityConflict, entityOneSided, properConflict, properOneSided
    case quotedConflict, quotedOneSided, codeConflict, codeOneSided
    case languageConflict, languageOneSided, formatConflict, formatOneSided, taskConflict
    /// One word in the place of another with the same words around it, no typing error and no synonym.
    case substitutions
    /// Two words that changed places.
    case swaps
    /// Shared content words by all of them, then the unmatched share of each text, the new one first.
    case contentOverlap, unmatchedNew, unmatchedOld
    /// Unmatched content words of the text that has more of them.
    case unmatchedMost
    case typingErrors, synonyms
    /// Shared words that come in the same order.
    case orderAgreement
    /// Words in common, in order, by those of the longer text.
    case commonShare
    case lengthRatio
    /// One when the texts are long and mostly the same: they are judged by their difference.
    case isLong
    /// Shared content words within the difference alone; what `contentOverlap` says when the texts are short.
    case differenceOverlap
    /// Content words in the difference of the text that has more of them there.
    case differenceSize
    case objections
}

package struct GuardSignals: Sendable, Equatable {
    /// In the order of `GuardSignal.allCases`.
    package private(set) var values = [Float](repeating: 0, count: GuardSignal.allCases.count)

    package init() {}

    package subscript(signal: GuardSignal) -> Float {
        get { values[signal.rawValue] }
        set { values[signal.rawValue] = newValue }
    }
}

/// One place where two texts differ.
package struct TextDifference: Sendable, Equatable {
    /// Ranges of Unicode scalars, whole words; empty where a text has nothing in that place.
    package var new: Range<Int>
    package var old: Range<Int>
}

package struct GuardReport: Sendable, Equatable {
    /// Each of them is enough to refuse. No guard objects to a text beside itself.
    package var objections: [GuardObjection] = []
    package var signals = GuardSignals()
    /// Where the texts differ, in order, neighbours joined; empty when they do not.
    package var difference: [TextDifference] = []
    /// The texts are long and have much in common, so `difference` is what the judgement rests on.
    package var isJudgedByDifference = false

    package init() {}
}
