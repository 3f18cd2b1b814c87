import Core
import Foreign
import Foundation
import Glibc
import TestKit
import Testing
import Tiers

/// A process that writes without pause is killed at random moments. Afterwards every object is whole and the right one,
/// and nothing unfinished is left. `REFRAIN_KILLS` says how often, `REFRAIN_SEED` when.
struct DirectoryCrashTests {
    private static func number(named name: String) -> UInt64? {
        ProcessInfo.processInfo.environment[name].flatMap(UInt64.init)
    }

    private static let kills = number(named: "REFRAIN_KILLS") ?? 12
    private static let seed = number(named: "REFRAIN_SEED") ?? 1

    @Test func whatAKilledWriterLeftIsWhole() async throws {
        let fixture = try DirectoryFixture()
        var random = SeededRandom(seed: Self.seed)
        var found = 0
        for round in 0..<Self.kills {
            let writer = try Writer(directory: fixture.path, seed: random.next())
            // From before its first write to long after.
            usleep(UInt32.random(in: 0..<120_000, using: &random))
            writer.kill()
            found += try await check(fixture, "seed \(Self.seed), round \(round)")
        }
        #expect(found > 0)
    }

    private func check(_ fixture: DirectoryFixture, _ moment: String) async throws -> Int {
        let store = try await fixture.store()
        let tier = fixture.tier(store)
        var found = 0
        for index in 0..<CrashScript.keys {
            guard let entry = await tier.find(CrashScript.key(index)) else { continue }
            found += 1
            #expect(CrashScript.isGenuine(entry, index), "\(moment): key \(index)")
        }
        #expect(tier.statistics.refused == [:], "\(moment)")
        #expect(tier.statistics.failures == [:], "\(moment)")
        #expect(store.statistics.entries == found, "\(moment)")
        #expect(try fixture.files().allSatisfy { !$0.contains(".put-") }, "\(moment): a leftover stayed")
        store.close()
        return found
    }
}

/// The helper program, which stands beside the tests.
private struct Writer {
    struct NotStarted: Error {
        let path: String
        let code: CInt
    }

    private let process: pid_t

    init(directory: String, seed: UInt64) throws(NotStarted) {
        // The program of the tests is a file of the build folder, as the helper is.
        let folder = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
        let path = folder.appending(path: "StoreWriter").path
        let arguments: [UnsafeMutablePointer<CChar>?] = [strdup(path), strdup(directory), strdup(String(seed)), nil]
        defer { for argument in arguments { free(argument) } }
        var process = pid_t()
        let code = posix_spawn(&process, path, nil, nil, arguments, environ)
        guard code == 0 else { throw NotStarted(path: path, code: code) }
        self.process = process
    }

    func kill() {
        Glibc.kill(process, SIGKILL)
        var status: CInt = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
    }
}
