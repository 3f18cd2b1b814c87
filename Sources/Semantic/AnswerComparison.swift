import Core

/// Tells whether two answers to one question say the same, without asking anybody.
///
/// Models word an answer anew each time, so that equal text proves the same and other text proves nothing. What is
/// measured is the similarity of both texts, as questions are compared; what lies between the two marks is left open
/// rather than counted, since a wrong verdict would teach the wrong thing.
enum AnswerComparison {
    /// From here on two answers say the same, and up to there they do not.
    static let same = 0.9
    static let different = 0.7

    static func compare(
        _ one: String, _ other: String, read: (String) async -> Reading?
    ) async -> SemanticAgreement {
        if squeezed(one) == squeezed(other) { return .right }
        guard let a = await read(one), let b = await read(other), a.way == b.way else { return .unclear }
        let similarity = Double(zip(a.vector, b.vector).reduce(0) { $0 + $1.0 * $1.1 })
        if similarity < different { return .wrong }
        guard !a.text.compare(b.text).objections.isEmpty else {
            return similarity >= same ? .right : .unclear
        }
        // `42` and `43` are near each other. In a long answer it may be a detail that nobody asked about.
        return max(one.utf8.count, other.utf8.count) <= short ? .wrong : .unclear
    }

    /// Bytes of an answer that says one thing.
    private static let short = 160

    /// In lower case, without white space and punctuation.
    private static func squeezed(_ text: String) -> [UInt8] {
        text.lowercased().utf8.filter { $0 >= 0x80 || (48...57).contains($0) || (97...122).contains($0) }
    }
}
