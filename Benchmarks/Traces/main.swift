import Core
import Foundation
import Tiers

// Hit rates of the memory tier's policies on recorded traces, beside S3-FIFO and the optimum.
// Usage: TracesBench [data directory] [results file]

let arguments = CommandLine.arguments
let data = arguments.count > 1 ? arguments[1] : "../shared/data"
let results = arguments.count > 2 ? arguments[2] : "Benchmarks/Results/traces.jsonl"

/// Of the distinct keys of a trace, in hundredths.
let percents = [1, 5, 20]

struct Figure: Encodable {
    var date: String
    var commit: String
    var trace: String
    /// `entries`: all of one size. `bytes`: with the trace's sizes, the capacity being a share of all distinct bytes.
    var unit: String
    var percent: Int
    var capacity: Int
    var hitRate: [String: Double]
}

func currentCommit() -> String {
    let git = Process()
    let output = Pipe()
    git.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    git.arguments = ["git", "describe", "--always", "--dirty"]
    git.standardOutput = output
    guard (try? git.run()) != nil else { return "unknown" }
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    git.waitUntilExit()
    return text.isEmpty ? "unknown" : text.trimmingCharacters(in: .whitespacesAndNewlines)
}

func measure(_ trace: Trace, date: String, commit: String) -> [Figure] {
    let replay = Replay(trace)
    func figure(_ unit: String, _ percent: Int, _ capacity: Int, _ rates: [String: Double]) -> Figure {
        Figure(
            date: date, commit: commit, trace: trace.name, unit: unit, percent: percent, capacity: capacity,
            hitRate: rates.mapValues { ($0 * 10_000).rounded() / 10_000 })
    }
    var figures = percents.map { percent in
        let capacity = max(1, trace.distinct * percent / 100)
        var s3Fifo = S3Fifo(capacity: capacity)
        let s3Hits = trace.requests.count { s3Fifo.request($0) }
        let total = Double(max(1, trace.requests.count))
        return figure(
            "entries", percent, capacity,
            [
                "lru": replay.hitRate(.lru, entries: capacity),
                "tinylfu": replay.hitRate(.tinylfu, entries: capacity),
                "s3-fifo": Double(s3Hits) / total,
                "optimum": Double(optimalHits(trace.requests, capacity: capacity)) / total,
            ])
    }
    guard !trace.sizes.isEmpty else { return figures }
    let last = Dictionary(zip(trace.requests, trace.sizes), uniquingKeysWith: { _, last in last })
    let allBytes = last.values.reduce(0, +)
    figures += percents.map { percent in
        let capacity = allBytes * percent / 100
        return figure(
            "bytes", percent, capacity,
            [
                "lru": replay.hitRate(.lru, bytes: capacity), "tinylfu": replay.hitRate(.tinylfu, bytes: capacity),
            ])
    }
    return figures
}

func row(_ cells: [String]) -> String {
    zip(cells, [30, 8, 5, 11, 8, 8, 8, 8]).map { cell, width in
        cell + String(repeating: " ", count: max(1, width - cell.count))
    }.joined()
}

func append(_ figures: [Figure], to file: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    var lines = Data()
    for figure in figures { lines += try encoder.encode(figure) + Data("\n".utf8) }
    let url = URL(fileURLWithPath: file)
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    if !FileManager.default.fileExists(atPath: file) { try Data().write(to: url) }
    let handle = try FileHandle(forWritingTo: url)
    defer { try? handle.close() }
    try handle.seekToEnd()
    try handle.write(contentsOf: lines)
}

func run() throws -> Int32 {
    let traces = data + "/traces"
    let promptLog = data + "/prompts_zipf_dev.meta.jsonl"
    let files = ((try? FileManager.default.contentsOfDirectory(atPath: traces)) ?? []).sorted()
    let keyed = files.filter { $0.hasSuffix(".txt") }
    let hasLog = FileManager.default.fileExists(atPath: promptLog)
    guard hasLog || !keyed.isEmpty else {
        print("TracesBench: no traces in \(data); nothing measured. Give their directory as the first argument.")
        return 0
    }
    let date = Date().formatted(.iso8601)
    let commit = currentCommit()
    let columns = ["lru", "tinylfu", "s3-fifo", "optimum"]
    print(row(["trace", "unit", "%", "capacity"] + columns))
    var all: [Figure] = []
    var sources: [() throws -> Trace] = hasLog ? [{ try .promptLog("prompts_zipf_dev", in: promptLog) }] : []
    for file in keyed { sources.append { try .keyed(String(file.dropLast(4)), in: traces + "/" + file) } }
    for source in sources {
        for figure in measure(try source(), date: date, commit: commit) {
            let rates = columns.map { column in figure.hitRate[column].map { String(format: "%.4f", $0) } ?? "-" }
            print(row([figure.trace, figure.unit, "\(figure.percent)", "\(figure.capacity)"] + rates))
            all.append(figure)
        }
    }
    try append(all, to: results)
    print("Appended to \(results).")
    return 0
}

do {
    exit(try run())
} catch {
    FileHandle.standardError.write(Data("TracesBench: \((error as? TraceError)?.message ?? "\(error)")\n".utf8))
    exit(1)
}
