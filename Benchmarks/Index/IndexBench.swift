import Core
import Dialects
import Foundation
import Neighbours
import Semantic

/// usage: IndexBench [scan | graph COUNT [VECTORS] | lexical FILE]
///
/// - `scan` looks through 10,000 vectors;
/// - `graph` finds the nearest of COUNT (200,000 without it), made up as families of questions or from a file that
///   `Benchmarks/Semantic/vectors.py` wrote, and says how often it is the nearest indeed;
/// - `lexical` replays streams of labelled questions (`stream_dev.jsonl` of the development data) with
///   `LexicalSketch` alone: the share of requests answered at the best threshold with at most 1 % and 2 % wrong.
@main
struct IndexBench {
    static func main() throws {
        let arguments = CommandLine.arguments.dropFirst()
        switch arguments.first {
        case "scan": VectorBench(count: 10_000).scan()
        case "graph":
            let bench = VectorBench(count: arguments.dropFirst().first.flatMap { Int($0) } ?? 200_000)
            guard let path = arguments.dropFirst(2).first else { return bench.graph() }
            guard let texts = TextVectors(path: path) else { return print("\(path) does not hold enough vectors") }
            bench.graph(of: texts)
        case "lexical" where arguments.count == 2:
            try LexicalBench(path: arguments[arguments.startIndex + 1]).run()
        default: print("usage: IndexBench [scan | graph COUNT [VECTORS] | lexical FILE]")
        }
    }
}

/// Milliseconds of something, once.
func milliseconds(_ work: () -> Void) -> Double {
    let elapsed = ContinuousClock().measure(work)
    return Double(elapsed.components.seconds) * 1e3 + Double(elapsed.components.attoseconds) / 1e15
}

extension [Double] {
    func quantile(_ share: Double) -> Double { sorted()[Int(Double(count - 1) * share)] }
}

func spelled(_ number: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", number) }
