import Core

/// A model's folder in memory.
package struct MemoryModel: ModelFolder {
    package var files: [String: [UInt8]]
    package var name: String { "memory" }

    package init(_ files: [String: [UInt8]]) { self.files = files }

    package func open(_ path: String) throws(ModelFileFault) -> (any ModelFile)? { files[path].map(MemoryFile.init) }

    /// A BERT of random weights, small enough for a loop over many.
    package static func tiny(seed: UInt64) -> MemoryModel {
        var random = SeededRandom(seed: seed)
        let width = 16
        let inner = 24
        var tensors: [(name: String, shape: [Int])] = [
            ("embeddings.word_embeddings.weight", [12, width]),
            ("embeddings.position_embeddings.weight", [10, width]),
            ("embeddings.token_type_embeddings.weight", [2, width]),
            ("embeddings.LayerNorm.weight", [width]), ("embeddings.LayerNorm.bias", [width]),
        ]
        for layer in 0..<2 {
            let name = "encoder.layer.\(layer)."
            let dense = [
                ("attention.self.query", width, width), ("attention.self.key", width, width),
                ("attention.self.value", width, width), ("attention.output.dense", width, width),
                ("intermediate.dense", inner, width), ("output.dense", width, inner),
            ]
            for (part, outputs, inputs) in dense {
                tensors.append((name + part + ".weight", [outputs, inputs]))
                tensors.append((name + part + ".bias", [outputs]))
            }
            for part in ["attention.output.LayerNorm", "output.LayerNorm"] {
                tensors.append((name + part + ".weight", [width]))
                tensors.append((name + part + ".bias", [width]))
            }
        }
        let words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "one", "two", "##s", ".", "t", "##e", "##n"]
        return MemoryModel([
            "config.json": Array(tinyConfiguration.utf8),
            "vocab.txt": Array((words.joined(separator: "\n") + "\n").utf8),
            "model.safetensors": safetensors(
                tensors.map { ($0.name, "F32", $0.shape, numbers($0.shape.reduce(1, *), &random)) }),
        ])
    }

    package static let tinyConfiguration = """
        {"model_type": "bert", "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2,
        "intermediate_size": 24, "vocab_size": 12, "max_position_embeddings": 10, "type_vocab_size": 2,
        "hidden_act": "gelu", "layer_norm_eps": 1e-12}
        """

    /// A file in the safetensors format.
    package static func safetensors(_ tensors: [(name: String, type: String, shape: [Int], bytes: [UInt8])]) -> [UInt8]
    {
        var content: [UInt8] = []
        var members: [String] = []
        for tensor in tensors {
            let range = [content.count, content.count + tensor.bytes.count]
            content += tensor.bytes
            members.append(
                #""\#(tensor.name)":{"dtype":"\#(tensor.type)","shape":\#(tensor.shape),"data_offsets":\#(range)}"#)
        }
        return safetensors(header: "{" + members.joined(separator: ",") + "}", content: content)
    }

    package static func safetensors(header: String, content: [UInt8]) -> [UInt8] {
        withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) } + Array(header.utf8) + content
    }

    /// Little-endian single-precision numbers from -1 to 1.
    private static func numbers(_ count: Int, _ random: inout SeededRandom) -> [UInt8] {
        (0..<count).flatMap { _ in
            withUnsafeBytes(of: Float.random(in: -1...1, using: &random).bitPattern.littleEndian) { Array($0) }
        }
    }
}

private final class MemoryFile: ModelFile {
    private let bytes: [UInt8]
    init(_ bytes: [UInt8]) { self.bytes = bytes }
    var size: Int { bytes.count }

    func read(at offset: Int, into target: UnsafeMutableRawBufferPointer) throws(ModelFileFault) {
        guard offset + target.count <= bytes.count else { throw ModelFileFault("is too short") }
        target.copyBytes(from: bytes[offset..<offset + target.count])
    }
}
