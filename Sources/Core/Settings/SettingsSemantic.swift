extension Settings {
    /// Answers of requests that mean the same.
    package struct Semantic: Sendable, Equatable {
        package var mode = SemanticMode.off
        /// A model's folder; empty: texts are compared letter by letter.
        package var model = "~/.cache/refrain/models/all-MiniLM-L6-v2"
        package var maxError = Fraction(millionths: 10_000)
        /// Zero: the learned rule decides.
        package var threshold = Fraction(millionths: 0)
        package var endpoints = SemanticEndpoint.allCases
        package var neighbours = 8
        package var exploration = Fraction(millionths: 0)
        package var budget = Duration.milliseconds(30)
        package var threads = 1
        /// 0 bytes: an eighth of `memory.capacity`.
        package var capacity = ByteCount(bytes: 0)
        /// Empty: what is remembered ends with the process.
        package var snapshot = ""
        package var remote = RemoteEncoder()
        package var judge = AnswerJudge()
        package init() {}
    }

    /// A model that says whether two answers agree.
    package struct AnswerJudge: Sendable, Equatable {
        /// Empty: none is asked.
        package var model = ""
        /// Empty: that of the upstream.
        package var key = Secret("")
        package var perHour = 60
        package init() {}
    }

    package struct RemoteEncoder: Sendable, Equatable {
        /// nil: texts are encoded in this process.
        package var url: UpstreamURL?
        package var model = ""
        package var key = Secret("")
        package var deadline = Duration.milliseconds(250)
        package init() {}
    }

    package enum SemanticMode: String, Sendable, CaseIterable {
        /// Exact matches only.
        case off
        /// What would be served is compared with the real answers, and nothing is served.
        case shadow
        case serve
    }

    /// What of the answers in memory the questions may take, in bytes; 0 where meaning does not matter.
    package var semanticCapacity: Int {
        guard semantic.mode != .off else { return 0 }
        return semantic.capacity.bytes > 0 ? semantic.capacity.bytes : memory.capacity.bytes / 8
    }

    /// What is left of `memory.capacity` for answers, in bytes.
    package var answerCapacity: Int { memory.capacity.bytes - semanticCapacity }
}

/// The requests whose text may be matched by meaning.
package enum SemanticEndpoint: String, Sendable, CaseIterable {
    case chat, completions, responses, messages

    package init?(_ dialect: Dialect) { self.init(rawValue: Endpoint(dialect).rawValue) }
}

/// A number from 0 to 1, exact to the millionth.
package struct Fraction: Sendable, Equatable, Comparable, CustomStringConvertible {
    package let millionths: Int

    package init(millionths: Int) { self.millionths = millionths }

    /// Reads `0.01`, `.5` and the like; nil where it is no such number or has more than six digits behind the point.
    package init?(_ text: String) {
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        let whole = parts[0]
        let rest = parts.count > 1 ? parts[1] : ""
        guard !whole.isEmpty || !rest.isEmpty, whole.utf8.count <= 6, rest.utf8.count <= 6,
            (whole + rest).utf8.allSatisfy({ (48...57).contains($0) })
        else { return nil }
        let padded = rest + String(repeating: "0", count: 6 - rest.utf8.count)
        guard let ones = Int(whole.isEmpty ? "0" : whole), let millionths = Int(padded) else { return nil }
        self.init(millionths: ones * 1_000_000 + millionths)
        guard self.millionths <= 1_000_000 else { return nil }
    }

    package var value: Double { Double(millionths) / 1e6 }

    package static func < (a: Fraction, b: Fraction) -> Bool { a.millionths < b.millionths }

    package var description: String {
        let (whole, rest) = millionths.quotientAndRemainder(dividingBy: 1_000_000)
        guard rest > 0 else { return String(whole) }
        let digits = String(rest)
        let padded = String(repeating: "0", count: 6 - digits.count) + digits
        return "\(whole)." + padded.reversed().drop { $0 == "0" }.reversed()
    }
}
