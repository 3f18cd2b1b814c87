import CZlib
import Core
import Foundation
import TestKit
import Testing

@testable import Foreign

/// A file of the test's own, removed with it.
private final class TemporaryFile {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("refrain-\(UUID())").path

    init(_ bytes: [UInt8]) throws { try Data(bytes).write(to: URL(fileURLWithPath: path)) }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

@Suite struct LogFileTests {
    private func read(_ bytes: [UInt8]) throws -> (content: [UInt8], failure: String?) {
        let file = try TemporaryFile(bytes)
        var content: [UInt8] = []
        do {
            let log = try LogFile(file.path)
            while try log.next({ content += $0 }) {}
            return (content, nil)
        } catch {
            return (content, error.reason)
        }
    }

    private func text(_ count: Int, seed: UInt64) -> [UInt8] {
        var random = SeededRandom(seed: seed)
        return (0..<count).map { _ in UInt8(97 + random.next() % 20) }
    }

    private func packed(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        var target = [UInt8](repeating: 0, count: bytes.count + bytes.count / 100 + 100)
        var stream = z_stream()
        // 16 more than the window's bits ask for gzip's frame.
        _ = deflateInit2_(
            &stream, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, CInt(MemoryLayout<z_stream>.size))
        let count = bytes.withUnsafeMutableBufferPointer { source in
            target.withUnsafeMutableBufferPointer { target in
                stream.next_in = source.baseAddress
                stream.avail_in = UInt32(source.count)
                stream.next_out = target.baseAddress
                stream.avail_out = UInt32(target.count)
                _ = deflate(&stream, Z_FINISH)
                return Int(stream.total_out)
            }
        }
        deflateEnd(&stream)
        return Array(target[..<count])
    }

    @Test(arguments: [0, 1, 2, 1_000, 262_144, 900_001])
    func plainAndGzipGiveTheSame(count: Int) throws {
        let content = text(count, seed: 7)
        #expect(try read(content) == (content, nil))
        #expect(try read(packed(content)) == (content, nil))
        #expect(try read(packed(content) + packed([1, 2]) + [0, 0, 0]) == (content + [1, 2], nil))
    }

    @Test func damageIsSaidAfterWhatCouldBeRead() throws {
        let content = text(300_000, seed: 8)
        let whole = packed(content)
        let cut = try read(Array(whole.dropLast(20)))
        #expect(cut.failure == "is gzip that ends too early")
        #expect(cut.content.count > 290_000 && content.starts(with: cut.content))
        var wrong = whole
        wrong[wrong.count - 8] ^= 1
        #expect(try read(wrong) == (content, "is damaged gzip"))
        #expect(try read(whole + [9, 9]) == (content, "is damaged gzip"))
        #expect(try read([0x1F, 0x8B]) == ([], "is gzip that ends too early"))
        #expect(throws: InputFile.Unreadable.self) { try LogFile("/nonexistent/log") }
    }

    @Test(arguments: 1...30 as ClosedRange<UInt64>)
    func anyDamageEnds(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var bytes = packed(text(20_000, seed: seed))
        for _ in 0..<4 {
            bytes[2 + Int(random.next() % UInt64(bytes.count - 2))] = UInt8(truncatingIfNeeded: random.next())
        }
        _ = try read(bytes)
    }

    @Test func placesCanBeReadAgain() throws {
        let content = text(1_000, seed: 9)
        let file = try TemporaryFile(content)
        let log = try LogFile(file.path)
        #expect(log.canBeReadAgain && log.size == 1_000)
        while try log.next({ _ in }) {}
        #expect(log.position == 1_000)
        #expect(log.read(at: 10, count: 5) == Array(content[10..<15]))
        #expect(log.read(at: 990, count: 11) == nil)
        let gzip = try TemporaryFile(packed(content))
        #expect(try !LogFile(gzip.path).canBeReadAgain)
    }

    /// Gzip is told by two bytes, and a pipe may give one.
    @Test func aPipeMayBeginWithASingleByte() async throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("refrain-\(UUID())").path
        #expect(mkfifo(path, 0o600) == 0)
        defer { unlink(path) }
        let content = text(5_000, seed: 10)
        let bytes = packed(content)
        let writer = Thread {
            guard let pipe = FileHandle(forWritingAtPath: path) else { return }
            pipe.write(Data(bytes.prefix(1)))
            // Until the reader has taken it, the next byte would join it.
            var waiting: CInt = 1
            while ioctl(pipe.fileDescriptor, UInt(FIONREAD), &waiting) == 0, waiting > 0 { usleep(1_000) }
            pipe.write(Data(bytes.dropFirst()))
        }
        writer.start()
        let log = try LogFile(path)
        var found: [UInt8] = []
        while try log.next({ found += $0 }) {}
        #expect(found == content && !log.canBeReadAgain)
    }

    @Test func aLogThatGrowsIsReadAsFarAsItWas() throws {
        let file = try TemporaryFile(Array("one\n".utf8))
        let log = try LogFile(file.path)
        let more = try #require(FileHandle(forWritingAtPath: file.path))
        try more.seekToEnd()
        #expect(!log.isReadAsOpened)
        #expect(try log.next { _ in })
        more.write(Data("two\n".utf8))
        #expect(log.isReadAsOpened)
    }

    @Test func theSpoolIsBounded() throws {
        let spool = try #require(SpoolFile(limit: 10))
        let places = ["abcd", "efgh", "ijk", "ij"].map { text in Bytes(text).withUnsafeBytes { spool.append($0) } }
        #expect(places == [0, 4, nil, 8])
        #expect(spool.read(at: 4, count: 6) == Array("efghij".utf8) && spool.read(at: 8, count: 3) == nil)
    }

    @Test func stateFilesGrowAndAreTheOwnersAlone() throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("refrain-\(UUID())/a/b").path
        defer { try? FileManager.default.removeItem(atPath: String(directory.dropLast(4))) }
        let path = directory + "/state"
        let file = try StateFile(path)
        #expect(file.append("one\n") && file.append("two\n"))
        #expect(try StateFile(path).read(limit: 100) == Array("one\ntwo\n".utf8))
        #expect(file.read(limit: 7) == nil)
        #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
        file.empty()
        #expect(file.read(limit: 7) == [])
        file.remove()
        #expect(!FileManager.default.fileExists(atPath: path))
        #expect(throws: InputFile.Unreadable.self) { try StateFile("/proc/nothing/here") }
    }
}
