import Core
import Foreign
import Glibc
import TestKit
import Warmup

// How fast a log is read and counted, in how much memory, and how well the popular prompts are found.
//
// usage: WarmBench [MEGABYTES [FILE …]]     FILE: a log of one's own instead of the synthetic ones

let distinctPrompts = 1_000_000

/// Writes log lines whose popularity follows Zipf's law.
struct SyntheticLog {
    let prompts: Int
    private let table: AliasTable

    init(exponent: Double, prompts: Int) {
        self.prompts = prompts
        table = AliasTable((1...prompts).map { 1 / pow(Double($0), exponent) })
    }

    /// Gives chunks of the log until `bytes` are made, and counts each prompt.
    func write(bytes: Int, seed: UInt64, _ use: (UnsafeRawBufferPointer) -> Void) -> [UInt32] {
        var counts = [UInt32](repeating: 0, count: prompts)
        var random = SeededRandom(seed: seed)
        var chunk: [UInt8] = []
        var made = 0
        var line = 0
        while made < bytes {
            chunk.removeAll(keepingCapacity: true)
            while chunk.count < 256 << 10 {
                let prompt = table.draw(&random)
                counts[prompt] += 1
                line += 1
                SyntheticLog.append(prompt, line: line, variant: Int(truncatingIfNeeded: random.next() % 4), to: &chunk)
            }
            made += chunk.count
            chunk.withUnsafeBytes(use)
        }
        return counts
    }

    private static let filler = Array(
        String(repeating: "Answer in three sentences, name your sources, and say what you do not know. ", count: 6).utf8
    )

    /// A logged request of about 600 bytes; members in one of two orders, stream or not, each line with its own time.
    private static func append(_ prompt: Int, line: Int, variant: Int, to chunk: inout [UInt8]) {
        chunk += "{\"time\":\(1_700_000_000_000 + line),\"dialect\":\"chat\",\"outcome\":\"miss\",\"request\":{".utf8
        if variant & 1 == 0 { chunk += "\"model\":\"gpt-4o-mini\",".utf8 }
        chunk += "\"messages\":[{\"role\":\"user\",\"content\":\"Question \(prompt): ".utf8
        chunk += SyntheticLog.filler[..<(200 + prompt % 200)]
        chunk += "\"}]".utf8
        if variant & 1 == 1 { chunk += ",\"model\":\"gpt-4o-mini\"".utf8 }
        if variant & 2 == 2 { chunk += ",\"stream\":true".utf8 }
        chunk += "}}\n".utf8
    }

    /// The key of a prompt, made from a line of it.
    static func key(of prompt: Int) -> CacheKey? {
        var line: [UInt8] = []
        append(prompt, line: 0, variant: 0, to: &line)
        let counter = PromptCounter(options: .init(), digest: SystemDigest(secret: [1]))
        counter.begin(source: 0, canBeReadAgain: true)
        line.withUnsafeBytes { counter.feed($0) }
        counter.end()
        return counter.sketch.counters.first?.key
    }
}

/// Draws from a fixed distribution in constant time; Walker's alias method (1977) as Vose (1991) builds it.
struct AliasTable {
    private var share: [Double]
    private var alias: [Int]

    init(_ weights: [Double]) {
        let mean = weights.reduce(0, +) / Double(weights.count)
        share = weights.map { $0 / mean }
        alias = Array(weights.indices)
        var small = share.indices.filter { share[$0] < 1 }
        var large = share.indices.filter { share[$0] >= 1 }
        while let little = small.popLast(), let much = large.last {
            alias[little] = much
            share[much] -= 1 - share[little]
            if share[much] < 1 {
                large.removeLast()
                small.append(much)
            }
        }
    }

    func draw(_ random: inout SeededRandom) -> Int {
        let index = Int(random.next() % UInt64(share.count))
        return Double(random.next() >> 11) / Double(1 << 53) < share[index] ? index : alias[index]
    }
}

func rounded(_ value: Double, _ digits: Int) -> String {
    let scale = (0..<digits).reduce(1.0) { value, _ in value * 10 }
    return "\((value * scale).rounded() / scale)"
}

func measure(_ name: String, _ feed: (PromptCounter) -> Void) -> PromptCounter {
    let counter = PromptCounter(options: .init(), digest: SystemDigest(secret: [1]))
    let before = ProcessUsage.cpuSeconds()
    feed(counter)
    let seconds = ProcessUsage.cpuSeconds() - before
    print(
        "\(name): \(counter.totals.bytes >> 20) MiB, \(counter.totals.lines) lines, \(counter.unusable.total) unusable, "
            + "\(counter.sketch.insertions) insertions, \(rounded(Double(counter.totals.bytes) / 1e6 / seconds, 0)) MB/s, "
            + "resident \(ProcessUsage.residentBytes() >> 20) MiB")
    return counter
}

/// A log on disk, removed at the end.
func writeLog(_ log: SyntheticLog, bytes: Int, to path: String) -> [UInt32]? {
    guard let file = fopen(path, "w") else { return nil }
    defer { fclose(file) }
    return log.write(bytes: bytes, seed: 42) { fwrite($0.baseAddress, 1, $0.count, file) }
}

func read(_ path: String, into counter: PromptCounter) {
    do throws(InputFile.Unreadable) {
        let input = try LogFile(path)
        counter.begin(source: 0, canBeReadAgain: input.canBeReadAgain)
        while try input.next({ counter.feed($0) }) {}
        counter.end()
    } catch {
        print(error)
    }
}

/// Writes the log of an exponent and gives the counts of its prompts.
func made(_ exponent: Double, megabytes: Int, at path: String) -> [UInt32]? {
    writeLog(SyntheticLog(exponent: exponent, prompts: distinctPrompts), bytes: megabytes << 20, to: path)
}

func synthetic(exponent: Double, megabytes: Int) {
    let path = CommandLine.arguments[0] + ".log"
    defer { remove(path) }
    guard let counts = made(exponent, megabytes: megabytes, at: path) else { return print("\(path) cannot be written") }
    let base = ProcessUsage.residentBytes()
    let counter = measure("zipf \(exponent)") { read(path, into: $0) }
    print("  resident before counting: \(base >> 20) MiB")
    let found = Set(counter.sketch.ranked().prefix(1000).map(\.key))
    let ranked = counts.indices.sorted { counts[$0] > counts[$1] }
    // Whatever ties with the thousandth is as right as it.
    let least = counts[ranked[999]]
    let right = ranked.prefix { counts[$0] >= least }.compactMap(SyntheticLog.key).filter(found.contains).count
    print("  top-1000 recall \(rounded(min(1, Double(right) / 1000), 4)), exact: \(counter.sketch.isExact)")
}

let arguments = CommandLine.arguments.dropFirst()
if arguments.count > 1 {
    for path in arguments.dropFirst() { _ = measure(path) { read(path, into: $0) } }
} else {
    for exponent in [0.9, 1.1] { synthetic(exponent: exponent, megabytes: arguments.first.flatMap { Int($0) } ?? 1024) }
}
