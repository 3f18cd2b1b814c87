/// Explainable reasons not to answer one text with the answer of another: pure functions over bounded input, English
/// and Chinese.
package enum Guards {
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
        measure(comparison, &report.signals)
        report.signals[.objections] = count(report.objections.count)
        return report
    }

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
        signals[.commonShare] = comparison.longest == 0 ? 1 : Float(comparison.common) / Float(comparison.longest)
        signals[.isLong] = comparison.isLong ? 1 : 0
        let (short, long) = (min(newContent, oldContent), max(newContent, oldContent))
        signals[.lengthRatio] = long == 0 ? 1 : Float(short) / Float(long)
    }
}
