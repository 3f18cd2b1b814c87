import Core
import TestKit
import Testing

@testable import Engine

@Suite struct AnswerLogTests {
    /// The log as plainly as it can be said: every byte with its kind.
    private struct Model {
        var bytes: [(byte: UInt8, kind: AnswerLog.Kind)] = []

        mutating func append(_ piece: [UInt8], _ kind: AnswerLog.Kind) { bytes += piece.map { ($0, kind) } }

        func visible(joined: Int, wantsUsage: Bool) -> [UInt8] {
            bytes.indices.filter { index in
                switch bytes[index].kind {
                case .answer: true
                case .usage: wantsUsage
                case .wire: index >= joined
                }
            }.map { bytes[$0].byte }
        }
    }

    private struct Follower {
        var reader: AnswerLog.Reader
        var seen: [UInt8] = []
        let joined: Int
        let wantsUsage: Bool
    }

    @Test("whoever joins sees what a plain list says he should", arguments: 0..<200)
    func model(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var log = AnswerLog()
        var model = Model()
        var followers: [Follower] = []
        let releases = Bool.random(using: &random)
        for _ in 0..<60 {
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<4:
                let piece = (0..<Int.random(in: 0...20, using: &random)).map { _ in
                    UInt8.random(in: 0...255, using: &random)
                }
                let kind = [AnswerLog.Kind.answer, .answer, .usage, .wire].randomElement(using: &random) ?? .answer
                piece.withUnsafeBytes { log.append($0, kind) }
                model.append(piece, kind)
            case 4 where log.start == 0:
                let wantsUsage = Bool.random(using: &random)
                followers.append(
                    Follower(
                        reader: AnswerLog.Reader(joined: log.end, wantsUsage: wantsUsage), joined: log.end,
                        wantsUsage: wantsUsage))
            case 5 where releases:
                log.release(before: followers.map(\.reader.position).min() ?? log.end)
            default:
                guard let index = followers.indices.randomElement(using: &random) else { break }
                read(log, &followers[index], Int.random(in: 1...30, using: &random))
            }
        }
        for index in followers.indices {
            while read(log, &followers[index], 7) > 0 {}
            let follower = followers[index]
            let expected = model.visible(joined: follower.joined, wantsUsage: follower.wantsUsage)
            #expect(follower.seen == expected, "seed \(seed), follower \(index)")
        }
        #expect(log.end == model.bytes.count)
        let answerCount = model.bytes.count { $0.kind != .wire }
        #expect(log.answerCount == answerCount)
        checkCollected(log, model, seed)
    }

    private func checkCollected(_ log: AnswerLog, _ model: Model, _ seed: UInt64) {
        guard let collected = log.collected() else {
            let usageRuns = model.bytes.indices.count { index in
                model.bytes[index].kind == .usage && (index == 0 || model.bytes[index - 1].kind != .usage)
            }
            #expect(log.start > 0 || usageRuns > 1, "seed \(seed)")
            return
        }
        #expect(collected.content.array == model.bytes.filter { $0.kind != .wire }.map(\.byte), "seed \(seed)")
        let usage = Array(collected.content.array[collected.usage])
        #expect(usage == model.bytes.filter { $0.kind == .usage }.map(\.byte), "seed \(seed)")
    }

    @discardableResult
    private func read(_ log: AnswerLog, _ follower: inout Follower, _ size: Int) -> Int {
        let piece = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            count = log.read(&follower.reader, into: UnsafeMutableRawBufferPointer(buffer))
        }
        follower.seen += piece
        return piece.count
    }

    @Test("a relayed answer that alternates keep-alives and events does not grow") func marksAreReleased() {
        var log = AnswerLog()
        var reader = AnswerLog.Reader(joined: 0, wantsUsage: true)
        var seen = 0
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64, alignment: 1)
        defer { buffer.deallocate() }
        for turn in 0..<10_000 {
            [UInt8(1)].withUnsafeBytes { log.append($0, turn.isMultiple(of: 2) ? .wire : .answer) }
            seen += log.read(&reader, into: buffer)
            log.release(before: reader.position)
        }
        #expect(seen == 10_000)
        #expect(log.markCount <= 1)
    }
}
