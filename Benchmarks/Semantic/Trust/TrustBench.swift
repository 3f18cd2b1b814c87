import Core
import Dialects
import Foreign
import Semantic

/// What a cache with these parts would serve, and how much of it would be wrong.
@main
struct TrustBench {
    static func main() throws {
        let arguments = CommandLine.arguments
        switch arguments.count > 1 ? arguments[1] : "" {
        case "encode" where arguments.count == 3:
            try EncodedFile.write(try texts(Array(readLines())), model: arguments[2], to: .output)
        case "features" where arguments.count == 5: try corpus(arguments, judges: false).printFeatures()
        case "names" where arguments.count == 2:
            Console.write(PairFeatures.names.joined(separator: "\n") + "\n", to: .output)
        case "streams" where arguments.count == 5:
            let table = try TrustTable(try corpus(arguments, judges: true))
            table.run(try Stream.read(Array(readLines())))
        case "pairs" where arguments.count == 5:
            let table = try TrustTable(try corpus(arguments, judges: true))
            try table.judgePairs(Array(readLines()))
        default:
            Console.write(
                """
                usage: TrustBench encode MODEL < TEXTS > ENCODED           texts are JSON strings, one a line
                       TrustBench names                                  of the features
                       TrustBench features MODEL TEXTS ENCODED < PAIRS    pairs are two line numbers from 0
                       TrustBench streams MODEL TEXTS ENCODED < STREAMS   what policies would have served
                       TrustBench pairs MODEL TEXTS ENCODED < PAIRS       which pairs would be served; pairs as JSON

                """, to: .error)
            Console.exit(2)
        }
    }

    private static func corpus(_ arguments: [String], judges: Bool) throws -> Corpus {
        try Corpus(model: arguments[2], texts: try texts(lines(arguments[3])), encoded: arguments[4], judges: judges)
    }

    static func readLines() -> some Sequence<String> { sequence(state: ()) { _ in readLine() } }

    static func lines(_ path: String) throws -> [String] {
        String(decoding: try InputFile.read(path, limit: 1 << 30), as: UTF8.self).split(separator: "\n").map(
            String.init)
    }

    private static func texts(_ lines: [String]) throws -> [String] {
        try lines.map { try JSONValue.parse($0).text ?? "" }
    }
}
