import Core
import Dialects
import Foreign
import Matrix
import Semantic

/// Answers lines on standard input, so that another program can compare the encoder with a peer in one run.
///
/// usage: EncoderBench FOLDER [fp32|bf16]
/// - `ids TEXT` prints the ids of a JSON string, `long` where it does not fit;
/// - `vector ID ID …` prints the text's vector;
/// - `time COUNT ID ID …` encodes those tokens COUNT times and prints the nanoseconds of each;
/// - `memory` prints the resident kilobytes.
@main
struct EncoderBench {
    let encoder: Encoder
    let pass: BertPass
    let clock = SystemClock()

    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count >= 2 else {
            Console.write("usage: EncoderBench FOLDER [fp32|bf16]\n", to: .error)
            return
        }
        let precision = arguments.count > 2 ? MatrixPrecision(rawValue: arguments[2]) : nil
        let encoder = try Encoder(
            folder: ModelDirectory(path: arguments[1]), kernels: try DNNLKernels(precision: precision),
            checksum: XXH3Checksum())
        let bench = EncoderBench(encoder: encoder, pass: try encoder.makePass(tokens: encoder.window))
        HeapTrim.run()
        Console.write("ready \(encoder.precision.rawValue) \(encoder.window)\n", to: .output)
        while let line = readLine() { Console.write(try bench.answer(line) + "\n", to: .output) }
    }

    private func answer(_ line: String) throws -> String {
        guard let space = line.firstIndex(of: " ") else { return "\(ProcessUsage.residentBytes() / 1024)" }
        let rest = line[line.index(after: space)...]
        switch line[..<space] {
        case "ids":
            guard let tokens = encoder.tokenizer.tokenize(try JSONValue.parse(String(rest)).text ?? "") else {
                return "long"
            }
            return tokens.ids.map(String.init).joined(separator: " ")
        case "vector": return try encode(rest.split(separator: " ")).map { "\($0)" }.joined(separator: " ")
        default:
            let words = rest.split(separator: " ")
            var times: [String] = []
            for _ in 0..<(Int(words[0]) ?? 0) {
                let start = clock.monotonic()
                _ = try encode(words.dropFirst())
                times.append(String(clock.monotonic() - start))
            }
            return times.joined(separator: " ")
        }
    }

    private func encode(_ ids: some Sequence<Substring>) throws -> [Float] {
        let tokens = TokenizedText(ids: ids.compactMap { Int32($0) }, unknown: 0)
        return try encoder.encode([(tokens, false)], pass)[0].vector
    }
}
