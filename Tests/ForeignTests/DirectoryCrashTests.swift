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
            let before = try? fixture.files()
            let writer = try Writer(directory: fixture.path, seed: random.next())
            // Every other one surely while it writes, the others from before its first write to long after.
            if round % 2 == 0 {
                while !writer.hasEnded, (try? fixture.files()) == before { usleep(1_000) }
                usleep(UInt32.random(in: 0..<20_000, using: &random))
            } else {
                usleep(UInt32.random(in: 0..<120_000, using: &random))
            }
            writer.kill()
            found += try await check(fixture, "seed \(Self.seed), round \(round)")
        }
        #expect(found > 0)
    }

    /// The disk is full for every file of more than 4 KiB, which the system is told to refuse.
    @Test func aFullDiskIsOneLineAndLeavesNothingHalf() async throws {
        let fixture = try DirectoryFixture()
        let log = fixture.path + ".log"
        defer { try? FileManager.default.removeItem(atPath: log) }
        let writer = try Writer(directory: fixture.path, seed: Self.seed, log: log)
        // Until the first large entry failed and the first small one was written.
        var lines = ""
        while !writer.hasEnded, !lines.contains("\n") || (try? fixture.files().isEmpty) != false {
            usleep(1_000)
            lines = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
        }
        usleep(50_000)
        writer.kill()
        lines = try String(contentsOfFile: log, encoding: .utf8)
        #expect(lines.split(separator: "\n").count == 1, "\(lines)")
        #expect(lines.contains(" objects-failing direction=write reason=full "))
        #expect(try await check(fixture, "seed \(Self.seed)") > 0)
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
        try self.init([Writer.program, directory, String(seed)])
    }

    /// One that may write no file of more than eight blocks of 512 bytes, and is told so rather than killed.
    init(directory: String, seed: UInt64, log: String) throws(NotStarted) {
        let script = "trap '' XFSZ; ulimit -f 8; exec \"$0\" \"$1\" \"$2\" 2>\"$3\""
        try self.init(["/bin/sh", "-c", script, Writer.program, directory, String(seed), log])
    }

    /// The program of the tests is a file of the build folder, as the helper is.
    private static var program: String {
        URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().appending(path: "StoreWriter").path
    }

    private init(_ words: [String]) throws(NotStarted) {
        let arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        var process = pid_t()
        let code = posix_spawn(&process, words[0], nil, nil, arguments, environ)
        guard code == 0 else { throw NotStarted(path: words[0], code: code) }
        self.process = process
    }

    /// Its end is not collected yet, so `kill` does no harm.
    var hasEnded: Bool {
        var info = siginfo_t()
        return waitid(P_PID, id_t(process), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_signo == SIGCHLD
    }

    func kill() {
        Glibc.kill(process, SIGKILL)
        var status: CInt = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
    }
}
