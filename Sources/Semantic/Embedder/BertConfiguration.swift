import Core
import Dialects

/// What a folder says about its model: a BERT-family encoder as Hugging Face and sentence-transformers describe it.
package struct BertConfiguration: Sendable, Equatable {
    package enum Pooling: Sendable, Equatable {
        /// The mean of all token vectors.
        case mean
        /// The vector of the first token.
        case cls
    }

    /// Width of a token's vector, and of the text's.
    package var width: Int
    package var layers: Int
    package var heads: Int
    package var innerWidth: Int
    package var vocabulary: Int
    package var positions: Int
    package var tokenTypes: Int
    package var epsilon: Float
    package var pooling: Pooling
    /// Longest text in tokens, those around it included.
    package var window: Int
    /// Put before every text, as the model was trained.
    package var prompt: String

    package var headWidth: Int { width / heads }

    package init(folder: any ModelFolder) throws(ModelFault) {
        guard let json = try ModelDocument.json("config.json", in: folder) else {
            throw ModelFault("", "in \(folder.name) has no config.json: is that the folder of a model?")
        }
        let config = ModelObject(path: "config.json", value: json)
        try BertConfiguration.checkKind(config)
        width = try config.required("hidden_size", in: 8...4096)
        layers = try config.required("num_hidden_layers", in: 1...64)
        heads = try config.required("num_attention_heads", in: 1...128)
        innerWidth = try config.required("intermediate_size", in: 8...16384)
        vocabulary = try config.required("vocab_size", in: 8...1_000_000)
        positions = try config.required("max_position_embeddings", in: 4...8192)
        tokenTypes = try config.integer("type_vocab_size", in: 1...16) ?? 2
        epsilon = try BertConfiguration.epsilon(json)
        guard width.isMultiple(of: heads), width.isMultiple(of: 8), innerWidth.isMultiple(of: 8) else {
            throw ModelFault(config.path, "has a hidden_size that its heads, or eight, do not divide")
        }
        pooling = try BertConfiguration.pooling(folder)
        window = min(positions, try BertConfiguration.longest(folder) ?? positions)
        prompt = try BertConfiguration.prompt(folder)
    }

    private static func checkKind(_ config: ModelObject) throws(ModelFault) {
        let kind = try config.text("model_type") ?? "bert"
        guard kind == "bert" else {
            throw ModelFault(config.path, "describes a model of type \(kind); only bert can be run")
        }
        let activation = try config.text("hidden_act") ?? "gelu"
        guard activation == "gelu" else {
            throw ModelFault(config.path, "asks for the activation \(activation); only gelu can be run")
        }
        let position = try config.text("position_embedding_type") ?? "absolute"
        guard position == "absolute" else {
            throw ModelFault(config.path, "asks for \(position) positions; only absolute ones can be run")
        }
    }

    private static func epsilon(_ config: JSONValue) throws(ModelFault) -> Float {
        guard let value = config["layer_norm_eps"], !value.isNull else { return 1e-12 }
        guard case .number(let spelling) = value, let number = Float(spelling), number > 0, number <= 0.1 else {
            throw ModelFault("config.json", "has a layer_norm_eps that is not a small positive number")
        }
        return number
    }

    /// From modules.json and the file it points to; the mean where a folder has neither, as the reference does.
    private static func pooling(_ folder: any ModelFolder) throws(ModelFault) -> Pooling {
        var path = "1_Pooling"
        if let modules = try ModelDocument.json("modules.json", in: folder) {
            guard let elements = modules.elements else { throw ModelFault("modules.json", "is not a list") }
            var found: String?
            for element in elements {
                let kind = element["type"]?.text?.split(separator: ".").last.map(String.init) ?? ""
                switch kind {
                case "Transformer", "Normalize": break
                case "Pooling": found = element["path"]?.text ?? path
                default: throw ModelFault("modules.json", "lists a module \"\(kind)\" that cannot be run")
                }
            }
            guard let found else { return .mean }
            path = found
        }
        let file = path + "/config.json"
        guard let json = try ModelDocument.json(file, in: folder) else { return .mean }
        let config = ModelObject(path: file, value: json)
        for other in ["max_tokens", "mean_sqrt_len_tokens", "weightedmean_tokens", "lasttoken"]
        where try config.bool("pooling_mode_" + other) == true {
            throw ModelFault(file, "asks for pooling_mode_\(other); only mean and cls can be run")
        }
        let isMean = try config.bool("pooling_mode_mean_tokens") ?? false
        let isFirst = try config.bool("pooling_mode_cls_token") ?? false
        guard isMean != isFirst else { throw ModelFault(file, "must ask for exactly one of mean and cls pooling") }
        return isMean ? .mean : .cls
    }

    private static func longest(_ folder: any ModelFolder) throws(ModelFault) -> Int? {
        let path = "sentence_bert_config.json"
        guard let json = try ModelDocument.json(path, in: folder) else { return nil }
        return try ModelObject(path: path, value: json).integer("max_seq_length", in: 4...65536)
    }

    private static func prompt(_ folder: any ModelFolder) throws(ModelFault) -> String {
        let path = "config_sentence_transformers.json"
        guard let json = try ModelDocument.json(path, in: folder) else { return "" }
        guard let name = try ModelObject(path: path, value: json).text("default_prompt_name") else { return "" }
        guard let prompt = json["prompts"]?[name]?.text else {
            throw ModelFault(path, "names \"\(name)\" as its prompt and does not have it")
        }
        return prompt
    }
}
