import Core
import Foreign
import Foundation
import Glibc
import TestKit
import Testing
import Tiers

struct DirectoryStoreTests {
    private typealias Fixture = DirectoryFixture

    @Test(arguments: TierContract.all)
    func contract(_ contract: TierContract) async throws {
        let fixture = try Fixture()
        let tier = fixture.tier(try await fixture.store())
        #expect(await contract.violations(tier, fixture.clock.wall()) == [])
        #expect(fixture.log.lines.map(\.event) == ["objects-counted"])
    }

    @Test(arguments: Settings.ObjectSync.allCases)
    func objectsAreWrittenReadReplacedAndRemoved(sync: Settings.ObjectSync) async throws {
        let fixture = try Fixture()
        let store = try await fixture.store(sync: sync)
        let deadline = fixture.deadline
        for text in ["a", "folder/with space+=&~%", "日本/ü/x", "v1/ab/cd"] {
            let name = Fixture.name(text)
            #expect(try await store.get(name, limit: 100, deadline: deadline) == nil)
            for content in ["first", "", "the second one"] {
                try await store.put(name, Bytes(content), deadline: deadline)
                #expect(try await store.get(name, limit: 100, deadline: deadline)?.text == content)
            }
            #expect(try await store.delete(name, deadline: deadline))
            #expect(try await store.delete(name, deadline: deadline) == false)
            #expect(try await store.get(name, limit: 100, deadline: deadline) == nil)
        }
        #expect(try fixture.files() == [])
    }

