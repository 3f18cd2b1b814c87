import Core
import Foreign
import TestKit
import Testing

@testable import Semantic

/// What a folder may hold that is not a model: a clear error, and nothing else happens.
@Suite struct ModelFileTests {
    @Test(arguments: [
        ("config.json", nil, "has no config.json"), ("config.json", "[", "is not JSON"),
        ("config.json", "{}", "has no hidden_size"),
        ("vocab.txt", nil, "has neither tokenizer.json nor vocab.txt"), ("vocab.txt", "one\n", "has no line [UNK]"),
        ("model.safetensors", nil, "model.safetensors is missing"),
        ("model.safetensors", "short", "is too short"),
        ("modules.json", "{}", "is not a list"),
        ("modules.json", #"[{"type":"sentence_transformers.models.Dense"}]"#, "lists a module \"Dense\""),
        ("1_Pooling/config.json", #"{"pooling_mode_max_tokens":true}"#, "asks for pooling_mode_max_tokens"),
        ("1_Pooling/config.json", #"{"pooling_mode_mean_tokens":1}"#, "is not true or false"),
        ("1_Pooling/config.json", "{}", "exactly one of mean and cls"),
        ("sentence_bert_config.json", #"{"max_seq_length":1}"#, "has a max_seq_length"),
        ("config_sentence_transformers.json", #"{"default_prompt_name":"query"}"#, "names \"query\" as its prompt"),
    ])
    func aFileThatIsWrong(file: String, content: String?, reason: String) {
        var model = MemoryModel.tiny(seed: 1)
        model.files[file] = content.map { Array($0.utf8) }
        expectFault(model, reason)
    }

    @Test(arguments: [
        ("\"bert\"", "\"roberta\"", "a model of type roberta"), ("\"gelu\"", "\"relu\"", "the activation relu"),
        ("\"hidden_size\": 16", "\"hidden_size\": 1000000", "hidden_size that is not a whole number"),
        ("\"hidden_size\": 16", "\"hidden_size\": -1", "hidden_size that is not a whole number"),
        ("\"num_attention_heads\": 2", "\"num_attention_heads\": 3", "do not divide"),
        ("\"layer_norm_eps\": 1e-12", "\"layer_norm_eps\": 0", "layer_norm_eps"),
        ("\"vocab_size\": 12", "\"vocab_size\": 11", "beyond its vocab_size"),
        ("\"intermediate_size\": 24", "\"intermediate_size\": 32", "where config.json asks for"),
        ("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3", "has no tensor encoder.layer.2"),
        (
            "\"hidden_act\"", "\"position_embedding_type\": \"relative_key\", \"hidden_act\"",
            "asks for relative_key positions"
        ),
    ])
    func aConfigurationThatIsWrong(old: String, new: String, reason: String) {
        var model = MemoryModel.tiny(seed: 1)
        let text = MemoryModel.tinyConfiguration.split(separator: old, omittingEmptySubsequences: false)
        #expect(text.count == 2)
        model.files["config.json"] = Array(text.joined(separator: new).utf8)
        expectFault(model, reason)
    }

    @Test(arguments: [
        ("", "is not JSON"), ("[]", "is not an object"), (#"{"a":{}}"#, "gives a no dtype"),
        (#"{"a":{"dtype":"F32"}}"#, "gives a no shape"), (#"{"a":{"dtype":"F32","shape":[-1]}}"#, "whole numbers"),
        (#"{"a":{"dtype":"F32","shape":[1]}}"#, "places a outside"),
        (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#, "places a outside"),
        (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,9]}}"#, "places a outside"),
        (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,99999999999999999999]}}"#, "places a outside"),
        (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, "has no tensor"),
        (
            #"{"embeddings.word_embeddings.weight":{"dtype":"F32","shape":[12,16],"data_offsets":[0,8]}}"#,
            "8 bytes for 192 numbers"
        ),
        (
            #"{"embeddings.word_embeddings.weight":{"dtype":"I8","shape":[12,16],"data_offsets":[0,8]}}"#,
            "only F32, F16 and BF16"
        ),
    ])
    func aHeaderThatIsWrong(header: String, reason: String) {
        var model = MemoryModel.tiny(seed: 1)
        model.files["model.safetensors"] = MemoryModel.safetensors(
            header: header, content: [UInt8](repeating: 0, count: 8))
        expectFault(model, reason)
    }

    @Test(arguments: [UInt64(1) << 63, .max, 1 << 40, 1 << 24])
    func aHeaderLongerThanTheFile(length: UInt64) {
        var model = MemoryModel.tiny(seed: 1)
        model.files["model.safetensors"] = withUnsafeBytes(of: length.littleEndian) { Array($0) } + Array("{}".utf8)
        expectFault(model, "declares a header")
    }

    @Test(arguments: [Float.nan, .infinity, -.infinity])
    func numbersThatAreNone(number: Float) throws {
        var model = MemoryModel.tiny(seed: 1)
        var file = try #require(model.files["model.safetensors"])
        let bytes = withUnsafeBytes(of: number.bitPattern.littleEndian) { Array($0) }
        file.replaceSubrange((file.count - 4)..., with: bytes)
        model.files["model.safetensors"] = file
        expectFault(model, "infinite or not a number")
    }

    /// Cut anywhere, or with bytes changed anywhere: a fault or a model that can be run, never a crash.
    @Test func damagedWeights() throws {
        let seed = Seed.given
        var random = SeededRandom(seed: seed)
        let whole = try #require(MemoryModel.tiny(seed: 2).files["model.safetensors"])
        let headerEnd = 8 + Int(whole[0]) + Int(whole[1]) << 8
        for round in 0..<300 {
            var model = MemoryModel.tiny(seed: 2)
            var file = whole
            if round.isMultiple(of: 2) {
                file.removeLast(Int.random(in: 1...whole.count, using: &random))
                model.files["model.safetensors"] = file
                #expect(throws: ModelFault.self, "seed \(seed) round \(round)") { try Models.tiny(model) }
                continue
            }
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let end = Bool.random(using: &random) ? headerEnd : whole.count
                file[Int.random(in: 0..<end, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            model.files["model.safetensors"] = file
            guard let encoder = try? Models.tiny(model) else { continue }
            let pass = try encoder.makePass(tokens: 8)
            let tokens = try #require(encoder.tokenize("one two"))
            #expect(try encoder.encode([(tokens, true)], pass).count == 1, "seed \(seed) round \(round)")
        }
    }

    @Test func halvesAreRead() throws {
        // 1, -2, the largest, the least normal, the least, 0 and -0 of IEEE 754 binary16.
        let halves: [UInt16] = [0x3C00, 0xC000, 0x7BFF, 0x0400, 0x0001, 0x0000, 0x8000]
        let values: [Float] = [1, -2, 65504, 0x1p-14, 0x1p-24, 0, -0.0]
        for (half, value) in zip(halves, values) {
            #expect(Safetensors.half(half).bitPattern == value.bitPattern)
        }
        #expect(Safetensors.half(0x7C00) == .infinity)
        #expect(Safetensors.half(0x7E00).isNaN)
    }

    private func expectFault(
        _ model: MemoryModel, _ reason: String, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let fault = #expect(throws: ModelFault.self, sourceLocation: sourceLocation) { try Models.tiny(model) }
        #expect(
            fault?.description.contains(reason) == true, "\(String(describing: fault))",
            sourceLocation: sourceLocation)
    }
}
