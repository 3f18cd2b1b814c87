import Core
import Dialects
import TestKit
import Testing

/// What must hold for every body. A failure names its seed, which makes the same bodies again.
struct RequestPropertyTests {
    private static let seeds = Array(UInt64(1)...24)

    @Test(arguments: seeds) func spellingDoesNotMatter(_ seed: UInt64) {
        var generator = RequestGenerator(seed: seed)
        for _ in 0..<30 {
            let body = generator.body()
            let expected = Reference.object(body).canonical()
            for _ in 0..<3 {
                let spelled = generator.spell(body)
                // Compared as bytes, because strings compare by canonical equivalence.
                #expect(
                    canonical(spelled).map { Array($0.utf8) } == .success(Array(expected.utf8)),
                    "\(String(decoding: spelled, as: UTF8.self))")
            }
        }
    }

    @Test(arguments: seeds) func everyChangeChangesTheKey(_ seed: UInt64) {
        var generator = RequestGenerator(seed: seed)
        let reader = RequestReader(rules: RequestRules())
        for _ in 0..<20 {
            let body = generator.body()
            let original = generator.spell(body)
            let originalKey = key(original, reader: reader)
            #expect(originalKey != nil)
            for _ in 0..<10 {
                let changed = generator.spell(generator.changed(body))
                let changedKey = key(changed, reader: reader)
                let pair = [original, changed].map { String(decoding: $0, as: UTF8.self) }
                #expect(changedKey != nil, "\(pair[1])")
                #expect(changedKey != originalKey, "\(pair)")
            }
        }
    }

    @Test(arguments: seeds) func leftOutMembersDoNotMatter(_ seed: UInt64) {
        var generator = RequestGenerator(seed: seed)
        for _ in 0..<30 {
            let body = generator.body()
            let plain = key(generator.spell(body))
            let spelled = generator.spell(body + generator.leftOutMembers())
            #expect(plain != nil)
            #expect(key(spelled) == plain, "\(String(decoding: spelled, as: UTF8.self))")
        }
    }

    /// Damaged bodies are read as the slow reader reads them, or refused where it refuses them.
    @Test(arguments: seeds) func damageIsNeitherFatalNorMisread(_ seed: UInt64) {
        var generator = RequestGenerator(seed: seed)
        let reader = RequestReader(rules: RequestRules())
        for _ in 0..<20 {
            let body = generator.spell(generator.body() + generator.leftOutMembers())
            for _ in 0..<15 {
                let damaged = Self.damage(body, &generator)
                let expected = Self.expected(damaged)
                let actual: [UInt8]? = damaged.withUnsafeBytes { bytes in
                    (try? reader.read(bytes, as: .chat)) == nil ? nil : Array(reader.canonical)
                }
                #expect(actual == expected, "\(String(decoding: damaged, as: UTF8.self)) \(damaged)")
            }
        }
    }

    private static func damage(_ body: [UInt8], _ generator: inout RequestGenerator) -> [UInt8] {
        let signs =
            Array(#"{}[]",:\/0123456789-+.eEnulltruefalse "#.utf8) + [0, 1, 9, 10, 0x7F, 0x80, 0xC3, 0xED, 0xF0, 0xFF]
        var bytes = body
        for _ in 0...generator.below(3) where !bytes.isEmpty {
            let index = generator.below(bytes.count)
            let end = index + generator.below(min(bytes.count - index, 12)) + 1
            switch generator.below(6) {
            case 0: bytes[index] = generator.pick(signs)
            case 1: bytes.insert(generator.pick(signs), at: index)
            case 2: bytes.removeSubrange(index..<end)
            case 3: bytes.insert(contentsOf: bytes[index..<end], at: generator.below(bytes.count + 1))
            case 4: bytes[index] ^= 1 << UInt8(generator.below(8))
            default: if generator.chance(20) { bytes.removeSubrange(index...) }
            }
        }
        return bytes
    }

    /// The canonical form by the slow reader, nil where the body is not fit for the cache.
    private static func expected(_ body: [UInt8]) -> [UInt8]? {
        guard let value = try? Reference(parsing: body), case .object(let members) = value else { return nil }
        func member(_ name: String, in members: [Reference.Member]) -> Reference? {
            members.first { $0.name == name.unicodeScalars.map(\.value) }?.value
        }
        func isFlag(_ value: Reference?) -> Bool { [nil, .null, .bool(true), .bool(false)].contains(value) }
        guard case .string = member("model", in: members) else { return nil }
        guard isFlag(member("stream", in: members)), isFlag(member("store", in: members)) else { return nil }
        switch member("stream_options", in: members) {
        case nil, .null: break
        case .object(let options): if !isFlag(member("include_usage", in: options)) { return nil }
        default: return nil
        }
        return Array(value.canonical(leavingOut: RequestRules.defaultLeftOut).utf8)
    }
}
