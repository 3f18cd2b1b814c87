/// Takes turns among several, as often as their weights say and as evenly as they allow.
///
/// nginx's smooth weighted round robin (Maxim Dounin, 2012): everybody who may be chosen gains its weight, the richest
/// is chosen and pays the sum. Weights 5, 1, 1 give a a b a c a a instead of a a a a a b c.
package struct WeightedChoice: Sendable {
    private var weights: [Int] = []
    private var credits: [Int] = []

    package init() {}

    /// Of a new one at the end, or of a known one.
    package mutating func set(weight: Int, at index: Int) {
        if index == weights.count {
            weights.append(weight)
            credits.append(0)
        } else {
            weights[index] = weight
            credits[index] = 0
        }
    }

    /// nil where nobody may be chosen. Where loads are given, only the least loaded of those that may be take turns.
    package mutating func choose(among mayBeChosen: [Bool], loads: [Double]? = nil) -> Int? {
        var least = Double.infinity
        if let loads {
            for index in weights.indices where mayBeChosen[index] { least = min(least, loads[index]) }
        }
        var best: Int?
        var sum = 0
        for index in weights.indices where mayBeChosen[index] {
            if let loads, loads[index] > least { continue }
            credits[index] += weights[index]
            sum += weights[index]
            if credits[index] > (best.map { credits[$0] } ?? Int.min) { best = index }
        }
        if let best { credits[best] -= sum }
        return best
    }
}
