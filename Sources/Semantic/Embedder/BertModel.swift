import Core

/// A BERT encoder's weights (Devlin et al., "BERT: Pre-training of Deep Bidirectional Transformers", 2019), ready to be
/// multiplied.
package final class BertModel: Sendable {
    struct Normalization: Sendable {
        var scale: [Float]
        var shift: [Float]
    }

    struct Layer: Sendable {
        var query: any MatrixLayer
        var key: any MatrixLayer
        var value: any MatrixLayer
        var attentionOutput: any MatrixLayer
        var attentionNormalization: Normalization
        var inner: any MatrixLayer
        var output: any MatrixLayer
        var outputNormalization: Normalization
    }

    package let configuration: BertConfiguration
    let words: EmbeddingTable
    /// For each position, the vector of the first token type included.
    let positions: [Float]
    let embeddingNormalization: Normalization
    let layers: [Layer]
    /// Of all weights.
    package let fingerprint: UInt64

    package init(
        _ configuration: BertConfiguration, folder: any ModelFolder, kernels: any MatrixKernels,
        checksum: any Checksumming
    ) throws(ModelFault) {
        var reader = try BertReader(configuration, folder, kernels, checksum)
        self.configuration = configuration
        words = try reader.words()
        positions = try reader.positions()
        embeddingNormalization = try reader.normalization("embeddings.LayerNorm")
        var layers: [Layer] = []
        for index in 0..<configuration.layers { layers.append(try reader.layer(index)) }
        self.layers = layers
        fingerprint = reader.fingerprint
    }
}

/// Reads the weights of one file in order and sums up what it saw.
private struct BertReader {
    private let configuration: BertConfiguration
    private let kernels: any MatrixKernels
    private let checksum: any Checksumming
    private let file: Safetensors
    private let prefix: String
    private var sums: [UInt64] = []
    /// The normalisation that was read last: in this order, that of the next layer's inputs.
    private var latest: BertModel.Normalization?

    init(
        _ configuration: BertConfiguration, _ folder: any ModelFolder, _ kernels: any MatrixKernels,
        _ checksum: any Checksumming
    ) throws(ModelFault) {
        self.configuration = configuration
        self.kernels = kernels
        self.checksum = checksum
        file = try Safetensors("model.safetensors", in: folder)
        // A checkpoint that was saved with a head on top of the encoder names it.
        prefix = file.tensors["bert.embeddings.word_embeddings.weight"] == nil ? "" : "bert."
    }

    var fingerprint: UInt64 { sums.withUnsafeBytes { checksum.checksum($0) } }

    mutating func words() throws(ModelFault) -> EmbeddingTable {
        var seen: [UInt64] = []
        let table = try EmbeddingTable(
            file, prefix + "embeddings.word_embeddings.weight", rows: configuration.vocabulary,
            width: configuration.width, precision: kernels.precision, seen: { seen.append(checksum.checksum($0)) })
        sums += seen
        return table
    }

    mutating func positions() throws(ModelFault) -> [Float] {
        let width = configuration.width
        var positions = try numbers("embeddings.position_embeddings.weight", [configuration.positions, width])
        let types = try numbers("embeddings.token_type_embeddings.weight", [configuration.tokenTypes, width])
        // Behind the window nothing is read.
        positions = Array(positions.prefix(configuration.window * width))
        // Text alone has the first type everywhere.
        for index in positions.indices { positions[index] += types[index % width] }
        return positions
    }

    mutating func normalization(_ name: String) throws(ModelFault) -> BertModel.Normalization {
        let normalization = BertModel.Normalization(
            scale: try numbers(name + ".weight", [configuration.width]),
            shift: try numbers(name + ".bias", [configuration.width]))
        latest = normalization
        return normalization
    }

    mutating func layer(_ index: Int) throws(ModelFault) -> BertModel.Layer {
        let name = "encoder.layer.\(index)."
        let (width, inner) = (configuration.width, configuration.innerWidth)
        return BertModel.Layer(
            query: try dense(name + "attention.self.query", width, width, .plain, isNormalized: true),
            key: try dense(name + "attention.self.key", width, width, .plain, isNormalized: true),
            value: try dense(name + "attention.self.value", width, width, .plain, isNormalized: true),
            attentionOutput: try dense(name + "attention.output.dense", width, width, .accumulate),
            attentionNormalization: try normalization(name + "attention.output.LayerNorm"),
            inner: try dense(name + "intermediate.dense", width, inner, .gelu, isNormalized: true),
            output: try dense(name + "output.dense", inner, width, .accumulate),
            outputNormalization: try normalization(name + "output.LayerNorm"))
    }

    private mutating func dense(
        _ name: String, _ inputs: Int, _ outputs: Int, _ end: DenseLayer.End, isNormalized: Bool = false
    ) throws(ModelFault) -> any MatrixLayer {
        let weights = try numbers(name + ".weight", [outputs, inputs])
        let bias = try numbers(name + ".bias", [outputs])
        let expected = isNormalized ? latest.map { DenseLayer.Expected(means: $0.shift, deviations: $0.scale) } : nil
        do throws(MatrixFault) {
            return try kernels.layer(
                DenseLayer(
                    inputs: inputs, outputs: outputs, weights: weights, bias: bias, end: end,
                    expected: expected))
        } catch {
            throw ModelFault("", "cannot be multiplied on this machine: \(error)")
        }
    }

    private mutating func numbers(_ name: String, _ shape: [Int]) throws(ModelFault) -> [Float] {
        var seen: [UInt64] = []
        let numbers = try file.numbers(prefix + name, shape: shape, seen: { seen.append(checksum.checksum($0)) })
        sums += seen
        return numbers
    }
}
