import Core
import Synchronization

/// Marks as objects, for sidecars that share an object store and no Redis.
///
/// An object's name holds the digest of its group's name and the mark's number, its content the group's name. So no
/// object is ever changed, two sidecars that raise the same mark at once make two objects of which the higher counts, and
/// what cannot be read is still known to be a purge, and which: then everything is taken to be purged, as high as that
/// mark. A list of names says all but which groups they are.
///
/// Nobody is told; others find a new mark when they ask for `revision`. Two sidecars that raise marks of different groups
/// within the same millisecond may give them the same number.
package final class ObjectPurgeHome: PurgeHome {
    package struct Options: Sendable {
        /// What the names of all marks begin with.
        package var prefix = "purges/v1/"
        /// Marks beyond so many are folded into one on everything.
        package var mostMarks = 50_000
        /// Objects that are read or written at the same time.
        package var parallel = 8

        package init() {}
    }

    /// A mark as its object's name has it.
    private struct Listed: Sendable {
        var group: CacheKey
        var number: UInt64
        var name: ObjectName
    }

    /// What was read of an object.
    private enum Content: Sendable {
        case group(PurgeGroup)
        case unreadable
        case gone
    }

    private struct Memory {
        /// Groups by the digests of their names, which say the same for ever.
        var groups: [CacheKey: PurgeGroup] = [:]
        /// The last number that was given away here.
        var raised: UInt64 = 0
        var told: Set<String> = []
    }

    private let store: any ObjectStore
    private let digest: any Digesting
    private let options: Options
    private let clock: any Clock
    private let log: any Log
    private let memory = Mutex(Memory())
    private let everything: CacheKey
    private let older: CacheKey

    private static let pageSize = 1000
    /// The longest name of a group that is written or read, in bytes.
    private static let longestName = 64 << 10
    /// How often marks are listed anew because one of them gave way to another while they were read.
    private static let attempts = 4
    /// As with Redis, whose scripts count in doubles.
    private static let numberLimit: UInt64 = 1 << 53

    package init(
        store: any ObjectStore, digest: any Digesting, options: Options = Options(), clock: any Clock, log: any Log
    ) {
        self.store = store
        self.digest = digest
        self.options = options
        self.clock = clock
        self.log = log
        everything = ObjectPurgeHome.digest(of: .everything, digest)
        older = ObjectPurgeHome.digest(of: .older, digest)
    }

    // MARK: PurgeHome

    package func marks(deadline: Int64) async throws(PurgeHomeFailure) -> [PurgeMark] {
        for _ in 0..<ObjectPurgeHome.attempts {
            let listed = try await call { () throws(ObjectFailure) in try await list(deadline: deadline) }
            let highest = Array(ObjectPurgeHome.highest(listed).values)
            let folding = PurgeFolding(highest, limit: options.mostMarks) { $0.group == older ? nil : $0.number }
            let contents = try await call { () throws(ObjectFailure) in
                try await inParallel(folding.kept) { [self] (mark) throws(ObjectFailure) in
                    try await read(mark, deadline: deadline)
                }
            }
            forget(allBut: folding.kept)
            var marks: [PurgeMark] = []
            var isWhole = true
            for (mark, content) in zip(folding.kept, contents) {
                switch content {
                case .group(let group): marks.append(PurgeMark(group, mark.number))
                case .unreadable:
                    tell("purge-unreadable", LogField("object", mark.name.text))
                    marks.append(PurgeMark(.everything, mark.number))
                case .gone: isWhole = false
                }
            }
            guard isWhole else { continue }
            guard folding.number > 0 else { return marks }
            await fold(folding.folded, into: folding.number, deadline: deadline)
            return marks + [PurgeMark(.everything, folding.number)]
        }
        throw PurgeHomeFailure("object store: marks of purges changed while they were read")
    }

    package func revision(deadline: Int64) async throws(PurgeHomeFailure) -> UInt64 {
        let listed = try await call { () throws(ObjectFailure) in try await list(deadline: deadline) }
        let names = ObjectPurgeHome.highest(listed).values.map(\.name.text).sorted().joined(separator: "\n")
        return Bytes(names).withUnsafeBytes { digest.sha256($0) }.word0
    }

    package func raise(
        _ group: PurgeGroup, above floor: UInt64, deadline: Int64
    ) async throws(PurgeHomeFailure) -> PurgeMark {
        let listed = try await call { () throws(ObjectFailure) in try await list(deadline: deadline) }
        let known = listed.reduce(UInt64(max(0, clock.wall()))) { $1.group == older ? $0 : max($0, $1.number) }
        let number = memory.withLock { memory -> UInt64? in
            let highest = max(known, floor, memory.raised)
            guard highest < ObjectPurgeHome.numberLimit - 1 else { return nil }
            memory.raised = highest + 1
            return highest + 1
        }
        guard let number else { throw PurgeHomeFailure("the numbers of purges are used up") }
        let mark = PurgeMark(group, number)
        try await write([mark], beside: listed, deadline: deadline)
        await foldIfCrowded(listed.count + 1, deadline: deadline)
        return mark
    }

    package func join(_ marks: [PurgeMark], deadline: Int64) async throws(PurgeHomeFailure) {
        guard !marks.isEmpty else { return }
        let listed = try await call { () throws(ObjectFailure) in try await list(deadline: deadline) }
        let highest = ObjectPurgeHome.highest(listed)
        let risen = marks.filter { mark in
            mark.number > highest[ObjectPurgeHome.digest(of: mark.group, digest)]?.number ?? 0
        }
        try await write(risen, beside: listed, deadline: deadline)
        await foldIfCrowded(listed.count + risen.count, deadline: deadline)
    }

    // MARK: Steps

    /// The marks that are there, more than one of a group among them.
    private func list(deadline: Int64) async throws(ObjectFailure) -> [Listed] {
        var listed: [Listed] = []
        var continuation: String?
        var unknown = 0
        repeat {
            let page = try await store.list(
                prefix: options.prefix, continuation: continuation, limit: ObjectPurgeHome.pageSize,
                deadline: deadline)
            for item in page.items {
                if let mark = mark(named: item.name) { listed.append(mark) } else { unknown += 1 }
            }
            guard listed.count + unknown <= options.mostMarks * 4 else {
                throw ObjectFailure(.tooLarge, "more than \(options.mostMarks * 4) objects below \(options.prefix)")
            }
            guard page.next != continuation || page.next == nil else {
                throw ObjectFailure(.malformed, "the list of purges does not go on")
            }
            continuation = page.next
        } while continuation != nil
        if unknown > 0 { tell("purges-unknown", LogField("prefix", options.prefix), LogField("objects", unknown)) }
        return listed
    }

    /// 64 hexadecimal digits, a dash and the number, nil where it is something else.
    private func mark(named name: ObjectName) -> Listed? {
        let parts = name.text.dropFirst(options.prefix.count).split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let group = CacheKey(hex: String(parts[0])), let number = UInt64(parts[1]),
            number < ObjectPurgeHome.numberLimit, objectName(group, number) == name
        else { return nil }
        return Listed(group: group, number: number, name: name)
    }

    private func objectName(_ group: CacheKey, _ number: UInt64) -> ObjectName? {
        ObjectName("\(options.prefix)\(group.hex)-\(number)")
    }

    private func read(_ mark: Listed, deadline: Int64) async throws(ObjectFailure) -> Content {
        if mark.group == everything { return .group(.everything) }
        if mark.group == older { return .group(.older) }
        if let known = memory.withLock({ $0.groups[mark.group] }) { return .group(known) }
        do throws(ObjectFailure) {
            let limit = ObjectPurgeHome.longestName
            guard let bytes = try await store.get(mark.name, limit: limit, deadline: deadline) else { return .gone }
            guard bytes.withUnsafeBytes({ digest.sha256($0) }) == mark.group, let group = PurgeGroup(name: bytes.text)
            else { return .unreadable }
            // At once, so that a call which comes to its deadline has not read for nothing.
            memory.withLock { $0.groups[mark.group] = group }
            return .group(group)
        } catch {
            guard error.kind == .tooLarge else { throw error }
            return .unreadable
        }
    }

    /// Forgets the groups of marks that are gone.
    private func forget(allBut listed: [Listed]) {
        let digests = Set(listed.map(\.group))
        memory.withLock { memory in memory.groups = memory.groups.filter { digests.contains($0.key) } }
    }

    /// Writes marks, and then removes those of the same groups that they are above.
    private func write(
        _ marks: [PurgeMark], beside listed: [Listed], deadline: Int64
    ) async throws(PurgeHomeFailure) {
        var numbers: [CacheKey: UInt64] = [:]
        var objects: [(name: ObjectName, content: Bytes)] = []
        for mark in marks {
            let content = Bytes(mark.group.name)
            let group = content.withUnsafeBytes { digest.sha256($0) }
            guard mark.number < ObjectPurgeHome.numberLimit, content.count <= ObjectPurgeHome.longestName,
                let name = objectName(group, mark.number)
            else { throw PurgeHomeFailure("a purge's number or the name of its group is too large to be kept") }
            objects.append((name, content))
            numbers[group] = max(mark.number, numbers[group] ?? 0)
        }
        _ = try await call { () throws(ObjectFailure) in
            try await inParallel(objects) { [store] (object) throws(ObjectFailure) in
                try await store.put(object.name, object.content, deadline: deadline)
            }
        }
        await remove(listed.filter { $0.number < numbers[$0.group] ?? 0 }, deadline: deadline)
    }

    /// Reading the marks folds them.
    private func foldIfCrowded(_ count: Int, deadline: Int64) async {
        if count > options.mostMarks { _ = try? await marks(deadline: deadline) }
    }

    /// Where it cannot be done there, it is done for the caller alone, and again the next time.
    private func fold(_ marks: [Listed], into number: UInt64, deadline: Int64) async {
        guard let name = objectName(everything, number) else { return }
        do throws(ObjectFailure) {
            // First the mark that stands for them.
            try await store.put(name, Bytes(PurgeGroup.everything.name), deadline: deadline)
        } catch {
            return tell("purges-crowded", LogField("prefix", options.prefix), LogField("reason", error.message))
        }
        await remove(marks.filter { $0.name != name }, deadline: deadline)
    }

    /// What is left does no harm: a higher mark stands beside it.
    private func remove(_ marks: [Listed], deadline: Int64) async {
        _ = try? await inParallel(marks) { [store] (mark) throws(ObjectFailure) in
            try await store.delete(mark.name, deadline: deadline)
        }
    }

    /// The results in the order of the items, a few at a time; the first failure ends it.
    private func inParallel<Item: Sendable, Value: Sendable>(
        _ items: [Item], _ body: @escaping @Sendable (Item) async throws(ObjectFailure) -> Value
    ) async throws(ObjectFailure) -> [Value] {
        var values: [Value] = []
        for start in stride(from: 0, to: items.count, by: options.parallel) {
            let part = items[start..<min(items.count, start + options.parallel)]
            let tasks = part.map { item in
                Task { () async -> Result<Value, ObjectFailure> in
                    do throws(ObjectFailure) {
                        return .success(try await body(item))
                    } catch {
                        return .failure(error)
                    }
                }
            }
            for task in tasks { values.append(try await task.value.get()) }
        }
        return values
    }

    private func call<Result>(
        _ body: () async throws(ObjectFailure) -> Result
    ) async throws(PurgeHomeFailure) -> Result {
        do throws(ObjectFailure) {
            return try await body()
        } catch {
            throw PurgeHomeFailure("object store: \(error.message)")
        }
    }

    /// One line for each event in the life of this home: what causes it does not pass by itself.
    private func tell(_ event: String, _ fields: LogField...) {
        if memory.withLock({ $0.told.insert(event).inserted }) { log.write(.warning, event, fields) }
    }

    private static func digest(of group: PurgeGroup, _ digest: any Digesting) -> CacheKey {
        Bytes(group.name).withUnsafeBytes { digest.sha256($0) }
    }

    /// The highest mark of each group.
    private static func highest(_ listed: [Listed]) -> [CacheKey: Listed] {
        Dictionary(listed.map { ($0.group, $0) }) { $0.number >= $1.number ? $0 : $1 }
    }
}
