import Core
import Foreign
import Foundation
import TestKit
import Tiers

/// A directory of its own for one test, gone afterwards, and a loop for the deadlines of stores on it.
final class DirectoryFixture: Sendable {
    let path: String
    let clock = ManualClock()
    let log = RecordingLog()
    private let loop: EventLoop
    private let thread: SystemThread

    init() throws {
        path = FileManager.default.temporaryDirectory.appending(path: "refrain-\(UUID().uuidString)").path
        loop = try EventLoop()
        thread = try loop.startThread(named: "deadlines")
    }

    deinit {
        loop.stop()
        thread.join()
        try? FileManager.default.removeItem(atPath: path)
    }

    /// Far enough for anything that a test does.
    var deadline: Int64 { clock.monotonic() + 60 * Duration64.nanosecondsPerSecond }

    func store(
        capacity: Int64 = 1 << 30, sync: Settings.ObjectSync = .none, at folder: String = ""
    ) async throws -> DirectoryStore {
        var options = DirectoryStore.Options(capacity: capacity)
        options.sync = sync
        let store = try DirectoryStore(
            path: path + folder, options: options, clock: clock, random: SystemRandom(),
            scheduler: LoopScheduler(loop: loop), log: log)
        try await store.stockTaken(deadline: deadline)
        return store
    }

    func tier(_ store: DirectoryStore) -> ObjectTier {
        var options = ObjectTier.Options()
        options.retainStale = 60_000
        options.deadline = 60 * Duration64.nanosecondsPerSecond
        let codec = EntryCodec(compression: LZ4Compression(), checksum: XXH3Checksum(), limit: 1 << 20)
        return ObjectTier(store: store, codec: codec, options: options, clock: clock, log: log)
    }

    /// Puts a file there as somebody else would.
    func place(_ name: String, _ text: String = "not ours") throws {
        let url = URL(fileURLWithPath: path).appending(path: name)
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
    }

    /// The files that are there, of anybody.
    func files() throws -> Set<String> {
        let all = try FileManager.default.subpathsOfDirectory(atPath: path)
        return Set(
            all.filter { name in
                var isFolder: ObjCBool = false
                return FileManager.default.fileExists(atPath: "\(path)/\(name)", isDirectory: &isFolder)
                    && !isFolder.boolValue
            })
    }

    static func name(_ text: String) -> ObjectName {
        // Tests name what can be named.
        ObjectName(text)!
    }

    static func entryName(_ number: UInt64) -> ObjectName {
        var random = SeededRandom(seed: number)
        return ObjectName(entry: CacheKey(random.next(), random.next(), random.next(), random.next()))
    }
}