    @Test func largeObjectsAreRefusedUnread() async throws {
        let fixture = try Fixture()
        let store = try await fixture.store()
        try await store.put(Fixture.name("a"), Bytes("12345"), deadline: fixture.deadline)
        #expect(try await store.get(Fixture.name("a"), limit: 5, deadline: fixture.deadline)?.text == "12345")
        let failure = await #expect(throws: ObjectFailure.self) {
            try await store.get(Fixture.name("a"), limit: 4, deadline: fixture.deadline)
        }
        #expect(failure?.kind == .tooLarge)
    }

    @Test(arguments: [1, 2, 7, 1000])
    func listsGoOnWhereTheyStopped(limit: Int) async throws {
        let fixture = try Fixture()
        let store = try await fixture.store()
        let texts = ["a", "a-b/c", "a/b", "a/c/d", "a/c/e", "a/d", "b", "ü/x"] + (0..<20).map { "n/\($0)" }
        // A file stands where the folder of another name would: only one of the two can be there.
        for text in texts where text != "a" {
            try await store.put(Fixture.name(text), Bytes(text), deadline: fixture.deadline)
        }
        try fixture.place("a/.hidden")
        try fixture.place("a/.put-0123456789abcdef")
        for prefix in ["", "a", "a/", "a/c", "a/c/", "n/1", "ü", "nothing", "a//", "/", "../"] {
            var found: [ObjectPage.Item] = []
            var continuation: String?
            repeat {
                let page = try await store.list(
                    prefix: prefix, continuation: continuation, limit: limit, deadline: fixture.deadline)
                #expect(page.items.count <= limit)
                found += page.items
                continuation = page.next
            } while continuation != nil
            let expected = texts.filter { $0 != "a" && $0.hasPrefix(prefix) }
            #expect(found.map(\.name.text).count == expected.count, "prefix \(prefix)")
            #expect(Set(found.map(\.name.text)) == Set(expected), "prefix \(prefix)")
            #expect(found.allSatisfy { $0.size == $0.name.text.utf8.count })
        }
        let failure = await #expect(throws: ObjectFailure.self) {
            try await store.list(prefix: "", continuation: "../..", limit: 9, deadline: fixture.deadline)
        }
        #expect(failure?.kind == .malformed)
    }

    private static let block: Int64 = 4096

    private static func fill(_ store: DirectoryStore, _ numbers: ClosedRange<UInt64>, _ fixture: Fixture) async throws {
        for number in numbers {
            try await store.put(Fixture.entryName(number), Bytes("entry"), deadline: fixture.deadline)
            fixture.clock.advance(.seconds(1))
        }
    }

    private static func held(
        _ store: DirectoryStore, _ numbers: ClosedRange<UInt64>, _ fixture: Fixture
    ) async throws -> [UInt64] {
        var held: [UInt64] = []
        for number in numbers {
            let content = try await store.get(Fixture.entryName(number), limit: 100, deadline: fixture.deadline)
            if content != nil { held.append(number) }
        }
        return held
    }

    @Test func theOneThatWasUsedLongestAgoGoesFirst() async throws {
        let fixture = try Fixture()
        let store = try await fixture.store(capacity: 20 * Self.block)
        try await store.put(Fixture.name("state/generations"), Bytes("kept"), deadline: fixture.deadline)
        try await Self.fill(store, 1...20, fixture)
        #expect(store.statistics.bytes == 20 * Self.block)
        fixture.clock.advance(.seconds(7200))
        #expect(try await Self.held(store, 1...2, fixture) == [1, 2])
        fixture.clock.advance(.seconds(1))
        try await Self.fill(store, 21...21, fixture)
        // A tenth is freed: the third and the fourth, for the first two were found since.
        #expect(store.statistics.evicted == 2)
        #expect(try await Self.held(store, 1...21, fixture) == [1, 2] + Array(5...21))
        #expect(store.statistics.entries == 19)
        #expect(store.statistics.bytes == 19 * Self.block)
        let kept = try await store.get(Fixture.name("state/generations"), limit: 9, deadline: fixture.deadline)
        #expect(kept?.text == "kept")
    }

    @Test func replacingAndRemovingKeepTheCount() async throws {
        let fixture = try Fixture()
        let store = try await fixture.store()
        let name = Fixture.entryName(1)
        for (size, blocks) in [(0, 1), (4096, 1), (4097, 2), (1, 1)] as [(Int, Int64)] {
            try await store.put(name, Bytes([UInt8](repeating: 1, count: size)), deadline: fixture.deadline)
            #expect(store.statistics.bytes == blocks * Self.block)
            #expect(store.statistics.entries == 1)
        }
        try await store.delete(name, deadline: fixture.deadline)
        #expect((store.statistics.bytes, store.statistics.entries) == (0, 0))
        let small = try await fixture.store(capacity: Self.block)
        let failure = await #expect(throws: ObjectFailure.self) {
            try await small.put(name, Bytes([UInt8](repeating: 1, count: 5000)), deadline: fixture.deadline)
        }
        #expect(failure?.kind == .tooLarge)
    }

    @Test func whatWasThereAtTheStartIsCountedAndCutToSize() async throws {
        let fixture = try Fixture()
        let first = try await fixture.store()
        try await Self.fill(first, 1...20, fixture)
        first.close()
        let second = try await fixture.store()
        #expect((second.statistics.entries, second.statistics.bytes) == (20, 20 * Self.block))
        let third = try await fixture.store(capacity: 10 * Self.block)
        #expect(third.statistics.entries == 9)
        #expect(try await Self.held(third, 1...20, fixture) == Array(12...20))
    }

    @Test func leftoversGoAndWhatIsNotOursStays() async throws {
        let fixture = try Fixture()
        let foreign: Set = [
            "README", ".hidden", "v1/README", "v1/ab/short", "v1/ab/.put-short", "v1/ab/.other-0123456789abcdef",
            "lost+found/x", "v1/" + String(repeating: "a", count: 64), ".put-folder/x",
        ]
        for name in foreign { try fixture.place(name) }
        let leftovers = [".put-0123456789abcdef", "v1/ab/.put-0123456789abcdef", "v1/cd/.put-fedcba9876543210"]
        for name in leftovers { try fixture.place(name) }
        let written = "v1/ab/.put-00000000000000ff"
        try fixture.place(written)
        // Another process is still writing this one.
        let file = open("\(fixture.path)/\(written)", O_RDONLY)
        defer { close(file) }
        #expect(flock(file, LOCK_EX | LOCK_NB) == 0)

        let store = try await fixture.store(capacity: Self.block)
        #expect(store.statistics.leftovers == 3)
        #expect(store.statistics.entries == 0)
        try await Self.fill(store, 1...3, fixture)
        #expect(store.statistics.entries == 1)
        #expect(try fixture.files() == foreign.union([written, Fixture.entryName(3).text]))
    }

    @Test func linksAreNotFollowedAndPipesDoNotHang() async throws {
        let fixture = try Fixture()
        let store = try await fixture.store()
        try fixture.place("secret", "outside")
        let names = (1...3).map { Fixture.entryName($0) }
        for name in names { try fixture.place(name.text) }
        let paths = names.map { "\(fixture.path)/\($0.text)" }
        for path in paths { unlink(path) }
        #expect(symlink("\(fixture.path)/secret", paths[0]) == 0)
        #expect(mkfifo(paths[1], 0o600) == 0)
        #expect(mkdir(paths[2], 0o700) == 0)
        for name in names {
            await #expect(throws: ObjectFailure.self) {
                try await store.get(name, limit: 100, deadline: fixture.deadline)
            }
        }
        // Writing replaces the link itself, and the pipe.
        for name in names[..<2] {
            try await store.put(name, Bytes("new"), deadline: fixture.deadline)
            #expect(try await store.get(name, limit: 100, deadline: fixture.deadline)?.text == "new")
        }
        #expect(try String(contentsOfFile: "\(fixture.path)/secret", encoding: .utf8) == "outside")
    }

    @Test func aDirectoryThatCannotBeUsedIsRefusedAtOnce() async throws {
        let fixture = try Fixture()
        try fixture.place("file")
        for folder in ["/file", "/file/below", "\0"] {
            await #expect(throws: ObjectFailure.self) { _ = try await fixture.store(at: folder) }
        }
    }

    @Test func aDirectoryThatBreaksLaterIsACountedMissAndOneLine() async throws {
        let fixture = try Fixture()
        // Where the folder of all entries should be, there is a file.
        try fixture.place("v1")
        let tier = fixture.tier(try await fixture.store())
        for index in 0..<10 {
            await tier.store(CrashScript.entry(index, version: 1), under: CrashScript.key(index))
            #expect(await tier.find(CrashScript.key(index)) == nil)
        }
        #expect(tier.statistics.failures == [.unavailable: 10])
        #expect(fixture.log.lines.map(\.event) == ["objects-counted", "objects-failing"])
    }

    @Test func readersSeeWholeObjectsWhileTheyAreReplaced() async throws {
        let fixture = try Fixture()
        let tier = fixture.tier(try await fixture.store(capacity: 40 * Self.block))
        await withTaskGroup(of: Void.self) { group in
            for task: UInt64 in 0..<6 {
                group.addTask { @concurrent in
                    var random = SeededRandom(seed: task)
                    for _ in 0..<150 {
                        let index = Int.random(in: 0..<4, using: &random)
                        switch random.next() % 8 {
                        case 0..<3:
                            let entry = CrashScript.entry(index, version: random.next() >> 8)
                            await tier.store(entry, under: CrashScript.key(index))
                        case 3: await tier.remove(CrashScript.key(index))
                        default:
                            let found = await tier.find(CrashScript.key(index))
                            #expect(found.map { CrashScript.isGenuine($0, index) } ?? true)
                        }
                    }
                }
            }
        }
        #expect(tier.statistics.refused == [:])
        #expect(tier.statistics.failures == [:])
        #expect(tier.statistics.hits > 0)
    }

    @Test func aClosedStoreRefuses() async throws {
        let fixture = try Fixture()
        let store = try await fixture.store()
        store.close()
        let failure = await #expect(throws: ObjectFailure.self) {
            try await store.get(Fixture.name("a"), limit: 1, deadline: fixture.deadline)
        }
        #expect(failure?.kind == .shutdown)
    }
}
