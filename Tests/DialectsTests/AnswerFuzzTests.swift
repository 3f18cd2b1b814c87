import Core
import Dialects
import TestKit
import Testing

/// Whatever an upstream sends, reading it ends with a verdict or a refusal.
struct AnswerFuzzTests {
    @Test(arguments: Dialect.allCases, 0..<150)
    func `mutated streams are kept only where they are whole`(dialect: Dialect, seed: UInt64) throws {
        var generator = AnswerGenerator(seed: seed)
        let form = dialect == .embeddings ? Dialect.chat : dialect
        let original = try stream(from: generator.answer(form), form).bytes.array
        for _ in 0..<4 {
            let bytes = mutated(original, &generator)
            let cuts = (0..<generator.count(0...5)).map { _ in generator.count(0...bytes.count) }
            let seen = watch(bytes, dialect, cuts: cuts)
            guard let answer = try? whole(from: Bytes(bytes), dialect) else { continue }
            #expect(seen.verdict != nil)
            let text = String(decoding: answer.serialised, as: UTF8.self)
            #expect(throws: Never.self, "seed \(seed): \(text)") { try judge(text, dialect).get() }
        }
    }

    @Test(arguments: Dialect.allCases, 0..<150)
    func `mutated wholes become streams that say the same, or none`(dialect: Dialect, seed: UInt64) throws {
        var generator = AnswerGenerator(seed: seed)
        let original = generator.answer(dialect).serialised
        for _ in 0..<4 {
            let bytes = Bytes(mutated(original, &generator))
            let verdict = try? judge(bytes.text, dialect).get()
            guard let answer = try? JSONValue.parse(bytes.text),
                let rendition = try? stream(from: answer, dialect)
            else { continue }
            #expect(verdict != nil)
            #expect(watch(rendition.bytes.array, dialect).verdict != nil, "seed \(seed): \(bytes.text)")
        }
    }

    @Test(arguments: Dialect.allCases)
    func `noise is refused`(dialect: Dialect) {
        var random = SeededRandom(seed: 1)
        for _ in 0..<500 {
            let bytes = (0..<Int.random(in: 0..<200, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            #expect(watch(bytes, dialect).verdict == nil)
            #expect(throws: (any Error).self) { try whole(from: Bytes(bytes), dialect) }
        }
    }

    @Test(arguments: Dialect.allCases)
    func `deep nesting is refused`(dialect: Dialect) {
        let bomb = String(repeating: #"{"choices":["#, count: 100_000)
        #expect(watch(events(bomb), dialect).failure == .malformed)
        #expect(throws: NotStored.malformed) { try judge(bomb, dialect).get() }
    }

    /// One to three edits: a byte changed, a run removed, repeated or replaced by something JSON-like.
    private func mutated(_ original: [UInt8], _ generator: inout AnswerGenerator) -> [UInt8] {
        let tokens = [
            "null", "{}", "[]", "\"\"", "-1", "1e999", "\"index\":", "\"stop\"", "\n\n", "\r", "\\u0000", "\\ud800",
            "\u{0}",
            "data: [DONE]\n\n", "\"error\":{},", "99999999999999999999", ",", "}", "]", "\"",
        ]
        var bytes = original
        for _ in 0..<generator.count(1...3) {
            let start = generator.count(0...bytes.count)
            let end = min(bytes.count, start + generator.count(0...12))
            switch generator.count(0...4) {
            case 0 where start < bytes.count: bytes[start] = UInt8(generator.count(0...255))
            case 1: bytes.removeSubrange(start..<end)
            case 2: bytes.insert(contentsOf: bytes[start..<end], at: start)
            case 3: bytes.insert(contentsOf: generator.pick(tokens).utf8, at: start)
            default: bytes.replaceSubrange(start..<end, with: generator.pick(tokens).utf8)
            }
        }
        return bytes
    }
}
