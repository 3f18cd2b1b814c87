import Core
import Dialects
import Foreign
import Semantic
import TestKit
import Testing

@Suite struct EncoderTests {
    /// `Benchmarks/Semantic/encode.py` wrote the vectors, which ONNX Runtime computes in single precision.
    @Test func vectorsAreThoseOfTheReference() throws {
        let lines = try Models.fixture("vectors.jsonl")
        for (result, least, mean) in [(Models.exactEncoder, 0.9999, 0.9999), (Models.encoder, 0.998, 0.999)] {
            let encoder = try result.get()
            let pass = try encoder.makePass(tokens: encoder.window)
            var sum = 0.0
            for line in lines {
                let text = try #require(line["text"]?.text)
                let tokens = try #require(encoder.tokenize(text))
                #expect(tokens.ids == line["ids"]?.ids)
                let alike = cosine(try encoder.encode([(tokens, false)], pass)[0].vector, line["vector"]?.floats ?? [])
                #expect(alike >= least, "\(encoder.precision) \(text)")
                sum += alike
            }
            #expect(sum / Double(lines.count) >= mean, "\(encoder.precision)")
        }
    }

    @Test func togetherIsAsAlone() throws {
        let encoder = try Models.encoder.get()
        let pass = try encoder.makePass(tokens: 512)
        let texts = [
            "", "one", "Turn on the light", "What is the capital of Portugal?", String(repeating: "word ", count: 90),
        ]
        let tokens = try texts.map { try #require(encoder.tokenize($0)) }
        let together = try encoder.encode(tokens.map { ($0, true) }, pass)
        for (index, text) in tokens.enumerated() {
            let alone = try encoder.encode([(text, true)], pass)[0]
            #expect(cosine(alone.vector, together[index].vector) > 0.999_99)
            #expect(alone.tokens == together[index].tokens)
            let rows = try #require(together[index].tokenVectors)
            #expect(rows.count == text.ids.count * encoder.width)
            for row in 0..<text.ids.count {
                let vector = Array(rows[row * encoder.width..<(row + 1) * encoder.width])
                #expect(abs(vector.reduce(0) { $0 + $1 * $1 } - 1) < 1e-4)
            }
        }
    }

    @Test(arguments: ["mean", "cls"])
    func aSmallModelIsComputedAsInPlainLoops(pooling: String) throws {
        let seed = Seed.given
        var folder = MemoryModel.tiny(seed: seed)
        folder.files["1_Pooling/config.json"] = Array(
            #"{"pooling_mode_mean_tokens":\#(pooling == "mean"),"pooling_mode_cls_token":\#(pooling == "cls")}"#.utf8)
        let plain = try Models.tiny(folder)
        let library = try Models.tiny(folder, try Models.kernels(.fp32))
        #expect(plain.model.fingerprint == library.model.fingerprint)
        let (plainPass, libraryPass) = (try plain.makePass(tokens: 30), try library.makePass(tokens: 30))
        for text in ["", "one", "two ones twos", "t e n", "one two one two one two one two"] {
            let tokens = try #require(plain.tokenize(text))
            let expected = try plain.encode([(tokens, true)], plainPass)[0]
            let got = try library.encode([(tokens, true)], libraryPass)[0]
            #expect(cosine(expected.vector, got.vector) > 0.9999, "seed \(seed)")
            if pooling == "cls" { #expect(got.vector == Array(try #require(got.tokenVectors)[..<16])) }
        }
    }

    @Test func whatDoesNotFitIsNotCut() throws {
        let encoder = try Models.tiny(MemoryModel.tiny(seed: 1))
        #expect(encoder.window == 10)
        #expect(encoder.tokenize("one one one one one one one one") != nil)
        #expect(encoder.tokenize("one one one one one one one one one") == nil)
        #expect(encoder.tokenize(String(repeating: " ", count: 100_000)) == nil)
    }

    @Test func otherWeightsAreAnotherSpace() throws {
        let fingerprints = try (0..<3).map { try Models.tiny(MemoryModel.tiny(seed: $0)).model.fingerprint }
        #expect(Set(fingerprints).count == 3)
        #expect(try Models.tiny(MemoryModel.tiny(seed: 0)).model.fingerprint == fingerprints[0])
    }

    /// Each is another model in the same folder: what one remembers is not to be compared by the other.
    @Test func whatVectorsDependOnIsPartOfTheFingerprint() throws {
        let pooling = #"{"pooling_mode_mean_tokens":false,"pooling_mode_cls_token":true}"#
        let changes: [(String, String)] = [
            ("1_Pooling/config.json", pooling),
            ("config_sentence_transformers.json", #"{"default_prompt_name":"q","prompts":{"q":"one "}}"#),
            ("sentence_bert_config.json", #"{"max_seq_length":8}"#),
            ("tokenizer_config.json", #"{"do_lower_case":false}"#),
            ("config.json", MemoryModel.tinyConfiguration.replacing("1e-12", with: "1e-6")),
            ("config.json", MemoryModel.tinyConfiguration.replacing(#"heads": 2"#, with: #"heads": 4"#)),
            ("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\none\ntwo\n##s\n.\nt\n##n\n##e\n"),
        ]
        var seen = [try Models.tiny(MemoryModel.tiny(seed: 1)).fingerprint]
        for (file, content) in changes {
            var folder = MemoryModel.tiny(seed: 1)
            folder.files[file] = Array(content.utf8)
            let fingerprint = try Models.tiny(folder).fingerprint
            #expect(!seen.contains(fingerprint), "\(file)")
            seen.append(fingerprint)
        }
        #expect(try Models.tiny(MemoryModel.tiny(seed: 1)).fingerprint == seen[0])
        #expect(try Models.tiny(MemoryModel.tiny(seed: 2)).fingerprint != seen[0])
    }

    @Test func aPromptIsPutBeforeEachText() throws {
        var folder = MemoryModel.tiny(seed: 1)
        folder.files["config_sentence_transformers.json"] = Array(
            #"{"default_prompt_name":"query","prompts":{"query":"one "}}"#.utf8)
        #expect(try Models.tiny(folder).tokenize("two")?.ids == [2, 5, 6, 3])
    }
}
