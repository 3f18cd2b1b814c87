import Dialects

/// Why coefficients cannot be used.
package struct VerifierFault: Error, Sendable, Equatable, CustomStringConvertible {
    package let description: String

    init(_ what: String) { description = "verifier coefficients: " + what }
}

/// Coefficients that were learned: boosted trees (Friedman, "Greedy function approximation", 2001) plus a linear part, and
/// a table from their sum to how often such pairs were right.
struct VerifierModel: Sendable {
    private struct Node {
        /// Of the features, or -1 in a leaf.
        var feature: Int
        var threshold: Float
        /// The node for values up to the threshold; the other one follows it.
        var below: Int
        /// In a leaf.
        var value: Float
    }

    private var nodes: [Node] = []
    /// The first node of each tree.
    private var roots: [Int] = []
    private var linear: [(feature: Int, weight: Float)] = []
    private var base: Float
    /// The first numbers of the vector that the encoder which was learned with makes of `Verifier.probe`; empty where no
    /// encoder took part.
    let probe: [Float]
    let calibration: Calibration
    /// What the pairs were and how the numbers came about, for people.
    let provenance: String

    /// More would not be judged within the time that a request has.
    private static let mostNodes = 65_536

    init(_ document: [UInt8], names: [String] = PairFeatures.names) throws(VerifierFault) {
        let json: JSONValue
        do { json = try document.withUnsafeBytes { bytes throws(JSONFault) in try JSONValue.parse(bytes) } } catch {
            throw VerifierFault("are no JSON")
        }
        guard json["format"]?.integer == 1 else { throw VerifierFault("are of another format than 1") }
        base = try Self.number(json["base"], "base")
        provenance = json["provenance"]?.text ?? ""
        probe = try (json["probe"]?.elements ?? []).map { value throws(VerifierFault) in
            try Self.number(value, "probe")
        }
        calibration = try Calibration(json["calibration"])
        let index = Dictionary(names.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        for member in json["linear"]?.object?.members ?? [] {
            guard let feature = index[member.name] else {
                throw VerifierFault("name a feature \(member.name) that is not measured")
            }
            linear.append((feature, try Self.number(member.value, member.name)))
        }
        let features = try (json["features"]?.elements ?? []).map { name throws(VerifierFault) in
            guard let text = name.text, let feature = index[text] else {
                throw VerifierFault("name a feature \(name.text ?? "?") that is not measured")
            }
            return feature
        }
        for tree in json["trees"]?.elements ?? [] { try add(tree, features) }
        guard !roots.isEmpty || !linear.isEmpty else { throw VerifierFault("hold neither trees nor weights") }
    }

    /// - Parameter tree: `[feature, threshold, below]` for each inner node, `[value]` for each leaf.
    private mutating func add(_ tree: JSONValue, _ features: [Int]) throws(VerifierFault) {
        let all = tree.elements ?? []
        let first = nodes.count
        guard !all.isEmpty, first + all.count <= Self.mostNodes else {
            throw VerifierFault("hold an empty or too large tree")
        }
        roots.append(first)
        for (place, entry) in all.enumerated() {
            let numbers = entry.elements ?? []
            if numbers.count == 1 {
                nodes.append(Node(feature: -1, threshold: 0, below: 0, value: try Self.number(numbers[0], "leaf")))
                continue
            }
            // A child comes after its parent, so that every way through a tree ends.
            guard numbers.count == 3, let feature = numbers[0].integer, features.indices.contains(feature),
                let below = numbers[2].integer, below > place, below + 1 < all.count
            else { throw VerifierFault("hold a node that leads nowhere") }
            nodes.append(
                Node(
                    feature: features[feature], threshold: try Self.number(numbers[1], "threshold"),
                    below: first + below, value: 0))
        }
    }

    static func number(_ value: JSONValue?, _ name: String) throws(VerifierFault) -> Float {
        guard case .number(let text)? = value, let number = Float(text), number.isFinite else {
            throw VerifierFault("lack a number for \(name)")
        }
        return number
    }

    /// The log of the odds that a pair is right, as learned; not yet calibrated.
    func score(_ features: [Float]) -> Float {
        var sum = base
        for (feature, weight) in linear { sum += features[feature] * weight }
        for root in roots {
            var node = root
            while nodes[node].feature >= 0 {
                node = nodes[node].below + (features[nodes[node].feature] <= nodes[node].threshold ? 0 : 1)
            }
            sum += nodes[node].value
        }
        return sum
    }
}

/// How often pairs of a score were right on texts that were not learned from.
struct Calibration: Sendable, Equatable {
    private struct Point: Equatable {
        var score: Float
        var probability: Float
        var lowerBound: Float
    }

    private var points: [Point] = []

    /// - Parameter json: `[score, probability, lower bound]`, each number at least as large as the one before it.
    init(_ json: JSONValue?) throws(VerifierFault) {
        for entry in json?.elements ?? [] {
            let numbers = try (entry.elements ?? []).map { value throws(VerifierFault) in
                try VerifierModel.number(value, "calibration")
            }
            guard numbers.count == 3 else { throw VerifierFault("lack a calibration of three numbers each") }
            let point = Point(score: numbers[0], probability: numbers[1], lowerBound: numbers[2])
            guard (0...1).contains(point.probability), (0...1).contains(point.lowerBound),
                point.lowerBound <= point.probability
            else { throw VerifierFault("hold a calibration outside 0 to 1") }
            if let last = points.last {
                guard last.score < point.score, last.probability <= point.probability,
                    last.lowerBound <= point.lowerBound
                else { throw VerifierFault("hold a calibration that falls") }
            }
            points.append(point)
        }
        guard points.count >= 2 else { throw VerifierFault("lack a calibration") }
    }

    /// Between two points a straight line, beyond them the outermost.
    func judge(_ score: Float) -> Judgement {
        guard let next = points.firstIndex(where: { $0.score > score }) else {
            // A score that is no number lies beyond every point, and is worth nothing.
            return score.isNaN ? .none : judgement(points[points.count - 1], score)
        }
        guard next > 0 else { return judgement(points[0], score) }
        let (low, high) = (points[next - 1], points[next])
        let share = (score - low.score) / (high.score - low.score)
        return Judgement(
            score: score, probability: Double(low.probability + share * (high.probability - low.probability)),
            lowerBound: Double(low.lowerBound + share * (high.lowerBound - low.lowerBound)))
    }

    private func judgement(_ point: Point, _ score: Float) -> Judgement {
        Judgement(score: score, probability: Double(point.probability), lowerBound: Double(point.lowerBound))
    }
}
