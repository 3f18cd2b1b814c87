import Core
import Foreign
import Matrix
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
        ("\"hidden_size\": 16", "\"hidden_size\": 2147483648", "hidden_size that is not a whole number"),
        ("\"hidden_size\": 16", "\"hidden_size\": 4096", "where config.json asks for"),
        ("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 1000000", "num_hidden_layers that is not a whole number"),
        ("\"vocab_size\": 12", "\"vocab_size\": 1000000", "where config.json asks for [1000000, 16]"),
        ("\"vocab_size\": 12", "\"vocab_size\": 13", "where config.json asks for [13, 16]"),
        ("\"num_attention_heads\": 2", "\"num_attention_heads\": 3", "do not divide"),
        ("\"layer_norm_eps\": 1e-12", "\"layer_norm_eps\": 0", "layer_norm_eps"),
        ("\"vocab_size\": 12", "\"vocab_size\": 11", "vocab.txt has tokens with ids beyond the vocab_size of 11"),
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

    @Test(arguments: [Float.nan, .infinity, -.infinity, 1.1e6, -.greatestFiniteMagnitude])
    func numbersThatAreNone(number: Float) throws {
        var model = MemoryModel.tiny(seed: 1)
        var file = try #require(model.files["model.safetensors"])
        let bytes = withUnsafeBytes(of: number.bitPattern.littleEndian) { Array($0) }
        file.replaceSubrange((file.count - 4)..., with: bytes)
        model.files["model.safetensors"] = file
        expectFault(model, "infinite, not a number or beyond a million")
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

    /// The largest numbers that are read, and the smallest, in every layer and precision: vectors are numbers all the same,
    /// or the fault says that they are none.
    @Test(arguments: [Safetensors.greatest, -Safetensors.greatest, .leastNonzeroMagnitude, 0])
    func extremeWeights(number: Float) throws {
        var random = SeededRandom(seed: Seed.given)
        let whole = try #require(MemoryModel.tiny(seed: 2).files["model.safetensors"])
        let start = 8 + Int(whole[0]) + Int(whole[1]) << 8
        let bytes = withUnsafeBytes(of: number.bitPattern.littleEndian) { Array($0) }
        for (precision, share) in [MatrixPrecision.fp32, .bf16, .int8].flatMap({ [($0, 1), ($0, 3), ($0, 100)] })
        where try DNNLKernels.precisions.contains(precision) {
            var model = MemoryModel.tiny(seed: 2)
            var file = whole
            for place in stride(from: start, to: whole.count, by: 4)
            where Int.random(in: 0..<share, using: &random) == 0 {
                file.replaceSubrange(place..<place + 4, with: bytes)
            }
            model.files["model.safetensors"] = file
            let encoder = try Models.tiny(model, try Models.kernels(precision))
            let tokens = try #require(encoder.tokenize("one two"))
            let encoded = Result { () throws(MatrixFault) in
                try encoder.encode([(tokens, true)], try encoder.makePass(tokens: 8))
            }
            switch encoded {
            case .success(let texts):
                #expect(texts[0].vector.allSatisfy { $0.isFinite }, "\(precision) seed \(Seed.given)")
            case .failure(let fault):
                #expect(fault.description.contains("no numbers"), "\(precision) seed \(Seed.given)")
            }
        }
    }

    /// The small files of a folder with bytes changed, dropped or doubled anywhere: a fault or a model that can be run.
    @Test(arguments: [
        "config.json", "vocab.txt", "tokenizer.json", "tokenizer_config.json", "1_Pooling/config.json", "modules.json",
    ])
    func damagedDocuments(name: String) throws {
        let seed = Seed.given
        var random = SeededRandom(seed: seed)
        let whole = Array(try #require(Self.documents[name]).utf8)
        for round in 0..<400 {
            var file = whole
            for _ in 0..<Int.random(in: 1...3, using: &random) where !file.isEmpty {
                let place = Int.random(in: 0..<file.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: file[place] = UInt8.random(in: 0...255, using: &random)
                case 1: file.removeSubrange(place..<min(file.count, place + Int.random(in: 1...8, using: &random)))
                case 2: file.insert(contentsOf: "999999999999".utf8, at: place)
                default: file.insert(contentsOf: file[place..<min(file.count, place + 12)], at: place)
                }
            }
            var model = MemoryModel.tiny(seed: 2)
            model.files[name] = file
            guard let encoder = try? Models.tiny(model) else { continue }
            guard let tokens = encoder.tokenize("one two") else { continue }
            let encoded = try encoder.encode([(tokens, true)], try encoder.makePass(tokens: 8))
            #expect(encoded[0].vector.count == encoder.width, "seed \(seed) round \(round)")
        }
    }

    private static let documents = [
        "config.json": MemoryModel.tinyConfiguration,
        "vocab.txt": "[PAD]\n[UNK]\n[CLS]\n[SEP]\none\ntwo\n##s\n",
        "tokenizer.json":
            #"{"model":{"type":"WordPiece","unk_token":"[UNK]","vocab":{"[UNK]":1,"[CLS]":2,"[SEP]":3,"one":5,"two":6}},"#
            + #""post_processor":{"type":"BertProcessing","sep":["[SEP]",3],"cls":["[CLS]",2]},"#
            + #""normalizer":{"type":"BertNormalizer","lowercase":true},"pre_tokenizer":{"type":"BertPreTokenizer"},"#
            + #""added_tokens":[{"id":1,"content":"[UNK]","special":true}]}"#,
        "tokenizer_config.json": #"{"do_lower_case":true,"strip_accents":null,"tokenize_chinese_chars":false}"#,
        "1_Pooling/config.json": #"{"pooling_mode_cls_token":true,"pooling_mode_mean_tokens":false}"#,
        "modules.json": #"[{"type":"a.Transformer","path":""},{"type":"a.Pooling","path":"1_Pooling"}]"#,
    ]

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
