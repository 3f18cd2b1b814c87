/// One text denies and the other one does not.
struct NegationGuard {
    private(set) var objection: GuardObjection?
    /// A denial on one side alone, of whatever kind.
    private(set) var isOneSided = false

    init(_ comparison: Comparison) {
        for scope in comparison.scopes {
            let new = comparison.new.denials.filter { scope.new.contains($0.token) && $0.denial != .none }
            let old = comparison.old.denials.filter { scope.old.contains($0.token) && $0.denial != .none }
            let plainNew = new.count { $0.denial == .plain }
            let plainOld = old.count { $0.denial == .plain }
            if new.isEmpty != old.isEmpty || plainNew != plainOld { isOneSided = true }
            guard objection == nil else { continue }
            if plainNew > 0, old.isEmpty, let word = new.first(where: { $0.denial == .plain }) {
                objection = GuardObjection(
                    .negation, comparison.new.spelled(word.token..<(word.token + 1)) + " / ")
            } else if plainOld > 0, new.isEmpty, let word = old.first(where: { $0.denial == .plain }) {
                objection = GuardObjection(
                    .negation, " / " + comparison.old.spelled(word.token..<(word.token + 1)))
            }
        }
    }
}
