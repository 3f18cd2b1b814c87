/// Explainable reasons not to answer one text with the answer of another: pure functions over bounded input, English
/// and Chinese.
package enum Guards {
    /// Reads the word lists, some ten milliseconds of work; called at start, no request has to wait for it.
    package static func load() { _ = GuardLexicon.shared }

    package static func compare(_ new: String, _ old: String) -> GuardReport {
        compare(PreparedText(new), PreparedText(old))
    }

    /// `new` is the text that asks, `old` the one that is remembered.
    package static func compare(_ new: PreparedText, _ old: PreparedText) -> GuardReport {
        var report = GuardReport()
        guard !new.isOversized, !old.isOversized else {
            if new.text != old.text { report.objections = [GuardObjection(.size, "too long to compare")] }
            report.signals[.objections] = Float(report.objections.count)
            return report
        }
        let comparison = Comparison(new, old)
        report.isJudgedByDifference = comparison.isLong
        report.difference = difference(comparison)
        apply(NumberGuard(comparison), &report)
        apply(NegationGuard(comparison), &report)
        apply(ContrastGuard(comparison), &report)
        apply(DirectionGuard(comparison), &report)
        apply(WordingGuard(comparison), &report)
        report.objections += SpellingGuard(comparison).objections
        report.objections += FrameGuard(comparison).objections
        if let objection = NameGuard(comparison).objection { report.objections.append(objection) }
        report.objections += MarkGuard(comparison).objections
        measure(comparison, &report.signals)
        report.signals[.objections] = count(report.objections.count)
        return report
    }

    /// Words compared with words, for tests: it grows with the length of the texts, not with its square.
    package static func steps(_ new: String, _ old: String) -> Int {
        Comparison(PreparedText(new), PreparedText(old)).steps
    }

    /// More reasons than that of one kind say nothing more.
    static let mostObjections = 8

    private static func apply(_ numbers: NumberGuard, _ report: inout GuardReport) {
        report.objections += numbers.objections
        report.signals[.numberConflict] = count(numbers.conflicts)
        report.signals[.numberOneSided] = count(numbers.oneSided)
        report.signals[.dateConflict] = count(numbers.dateConflicts)
        report.signals[.dateOneSided] = count(numbers.dateOneSided)
        report.signals[.versionConflict] = count(numbers.versionConflicts)
    }

    private static func apply(_ negation: NegationGuard, _ report: inout GuardReport) {
        if let objection = negation.objection { report.objections.append(objection) }
        report.signals[.negationConflict] = negation.objection == nil ? 0 : 1
        report.signals[.negationOneSided] = negation.isOneSided ? 1 : 0
    }

    private static func apply(_ contrasts: ContrastGuard, _ report: inout GuardReport) {
        report.objections += contrasts.objections
        func add(_ signal: GuardSignal, _ found: [Guard: Int], _ guardian: Guard) {
            report.signals[signal] = min(4, report.signals[signal] + count(found[guardian] ?? 0))
        }
        add(.numberConflict, contrasts.conflicts, .number)
        add(.unitConflict, contrasts.conflicts, .unit)
        add(.unitOneSided, contrasts.oneSided, .unit)
        add(.dateConflict, contrasts.conflicts, .date)
        add(.dateOneSided, contrasts.oneSided, .date)
        add(.entityConflict, contrasts.conflicts, .entity)
        add(.entityOneSided, contrasts.oneSided, .entity)
        add(.languageConflict, contrasts.conflicts, .language)
        add(.languageOneSided, contrasts.oneSided, .language)
        add(.formatConflict, contrasts.conflicts, .format)
        add(.formatOneSided, contrasts.oneSided, .format)
        add(.taskConflict, contrasts.conflicts, .task)
        add(.antonymConflict, contrasts.conflicts, .antonym)
    }

    private static func apply(_ direction: DirectionGuard, _ report: inout GuardReport) {
        if let objection = direction.objection { report.objections.append(objection) }
        report.signals[.directionConflict] = direction.objection == nil ? 0 : 1
        report.signals[.swaps] = count(direction.swaps)
    }

    private static func apply(_ wording: WordingGuard, _ report: inout GuardReport) {
        report.objections += wording.objections
        report.signals[.codeConflict] = wording.codeConflict ? 1 : 0
        report.signals[.codeOneSided] = wording.codeOneSided ? 1 : 0
        report.signals[.quotedConflict] = wording.quotedConflict ? 1 : 0
        report.signals[.quotedOneSided] = wording.quotedOneSided ? 1 : 0
        if wording.languageConflict { report.signals[.languageConflict] += 1 }
        report.signals[.properConflict] = count(wording.properConflict)
        report.signals[.properOneSided] = count(wording.properOneSided)
        report.signals[.substitutions] = count(wording.substitutions)
        if wording.taskConflict { report.signals[.taskConflict] += 1 }
    }

    /// Beyond four one more makes no difference.
    static func count(_ value: Int) -> Float { Float(min(value, 4)) }

    private static func difference(_ comparison: Comparison) -> [TextDifference] {
        func scalars(_ range: Range<Int>, _ text: PreparedText) -> Range<Int> {
            guard let first = range.first, let last = range.last else {
                let at =
                    range.lowerBound < text.tokens.count ? Int(text.tokens[range.lowerBound].lower) : text.scalars.count
                return at..<at
            }
            let lower = Int(text.tokens[first].lower)
            return lower..<max(lower, Int(text.tokens[last].upper))
        }
        return comparison.joinedHunks.map {
            TextDifference(new: scalars($0.new, comparison.new), old: scalars($0.old, comparison.old))
        }
    }

    private static func measure(_ comparison: Comparison, _ signals: inout GuardSignals) {
        let newContent = comparison.new.isContent.count { $0 }
        let oldContent = comparison.old.isContent.count { $0 }
        let newUnmatched = comparison.newUnmatched.count { $0 }
        let oldUnmatched = comparison.oldUnmatched.count { $0 }
        let total = newContent + oldContent
        signals[.contentOverlap] = total == 0 ? 1 : Float(total - newUnmatched - oldUnmatched) / Float(total)
        signals[.unmatchedNew] = newContent == 0 ? 0 : Float(newUnmatched) / Float(newContent)
        signals[.unmatchedOld] = oldContent == 0 ? 0 : Float(oldUnmatched) / Float(oldContent)
        signals[.unmatchedMost] = count(max(newUnmatched, oldUnmatched))
        signals[.typingErrors] = count(comparison.typingErrors)
        signals[.synonyms] = count(comparison.synonyms)
        signals[.orderAgreement] =
            comparison.sharedWords == 0 ? 1 : min(1, Float(comparison.common) / Float(comparison.sharedWords))
        signals[.commonShare] = comparison.longest == 0 ? 1 : Float(comparison.common) / Float(comparison.longest)
        signals[.differenceSize] = count(max(comparison.differenceNew, comparison.differenceOld))
        let differing = comparison.differenceNew + comparison.differenceOld
        signals[.differenceOverlap] =
            differing == 0 ? 1 : min(1, Float(2 * comparison.differenceShared) / Float(differing))
        signals[.isLong] = comparison.isLong ? 1 : 0
        let (short, long) = (min(newContent, oldContent), max(newContent, oldContent))
        signals[.lengthRatio] = long == 0 ? 1 : Float(short) / Float(long)
    }
}
