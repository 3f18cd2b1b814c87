import Core
import Foreign
import TestKit
import Tiers

/// Writes entries of `CrashScript` into a directory store until it is killed: `StoreWriter DIRECTORY SEED`.
@main struct StoreWriter {
    /// In nanoseconds, should nobody be left to kill it.
    private static let lifetime = 60 * Duration64.nanosecondsPerSecond
    /// Less than all entries of the script take, so that some are given up.
    private static let capacity: Int64 = 600_000

    struct WrongUse: Error, CustomStringConvertible {
        let description = "usage: StoreWriter DIRECTORY SEED"
    }

    static func main() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 3, let seed = UInt64(arguments[2]) else { throw WrongUse() }
        let clock = SystemClock()
        let loop = try EventLoop()
        let thread = try loop.startThread(named: "deadlines")
        let log = try LineLog(level: .warning, format: .text, clock: clock)
        let store = try DirectoryStore(
            path: arguments[1], options: DirectoryStore.Options(capacity: capacity), clock: clock,
            random: SystemRandom(), scheduler: LoopScheduler(loop: loop), log: log)
        let tier = ObjectTier(
            store: store, codec: EntryCodec(compression: LZ4Compression(), checksum: XXH3Checksum(), limit: 1 << 20),
            options: ObjectTier.Options(), clock: clock, log: log)
        let end = clock.monotonic() + lifetime
        await withTaskGroup(of: Void.self) { group in
            for writer: UInt64 in 0..<3 {
                group.addTask { @concurrent in
                    var random = SeededRandom(seed: seed &+ writer)
                    while clock.monotonic() < end { await step(tier, &random) }
                }
            }
        }
        loop.stop()
        thread.join()
    }

    private static func step(_ tier: ObjectTier, _ random: inout SeededRandom) async {
        let index = Int.random(in: 0..<CrashScript.keys, using: &random)
        if random.next() % 16 == 0 {
            await tier.remove(CrashScript.key(index))
        } else {
            await tier.store(CrashScript.entry(index, version: random.next() >> 8), under: CrashScript.key(index))
        }
    }
}
