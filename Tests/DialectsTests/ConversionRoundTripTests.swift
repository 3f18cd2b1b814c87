import Core
import Dialects
import TestKit
import Testing

struct ConversionRoundTripTests {
    static let streamed: [Dialect] = [.chat, .completions, .messages, .responses]

    /// Whole answers rendered as streams and put together again, 100 seeds a dialect.
    @Test(arguments: streamed, 0..<100)
    func `an answer survives the way to a stream and back`(dialect: Dialect, seed: UInt64) throws {
        var generator = AnswerGenerator(seed: seed)
        let answer = generator.answer(dialect)
        let rendition = try stream(from: answer, dialect)
        let seen = watch(rendition.bytes.array, dialect)
        let verdict = try seen.result.get()
        #expect(try judge(String(decoding: answer.serialised, as: UTF8.self), dialect).get() == verdict)
        #expect(seen.text(.wire).isEmpty)
        let usage = rendition.bytes.array[rendition.usageStart..<rendition.usageEnd]
        #expect(seen.text(.usage) == String(decoding: usage, as: UTF8.self))
        #expect(try whole(from: rendition.bytes, dialect) == answer)
    }

    @Test(arguments: streamed, 0..<100)
    func `the pieces of a stream do not depend on how it arrives`(dialect: Dialect, seed: UInt64) throws {
        var generator = AnswerGenerator(seed: seed)
        var bytes = try stream(from: generator.answer(dialect), dialect).bytes.array
        if seed % 2 == 0 { bytes = Array(": keep-alive\n\n\n".utf8) + bytes }
        if seed % 3 == 0 { bytes = bytes.flatMap { $0 == 0x0A ? [0x0D, 0x0A] : [$0] } }
        let together = watch(bytes, dialect)
        let cuts = (0..<generator.count(1...30)).map { _ in generator.count(0...bytes.count) }
        let cut = watch(bytes, dialect, cuts: cuts)
        #expect(cut.pieces == together.pieces)
        #expect(try cut.result.get() == together.result.get())
        #expect(together.everything == String(decoding: bytes, as: UTF8.self))
    }

    @Test(arguments: streamed, 0..<20)
    func `a stream that lacks its last events is not taken for the answer`(dialect: Dialect, seed: UInt64) throws {
        var generator = AnswerGenerator(seed: seed)
        let bytes = try stream(from: generator.answer(dialect), dialect).bytes.array
        // The usage chunk and `[DONE]` may be missing, the end of the last choice may not.
        let last = watch(bytes, dialect).pieces.filter {
            $0.kind == .answer && $0.text != "data: [DONE]\n\n"
        }.last?.text
        let end =
            bytes.count
            - watch(bytes, dialect).pieces.reversed().prefix { $0.text != last }.reduce(0) {
                $0 + $1.text.utf8.count
            }
        for _ in 0..<10 {
            let length = generator.count(0...(end - 2))
            #expect(watch(Array(bytes[..<length]), dialect).failure == .incomplete, "cut at \(length)")
        }
    }

    @Test func `embeddings have one form`() {
        #expect(throws: ConversionFailure.unsupported) { try stream(from: [:], .embeddings) }
        #expect(throws: ConversionFailure.unsupported) { try whole(from: "", .embeddings) }
    }
}
