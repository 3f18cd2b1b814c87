import Core
import Dialects
import Foreign
import Semantic

/// What a cache with these parts would serve, and how much of it would be wrong.
///
/// usage: TrustBench encode MODEL < TEXTS > ENCODED    texts are JSON strings, one a line
@main
struct TrustBench {
    static func main() throws {
        let arguments = CommandLine.arguments
        switch arguments.count > 1 ? arguments[1] : "" {
        case "encode" where arguments.count == 3:
            try EncodedFile.write(try lines(), model: arguments[2], to: .output)
        default:
            Console.write("usage: TrustBench encode MODEL < TEXTS > ENCODED\n", to: .error)
            Console.exit(2)
        }
    }

    private static func lines() throws -> [String] {
        var texts: [String] = []
        while let line = readLine() { texts.append(try JSONValue.parse(line).text ?? "") }
        return texts
    }
}
