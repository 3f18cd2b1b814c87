import Foundation
import Semantic

/// What the guards say about labelled pairs: a file of lines with `a`, `b`, `same`, `lang`, `source` and `kind`.
///
///     GuardsBench ../shared/data/pairs_dev.jsonl [--show KIND] [--time]
@main struct GuardsBench {
    struct Pair: Decodable {
        var a: String
        var b: String
        var same: Bool
        var source: String
        var lang: String
        var kind: String
    }

    static func main() throws {
        let arguments = CommandLine.arguments.dropFirst()
        guard let path = arguments.first, let data = FileManager.default.contents(atPath: path) else {
            print("usage: GuardsBench PAIRS.jsonl [--show SOURCE/KIND/missed|refused] [--time]: no file of pairs there")
            exit(2)
        }
        let decoder = JSONDecoder()
        let pairs = try data.split(separator: 0x0A).map { try decoder.decode(Pair.self, from: Data($0)) }
        if arguments.contains("--time") { return time(pairs) }
        var rows: [String: Tally] = [:]
        let shown = arguments.firstIndex(of: "--show").map { arguments[$0 + 1] }
        for pair in pairs {
            let report = Guards.compare(pair.a, pair.b)
            let refused = !report.objections.isEmpty
            let name = "\(pair.lang) \(pair.same ? "same     " : "different") \(pair.source)/\(pair.kind)"
            rows[name, default: Tally()].add(report)
            if let shown, "\(pair.source)/\(pair.kind)/\(refused ? "refused" : "missed")".contains(shown) {
                let why = report.objections.map { "\($0.guardian.rawValue)(\($0.detail))" }.joined(separator: " ")
                print("- \(pair.a.suffix(300))\n  \(pair.b.suffix(300))\n      \(why)")
            }
        }
        for (name, tally) in rows.sorted(by: { $0.key < $1.key }) {
            print(name.padding(toLength: 58, withPad: " ", startingAt: 0), tally)
        }
    }

    struct Tally: CustomStringConvertible {
        var count = 0
        var refused = 0
        var guards: [Guard: Int] = [:]

        mutating func add(_ report: GuardReport) {
            count += 1
            if !report.objections.isEmpty { refused += 1 }
            for guardian in Set(report.objections.map(\.guardian)) { guards[guardian, default: 0] += 1 }
        }

        var description: String {
            let share = Double(refused) / Double(max(count, 1))
            let which = guards.sorted { $0.value > $1.value }.map { "\($0.key.rawValue) \($0.value)" }
            return String(format: "%5d %6.1f %%  ", count, 100 * share) + which.joined(separator: ", ")
        }
    }

    /// Microseconds a comparison, by the length of the texts; reading the remembered text is not part of it.
    static func time(_ pairs: [Pair]) {
        let clock = ContinuousClock()
        let lists = clock.measure { Guards.load() }
        print(String(format: "word lists: %.1f ms, once", lists / .milliseconds(1)))
        for (name, range) in [("<= 200 bytes", 0...200), ("<= 1 kB", 201...1000), ("<= 3 kB", 1001...3000)] {
            let chosen = pairs.filter { range.contains($0.a.utf8.count) && range.contains($0.b.utf8.count) }.prefix(
                2000)
            let remembered = chosen.map { PreparedText($0.b) }
            var objections = 0
            let all = clock.measure {
                for (pair, old) in zip(chosen, remembered) {
                    objections += Guards.compare(PreparedText(pair.a), old).objections.count
                }
            }
            let prepared = chosen.map { PreparedText($0.a) }
            let compared = clock.measure {
                for (new, old) in zip(prepared, remembered) { objections += Guards.compare(new, old).objections.count }
            }
            let count = Double(max(chosen.count, 1))
            print(
                "\(name): \(chosen.count) pairs,", String(format: "%.1f us", all / .microseconds(1) / count),
                "with reading one text,", String(format: "%.1f us", compared / .microseconds(1) / count), "without",
                objections)
        }
    }
}
