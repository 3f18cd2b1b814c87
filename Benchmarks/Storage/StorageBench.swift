import Core
import Foreign
import FoundationEssentials
import TestKit
import Tiers

/// Times what the lower tiers do with an answer: to bytes and back, and a find in the directory store.
///
///     swift run -c release StorageBench [ROUNDS]
///
/// The answers are English prose of this repository's documentation, whole and as a stream of one event a word. Run it
/// at the root of the repository.
@main struct StorageBench {
    private static let model = "gpt-4o-mini"

    static func main() async throws {
        let rounds = CommandLine.arguments.count > 1 ? Int(CommandLine.arguments[1]) ?? 0 : 20_000
        guard rounds > 0, let prose = try? String(contentsOfFile: "docs/architecture.md", encoding: .utf8) else {
            print("StorageBench: ROUNDS must be a positive number, and docs/architecture.md must be there")
            return
        }
        let plain = EntryCodec(compression: LZ4Compression(), checksum: XXH3Checksum(), limit: 1 << 24)
        let sealed = EntryCodec(
            compression: LZ4Compression(), checksum: XXH3Checksum(),
            sealing: try EntrySeal(keys: [SystemRandom.bytes(32)]), limit: 1 << 24)
        print("answer          bytes  encoded  ratio  encode ns  decode ns  sealed: encode ns  decode ns")
        for (name, entry) in answers(prose) {
            let size = Form.allCases.reduce(0) { $0 + (entry.content($1)?.count ?? 0) }
            let (bytes, encode, decode) = try measure(plain, entry, rounds: rounds / 10)
            let (_, sealedEncode, sealedDecode) = try measure(sealed, entry, rounds: rounds / 10)
            print(
                [
                    name.padded(12), size.padded(8), bytes.padded(8), ratio(size, bytes).padded(6), encode.padded(10),
                    decode.padded(10), sealedEncode.padded(18), sealedDecode.padded(10),
                ].joined(separator: " "))
        }
        try await measureDirectory(answers(prose)[0].entry, plain, rounds: rounds)
    }

    // MARK: Answers

    private static func answers(_ prose: String) -> [(name: String, entry: Entry)] {
        [1_000, 6_000].flatMap { count in
            let text = String(prose.prefix(count))
            return [("whole \(count)", entry(whole: whole(text))), ("stream \(count)", entry(stream: stream(text)))]
        }
    }

    private static func entry(whole: Bytes? = nil, stream: Bytes? = nil) -> Entry {
        let facts = Entry.Facts(
            createdAt: SystemClock().wall(), ttl: 3_600_000, dialect: .chat, origin: whole == nil ? .stream : .whole)
        return Entry(
            facts: facts, headers: [HeaderField("openai-model", model)], model: model, whole: whole, stream: stream)
    }

    private static func whole(_ text: String) -> Bytes {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("id", "chatcmpl-B9MHDbslfkBeAs8l4bebGdFOJ6PeG")
        writer.member("object", "chat.completion")
        writer.member("model", model)
        writer.member("content", text)
        writer.endObject()
        return Bytes(writer.bytes)
    }

    private static func stream(_ text: String) -> Bytes {
        var bytes: [UInt8] = []
        for word in text.split(separator: " ", omittingEmptySubsequences: false) {
            var writer = JSONWriter()
            writer.beginObject()
            writer.member("id", "chatcmpl-B9MHDbslfkBeAs8l4bebGdFOJ6PeG")
            writer.member("object", "chat.completion.chunk")
            writer.member("model", model)
            writer.member("content", word + " ")
            writer.endObject()
            bytes += Array("data: ".utf8) + writer.bytes + [10, 10]
        }
        return Bytes(bytes)
    }

    // MARK: Measuring

    private static func measure(
        _ codec: EntryCodec, _ entry: Entry, rounds: Int
    ) throws -> (bytes: Int, encode: Int64, decode: Int64) {
        let key = CacheKey(1, 2, 3, 4)
        let bytes = try codec.encode(entry, under: key)
        let encode = try best(rounds) { _ = try codec.encode(entry, under: key) }
        let decode = try best(rounds) { _ = try codec.decode(bytes, under: key) }
        return (bytes.count, encode, decode)
    }

    /// Nanoseconds of one round in the best of ten batches, so that a busy machine does not count.
    private static func best(_ rounds: Int, _ body: () throws -> Void) rethrows -> Int64 {
        let clock = SystemClock()
        var best = Int64.max
        for _ in 0..<10 {
            let start = clock.monotonic()
            for _ in 0..<max(1, rounds / 10) { try body() }
            best = min(best, (clock.monotonic() - start) / Int64(max(1, rounds / 10)))
        }
        return best
    }

    /// A caller on a loop of its own, as a worker is.
    private static func measureDirectory(_ entry: Entry, _ codec: EntryCodec, rounds: Int) async throws {
        let path = "\(FileManager.default.temporaryDirectory.path)/refrain-storage-\(SystemRandom().next())"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let clock = SystemClock()
        let loop = try EventLoop()
        let thread = try loop.startThread(named: "caller")
        let log = RecordingLog()
        let store = try DirectoryStore(
            path: path, options: DirectoryStore.Options(capacity: 1 << 30), clock: clock, random: SystemRandom(),
            scheduler: LoopScheduler(loop: loop), log: log)
        let tier = ObjectTier(store: store, codec: codec, options: ObjectTier.Options(), clock: clock, log: log)
        let caller = Caller(loop: loop)
        let keys = (0..<1_000).map { CacheKey(UInt64($0) &* 0x9E37_79B9_7F4A_7C15, 1, 2, 3) }
        let writes = try await caller.times(keys.count) { await tier.store(entry, under: keys[$0]) }
        let finds = try await caller.times(rounds) { _ = await tier.find(keys[$0 % keys.count]) }
        print("directory, one at a time: write \(words(writes)); find \(words(finds)), \(tier.statistics.hits) hits")
        store.close()
        loop.stop()
        thread.join()
    }

    private static func words(_ times: [Int64]) -> String {
        let sorted = times.sorted()
        func at(_ share: Double) -> Int64 { sorted[Int(Double(sorted.count - 1) * share)] / 1000 }
        return "p50 \(at(0.5)) µs, p99 \(at(0.99)) µs"
    }

    private static func ratio(_ size: Int, _ encoded: Int) -> String {
        let hundredths = size * 100 / encoded
        return "\(hundredths / 100).\(hundredths / 10 % 10)\(hundredths % 10)"
    }
}

/// Makes one call after the other on its loop.
private actor Caller {
    private let loop: EventLoop

    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    init(loop: EventLoop) { self.loop = loop }

    /// How long each call took, in nanoseconds.
    func times(_ count: Int, _ call: @Sendable (Int) async -> Void) async throws -> [Int64] {
        let clock = SystemClock()
        var times: [Int64] = []
        for index in 0..<count {
            let start = clock.monotonic()
            await call(index)
            times.append(clock.monotonic() - start)
        }
        return times
    }
}

extension CustomStringConvertible {
    fileprivate func padded(_ width: Int) -> String {
        let text = description
        return String(repeating: " ", count: max(0, width - text.count)) + text
    }
}
