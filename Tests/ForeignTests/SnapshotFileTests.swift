import Core
import Foreign
import Foundation
import Testing

@Suite struct SnapshotFileTests {
    private let folder = FileManager.default.temporaryDirectory.appending(
        path: "refrain-snapshot-\(UUID().uuidString.prefix(8))")

    private func content(_ path: String) throws -> [UInt8]? {
        guard let file = try SnapshotFile.open(path) else { return nil }
        var all: [UInt8] = []
        while true {
            let piece = try Bytes(capacity: 7) { (target) throws(InputFile.Unreadable) in try file.read(into: target) }
            all += piece.array
            if piece.count < 7 { return all }
        }
    }

    @Test func replacesAllOrNothing() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appending(path: "deep/file").path
        #expect(try content(path) == nil)
        try SnapshotFile.replace(path) { append in append(Bytes("one ")) && append(Bytes("two")) }
        #expect(try content(path) == Array("one two".utf8))
        #expect(throws: InputFile.Unreadable.self) {
            try SnapshotFile.replace(path) { append in
                _ = append(Bytes("half"))
                return false
            }
        }
        #expect(try content(path) == Array("one two".utf8))
        try SnapshotFile.replace(path) { _ in true }
        #expect(try content(path) == [])
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.appending(path: "deep").path)
        #expect(names == ["file"])
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
    }

    @Test func aPlaceThatCannotBeWritten() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        try FileManager.default.createDirectory(at: folder.appending(path: "taken"), withIntermediateDirectories: true)
        #expect(throws: InputFile.Unreadable.self) {
            try SnapshotFile.replace(folder.appending(path: "taken").path) { _ in true }
        }
    }
}
