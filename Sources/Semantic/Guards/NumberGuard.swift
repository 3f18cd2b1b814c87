/// Amounts, years, times and versions: what one text has and the other one lacks.
struct NumberGuard {
    private(set) var objections: [GuardObjection] = []
    private(set) var conflicts = 0
    private(set) var oneSided = 0
    private(set) var dateConflicts = 0
    private(set) var dateOneSided = 0
    private(set) var versionConflicts = 0

    init(_ comparison: Comparison) {
        for scope in comparison.scopes where objections.count < Guards.mostObjections {
            compare(
                comparison.new.quantities.filter { scope.new.overlaps($0.tokens) },
                comparison.old.quantities.filter { scope.old.overlaps($0.tokens) }, comparison,
                isDetail: comparison.isLong && !scope.new.isEmpty && !scope.old.isEmpty
                    && scope.new.count + scope.old.count <= Self.detail)
        }
    }

    /// A reworded sentence may have its number in another place.
    private func isElsewhere(_ quantity: Quantity, _ text: PreparedText) -> Bool {
        text.quantities.contains { $0.agrees(with: quantity) }
    }

    /// Tokens of a difference that is a single detail of two long texts.
    private static let detail = 8

    private mutating func compare(_ new: [Quantity], _ old: [Quantity], _ comparison: Comparison, isDetail: Bool) {
        var left = new
        var right: [Quantity] = []
        for quantity in old {
            if let match = left.firstIndex(where: { $0.agrees(with: quantity) && $0.isSure == quantity.isSure })
                ?? left.firstIndex(where: { $0.agrees(with: quantity) })
            {
                left.remove(at: match)
            } else {
                right.append(quantity)
            }
        }
        guard left.contains(where: \.isSure) || right.contains(where: \.isSure) else { return }
        let first = left.first(where: \.isSure) ?? left.first
        let second = right.first(where: \.isSure) ?? right.first
        if let first, let second {
            let isDate = first.kind == .year && second.kind == .year || first.kind == .clock || second.kind == .clock
            let isVersion = first.kind == .version || second.kind == .version
            let guardian: Guard = isVersion ? .version : isDate ? .date : .number
            if isVersion { versionConflicts += 1 } else if isDate { dateConflicts += 1 } else { conflicts += 1 }
            objections.append(
                GuardObjection(
                    guardian,
                    "\(comparison.new.spelled(first.tokens)) / \(comparison.old.spelled(second.tokens))"))
        } else if let only = first ?? second {
            if only.kind == .year { dateOneSided += 1 } else { oneSided += 1 }
            guard isDetail, !isElsewhere(only, first == nil ? comparison.new : comparison.old) else { return }
            objections.append(
                GuardObjection(
                    .number, first == nil ? comparison.old.spelled(only.tokens) : comparison.new.spelled(only.tokens)))
        }
    }
}
