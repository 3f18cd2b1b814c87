import Core
import Foreign
import Glibc
import Synchronization
import TestKit
import Tiers

/// Times a hit of the Redis tier against a bare GET of the same value over a blocking socket, and counts hits a second
/// with 64 callers, which `redis-benchmark -t get -c 64` compares with.
///
///     swift run -c release RedisBench PORT [ROUNDS]
///
/// PORT is that of an empty Redis on this machine. Pin it and the benchmark to cores (`taskset`) for steady numbers.
@main struct RedisBench {
    static func main() async throws {
        let arguments = CommandLine.arguments
        let rounds = arguments.count > 2 ? Int(arguments[2]) ?? 0 : 20_000
        guard arguments.count > 1, let port = UInt16(arguments[1]), rounds > 0 else {
            print("RedisBench: give the port of a Redis on this machine, and perhaps a positive number of rounds")
            return
        }
        Signals.ignoreBrokenPipes()
        let clock = SystemClock()
        let log = RecordingLog()
        let loop = try EventLoop()
        let options = RedisOptions(url: try RedisURL("redis://127.0.0.1:\(port)"))
        let client = try RedisClient(loop: loop, options: options, clock: clock, random: SystemRandom(), log: log)
        let thread = try loop.startThread(named: "worker")
        loop.execute { client.open() }
        var tierOptions = RedisTier.Options()
        tierOptions.deadline = Duration64.nanosecondsPerSecond
        let codec = EntryCodec(compression: LZ4Compression(), checksum: XXH3Checksum(), limit: 1 << 24)
        let tier = RedisTier(
            store: RedisStore(clients: [client]), codec: codec, options: tierOptions, clock: clock, log: log)
        let worker = BenchWorker(loop: loop, tier: tier)
        let key = CacheKey(1, 2, 3, 4)
        let entry = answer(bytes: 1_500, now: clock.wall())
        await tier.store(entry, under: key)
        let size = try codec.encode(entry, under: key).count

        let bare = try BareRedis(port: port)
        let name = "refrain:v1:" + key.hex
        let bareTimes = try times(rounds) { try bare.get(name, size: size) }
        let tierTimes = await worker.times(rounds, key)
        print("value of \(size) bytes, \(rounds) rounds       p50      p99")
        print("bare GET, blocking socket        \(micros(bareTimes, 50)) µs   \(micros(bareTimes, 99)) µs")
        print("hit of the tier, on its loop     \(micros(tierTimes, 50)) µs   \(micros(tierTimes, 99)) µs")
        let start = clock.monotonic()
        let hits = await worker.hits(rounds * 10, callers: 64, key)
        let seconds = Double(clock.monotonic() - start) / 1e9
        print("64 callers on one connection     \(Int(Double(hits) / seconds)) hits/s")
        loop.execute { client.close() }
        loop.stop()
        thread.join()
    }

    /// Text that compresses about as answers do.
    private static func answer(bytes: Int, now: Int64) -> Entry {
        var random = SeededRandom(seed: 1)
        let words = (0..<200).map { _ in String(random.next() % 0xFFFFF, radix: 36) }
        var text = ""
        while text.utf8.count < bytes { text += words[Int(random.next() % 200)] + " " }
        let facts = Entry.Facts(createdAt: now, ttl: 600_000, dialect: .chat, origin: .whole)
        return Entry(facts: facts, whole: Bytes(text), stream: nil)
    }

    private static func times(_ rounds: Int, _ body: () throws -> Void) rethrows -> [Int64] {
        let clock = SystemClock()
        return try (0..<rounds).map { _ in
            let start = clock.monotonic()
            try body()
            return clock.monotonic() - start
        }
    }

    private static func micros(_ times: [Int64], _ percent: Int) -> Double {
        Double(times.sorted()[min(times.count - 1, times.count * percent / 100)] / 100) / 10
    }
}

/// A caller on a loop, as a worker is.
private actor BenchWorker {
    nonisolated let loop: EventLoop
    private let tier: RedisTier
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    init(loop: EventLoop, tier: RedisTier) {
        self.loop = loop
        self.tier = tier
    }

    func times(_ rounds: Int, _ key: CacheKey) async -> [Int64] {
        let clock = SystemClock()
        var times: [Int64] = []
        for _ in 0..<rounds {
            let start = clock.monotonic()
            guard await tier.find(key) != nil else { continue }
            times.append(clock.monotonic() - start)
        }
        return times
    }

    func hits(_ count: Int, callers: Int, _ key: CacheKey) async -> Int {
        await withTaskGroup(of: Int.self) { group in
            for _ in 0..<callers { group.addTask { await self.hits(count / callers, key) } }
            var total = 0
            for await hits in group { total += hits }
            return total
        }
    }

    private func hits(_ count: Int, _ key: CacheKey) async -> Int {
        var hits = 0
        for _ in 0..<count where await tier.find(key) != nil { hits += 1 }
        return hits
    }
}

/// The least that a GET can cost: one blocking socket, no codec.
private struct BareRedis {
    private let descriptor: CInt

    init(port: UInt16) throws {
        descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let descriptor = descriptor
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(
                    descriptor, __CONST_SOCKADDR_ARG(__sockaddr__: $0), socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else { throw Failure("no Redis listens on port \(port)") }
        var on: CInt = 1
        setsockopt(descriptor, CInt(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<CInt>.size))
    }

    func get(_ name: String, size: Int) throws {
        let command = Array("*2\r\n$3\r\nGET\r\n$\(name.utf8.count)\r\n\(name)\r\n".utf8)
        let expected = "$\(size)\r\n".utf8.count + size + 2
        guard send(descriptor, command, command.count, 0) == command.count else { throw Failure("send failed") }
        var buffer = [UInt8](repeating: 0, count: expected)
        var received = 0
        while received < expected {
            let count = recv(descriptor, &buffer, expected - received, 0)
            guard count > 0 else { throw Failure("recv failed") }
            received += count
        }
    }

    struct Failure: Error, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }
}
