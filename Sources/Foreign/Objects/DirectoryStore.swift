import Core
import Synchronization

/// Objects as files below one folder, which several processes may share.
///
/// A file is written beside its place and then renamed, so that readers, and whoever comes after a crash, find an old
/// object, a new one or none. Entries (`ObjectName.entryKey`) are bounded in bytes, and the one that was written or
/// found longest ago goes first; other objects and files that are none of ours are neither counted nor given up. Objects
/// that are no entries are few and cannot be had again, so they reach the disk before `put` returns, whatever `sync` is.
package final class DirectoryStore: ObjectStore {
    package struct Options: Sendable {
        /// How many bytes entries may take, each file counted in blocks of 4 KiB.
        package var capacity: Int64
        package var sync = Settings.ObjectSync.none
        package var readers = 4
        package var writers = 2
        /// How many calls may wait, for a reader and for a writer each.
        package var waiting = 1024

        package init(capacity: Int64) { self.capacity = capacity }
    }

    private let directory: Directory
    private let options: Options
    private let clock: any Clock
    private let random: any RandomSource
    private let readers: BlockingPool
    private let writers: BlockingPool
    private let caretaker: BlockingPool
    private let room: DirectoryRoom

    /// The folder is made where it is missing; one that cannot be used is refused at once. What it holds is counted in
    /// the background, and temporary files that a crash left are removed.
    ///
    /// - Parameter scheduler: keeps the deadlines; not on a thread that may block.
    package init(
        path: String, options: Options, clock: any Clock, random: any RandomSource, scheduler: any Scheduler,
        log: any Log
    ) throws(ObjectFailure) {
        let directory = try Directory(path: path)
        func pool(_ name: String, _ threads: Int) throws(ObjectFailure) -> BlockingPool {
            do throws(LoopError) {
                return try BlockingPool(
                    name: name, threads: threads, waiting: options.waiting, scheduler: scheduler, clock: clock)
            } catch {
                throw ObjectFailure(.unavailable, error.description)
            }
        }
        self.directory = directory
        self.options = options
        self.clock = clock
        self.random = random
        readers = try pool("objects-read", options.readers)
        writers = try pool("objects-write", options.writers)
        caretaker = try pool("objects-count", 1)
        let room = DirectoryRoom(directory: directory, capacity: options.capacity)
        self.room = room
        caretaker.post { room.takeStock(log) }
    }

    package var statistics: DirectoryStatistics { room.statistics }

    /// Waits until what the directory held at the start is counted.
    package func stockTaken(deadline: Int64) async throws(ObjectFailure) {
        try await caretaker.run(deadline: deadline) { () throws(ObjectFailure) in }
    }

    /// Ends the threads when what they do is done; calls that wait or come later fail as `shutdown`.
    package func close() {
        for pool in [readers, writers, caretaker] { pool.close() }
    }

    // MARK: ObjectStore

    /// An object that was not found for so long is marked as found; more often would cost a write with every hit.
    private static let touchInterval: Int64 = 3_600_000

    package func get(_ name: ObjectName, limit: Int, deadline: Int64) async throws(ObjectFailure) -> Bytes? {
        try await readers.run(deadline: deadline) { [directory, clock] () throws(ObjectFailure) in
            try directory.read(name.text, limit: limit) { modifiedAt in
                let now = clock.wall()
                return now - modifiedAt >= DirectoryStore.touchInterval ? now : nil
            }
        }
    }

    package func put(_ name: ObjectName, _ content: Bytes, deadline: Int64) async throws(ObjectFailure) {
        let temporary = TemporaryName.make(random)
        let isEntry = name.entryKey != nil
        let sync = isEntry ? options.sync : .full
        try await writers.run(deadline: deadline) { [directory, room, clock] () throws(ObjectFailure) in
            if isEntry { try room.makeRoom(for: content.count) }
            let prepared = try directory.prepare(
                name.text, content, temporary: temporary, modifiedAt: clock.wall(), isSynced: sync != .none)
            try room.commit(prepared, as: name, size: content.count, isSynced: sync == .full)
        }
    }

    @discardableResult
    package func delete(_ name: ObjectName, deadline: Int64) async throws(ObjectFailure) -> Bool {
        try await writers.run(deadline: deadline) { [room] () throws(ObjectFailure) in try room.remove(name) }
    }

    package static let longestPage = 1000

    package func list(
        prefix: String, continuation: String?, limit: Int, deadline: Int64
    ) async throws(ObjectFailure) -> ObjectPage {
        let after = continuation.flatMap { ObjectName($0) }
        guard continuation == nil || after != nil else {
            throw ObjectFailure(.malformed, "this is no continuation of a list")
        }
        let limit = max(1, min(limit, DirectoryStore.longestPage))
        return try await readers.run(deadline: deadline) { [directory, clock] () throws(ObjectFailure) in
            let folder = prefix.lastIndex(of: "/").map { String(prefix[...$0]) } ?? ""
            // A prefix that is not the beginning of any name finds nothing.
            guard folder.isEmpty || ObjectName(String(folder.dropLast())) != nil else {
                return ObjectPage(items: [], next: nil)
            }
            var page = ObjectPage(items: [], next: nil)
            var isLate = false
            let walk = DirectoryWalk(directory: directory) { name, status in
                isLate = clock.monotonic() > deadline
                guard !isLate, name.text.hasPrefix(prefix) else { return isLate ? .stop : .goOn }
                guard page.items.count < limit else {
                    page.next = page.items.last?.name.text
                    return .stop
                }
                page.items.append(
                    ObjectPage.Item(name: name, size: status.size, modifiedAt: status.modifiedAt))
                return .goOn
            }
            walk.run(in: folder, after: after)
            guard !isLate else { throw ObjectFailure(.deadline, "the directory could not be read in time") }
            return page
        }
    }
}
