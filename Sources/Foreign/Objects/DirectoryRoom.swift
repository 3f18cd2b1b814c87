import Core
import Synchronization

package struct DirectoryStatistics: Sendable, Equatable {
    package var entries = 0
    /// Of entries, each file in blocks of 4 KiB.
    package var bytes: Int64 = 0
    /// Entries given up to make room.
    package var evicted = 0
    /// Temporary files of writers that died.
    package var leftovers = 0
    /// Whether what was there at the start is in these numbers.
    package var isCounted = false
}

/// How much a directory's entries take, and which of them go.
///
/// The numbers are this process's own view: others that share the directory, and writes during a count, put them off
/// until the next count, which every eviction begins with. Every function but `statistics` blocks.
final class DirectoryRoom: Sendable {
    private let directory: Directory
    private let capacity: Int64
    private let numbers = Mutex(DirectoryStatistics())
    /// Held while a name changes hands, so that what it replaced is counted once.
    private let naming = Mutex(())
    /// Held while room is made, so that one writer does it and the others wait.
    private let evicting = Mutex(())

    /// Eviction goes on until a tenth is free, because each one reads the whole directory.
    private static let freedShare: Int64 = 10
    private static let blockSize: Int64 = 4096

    init(directory: Directory, capacity: Int64) {
        self.directory = directory
        self.capacity = capacity
    }

    var statistics: DirectoryStatistics { numbers.withLock { $0 } }

    private static func charge(_ size: Int64) -> Int64 { (max(size, 1) + blockSize - 1) / blockSize * blockSize }

    // MARK: Changing names

    func commit(
        _ prepared: PreparedFile, as name: ObjectName, size: Int, isSynced: Bool
    ) throws(ObjectFailure) {
        try naming.withLock { (_) throws(ObjectFailure) in
            let before = heldSize(name)
            try directory.commit(prepared, as: name.text)
            count(name, before: before, after: Int64(size))
        }
        if isSynced { try directory.sync(folderOf: name.text) }
    }

    func remove(_ name: ObjectName) throws(ObjectFailure) -> Bool {
        try naming.withLock { (_) throws(ObjectFailure) in try removeCounted(name) }
    }

    private func removeCounted(_ name: ObjectName) throws(ObjectFailure) -> Bool {
        let before = heldSize(name)
        let isRemoved = try directory.remove(name.text)
        if isRemoved { count(name, before: before, after: nil) }
        return isRemoved
    }

    private func heldSize(_ name: ObjectName) -> Int64? {
        name.entryKey.flatMap { _ in directory.status(name.text)?.size }
    }

    private func count(_ name: ObjectName, before: Int64?, after: Int64?) {
        guard name.entryKey != nil else { return }
        numbers.withLock { numbers in
            numbers.entries += (after == nil ? 0 : 1) - (before == nil ? 0 : 1)
            numbers.bytes += (after.map(DirectoryRoom.charge) ?? 0) - (before.map(DirectoryRoom.charge) ?? 0)
        }
    }

    // MARK: Counting

    /// Counts what a process before this one left, and removes what it did not finish.
    func takeStock(_ log: any Log) {
        var found = DirectoryStatistics()
        var walk = DirectoryWalk(directory: directory) { name, status in
            if name.entryKey != nil {
                found.entries += 1
                found.bytes += DirectoryRoom.charge(status.size)
            }
            return .goOn
        }
        walk.temporary = { if self.directory.removeLeftover($0) { found.leftovers += 1 } }
        walk.run()
        numbers.withLock { numbers in
            numbers.entries += found.entries
            numbers.bytes += found.bytes
            numbers.leftovers = found.leftovers
            numbers.isCounted = true
        }
        log.write(
            .info, "objects-counted", LogField("directory", directory.path), LogField("entries", found.entries),
            LogField("bytes", found.bytes), LogField("leftovers", found.leftovers))
        // The directory may be larger than it may be now; if it cannot be made smaller, the next writer hears of it.
        try? makeRoom(for: 0)
    }

    // MARK: Eviction

    /// Gives up the oldest entries until there is room for one of `size` bytes.
    func makeRoom(for size: Int) throws(ObjectFailure) {
        let charge = size == 0 ? 0 : DirectoryRoom.charge(Int64(size))
        guard charge <= capacity else {
            throw ObjectFailure(.tooLarge, "\(size) bytes are more than the directory may hold")
        }
        guard !hasRoom(for: charge) else { return }
        try evicting.withLock { (_) throws(ObjectFailure) in
            guard !hasRoom(for: charge) else { return }
            evict(downTo: capacity - max(charge, capacity / DirectoryRoom.freedShare))
            guard hasRoom(for: charge) else {
                throw ObjectFailure(.full, "\(directory.path) is at its capacity and nothing could be given up")
            }
        }
    }

    private func hasRoom(for charge: Int64) -> Bool {
        numbers.withLock { !$0.isCounted || $0.bytes + charge <= capacity }
    }

    /// Reads all times and sizes, finds the time up to which entries must go, and reads again to remove those.
    private func evict(downTo target: Int64) {
        let before = numbers.withLock { $0 }
        var ages: [(modifiedAt: Int64, charge: Int64)] = []
        DirectoryWalk(directory: directory) { name, status in
            if name.entryKey != nil { ages.append((status.modifiedAt, DirectoryRoom.charge(status.size))) }
            return .goOn
        }.run(in: ObjectName.entries)
        let total = ages.reduce(0) { $0 + $1.charge }
        numbers.withLock { numbers in
            // What came and went meanwhile is kept, where it may be in `total` as well.
            numbers.entries += ages.count - before.entries
            numbers.bytes += total - before.bytes
        }
        ages.sort { $0.modifiedAt < $1.modifiedAt }
        var excess = total - target
        guard
            let last = ages.firstIndex(where: {
                excess -= $0.charge
                return excess <= 0
            })
        else { return remove(upTo: Int64.max, target: target) }
        remove(upTo: ages[last].modifiedAt, target: target)
    }

    private func remove(upTo modifiedAt: Int64, target: Int64) {
        DirectoryWalk(directory: directory) { name, status in
            guard name.entryKey != nil, status.modifiedAt <= modifiedAt else { return .goOn }
            let isEvicted = self.naming.withLock { _ in
                // It may have been found or replaced since.
                guard let now = self.directory.status(name.text), now.modifiedAt <= modifiedAt else { return false }
                return (try? self.removeCounted(name)) == true
            }
            return self.numbers.withLock { numbers in
                if isEvicted { numbers.evicted += 1 }
                return numbers.bytes <= target ? .stop : .goOn
            }
        }.run(in: ObjectName.entries)
    }
}
