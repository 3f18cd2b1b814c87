import Core
import Dialects

/// What a folder says about its tokenizer: tokenizer.json, or vocab.txt and tokenizer_config.json.
struct TokenizerConfiguration {
    struct Special {
        var text: String
        var id: Int32
    }

    var normalizer = BertNormalizer()
    var tokens: [(text: String, id: Int32)] = []
    /// Texts that stand for one token each, wherever they are found.
    var specials: [Special] = []
    var prefix = "##"
    var longestWord = 100
    var unknown: Int32
    /// Put before and behind every text.
    var first: Int32
    var last: Int32

    /// - Parameter size: how many ids the model has vectors for.
    init(folder: any ModelFolder, size: Int) throws(ModelFault) {
        let path: String
        if let json = try ModelDocument.json("tokenizer.json", in: folder) {
            path = "tokenizer.json"
            self = try TokenizerConfiguration(json, ModelObject(path: "tokenizer.json", value: json))
        } else if let vocabulary = try ModelDocument.bytes("vocab.txt", in: folder) {
            path = "vocab.txt"
            self = try TokenizerConfiguration(vocabulary: vocabulary, folder)
        } else {
            throw ModelFault(
                "", "in \(folder.name) has neither tokenizer.json nor vocab.txt: fetch one of them, too")
        }
        let ids = tokens.map(\.id) + specials.map(\.id) + [unknown, first, last]
        guard let largest = ids.max(), let smallest = ids.min(), smallest >= 0, Int(largest) < size else {
            throw ModelFault(
                path, "has tokens with ids beyond the vocab_size of \(size) in config.json: are they of one model?")
        }
    }

    private static func fault(_ reason: String) -> ModelFault { ModelFault("tokenizer.json", reason) }

    // MARK: tokenizer.json

    private init(_ json: JSONValue, _ root: ModelObject) throws(ModelFault) {
        guard let model = json["model"], let vocabulary = model["vocab"]?.object, !vocabulary.members.isEmpty,
            model["type"]?.text ?? "WordPiece" == "WordPiece"
        else { throw TokenizerConfiguration.fault("is not a WordPiece tokenizer, the only kind that can be run") }
        let settings = ModelObject(path: root.path, value: model)
        let longest = 1 << 15
        tokens = []
        for member in vocabulary.members {
            guard let id = member.value.integer.flatMap(Int32.init(exactly:)), member.name.utf8.count <= longest else {
                throw TokenizerConfiguration.fault("has a token whose id is not a whole number")
            }
            tokens.append((member.name, id))
        }
        prefix = try settings.text("continuing_subword_prefix") ?? "##"
        longestWord = try settings.integer("max_input_chars_per_word", in: 1...1000) ?? 100
        let unknownText = try settings.text("unk_token") ?? "[UNK]"
        guard let unknown = vocabulary[unknownText]?.integer else {
            throw TokenizerConfiguration.fault("has no token \(unknownText) for what it does not know")
        }
        self.unknown = Int32(truncatingIfNeeded: unknown)
        (first, last) = try TokenizerConfiguration.frame(json["post_processor"])
        normalizer = try TokenizerConfiguration.normalizer(json["normalizer"])
        guard json["pre_tokenizer"]?["type"]?.text == "BertPreTokenizer" else {
            throw TokenizerConfiguration.fault("splits words in another way than BERT")
        }
        specials = try TokenizerConfiguration.specials(json["added_tokens"])
    }

    private static func normalizer(_ json: JSONValue?) throws(ModelFault) -> BertNormalizer {
        guard let json, json["type"]?.text == "BertNormalizer" else {
            throw fault("normalises text in another way than BERT")
        }
        let settings = ModelObject(path: "tokenizer.json", value: json)
        let lowers = try settings.bool("lowercase") ?? true
        return BertNormalizer(
            cleansText: try settings.bool("clean_text") ?? true,
            spacesChinese: try settings.bool("handle_chinese_chars") ?? true,
            stripsAccents: try settings.bool("strip_accents") ?? lowers, lowersCase: lowers)
    }

    private static func specials(_ json: JSONValue?) throws(ModelFault) -> [Special] {
        var specials: [Special] = []
        for element in json?.elements ?? [] {
            guard let text = element["content"]?.text, !text.isEmpty,
                let id = element["id"]?.integer.flatMap(Int32.init(exactly:))
            else { throw fault("has an added token without a content or an id") }
            for flag in ["single_word", "lstrip", "rstrip", "normalized"] where element[flag] == .bool(true) {
                throw fault("has an added token \(text) with \(flag), which cannot be run")
            }
            specials.append(Special(text: text, id: id))
        }
        return specials
    }

    /// The tokens around a text.
    private static func frame(_ json: JSONValue?) throws(ModelFault) -> (Int32, Int32) {
        if let json, json["type"]?.text == "BertProcessing",
            let first = json["cls"]?.elements?.last?.integer.flatMap(Int32.init(exactly:)),
            let last = json["sep"]?.elements?.last?.integer.flatMap(Int32.init(exactly:))
        {
            return (first, last)
        }
        guard let json, json["type"]?.text == "TemplateProcessing", let parts = json["single"]?.elements,
            parts.count == 3, parts[1]["Sequence"] != nil, let first = special(parts[0], json),
            let last = special(parts[2], json)
        else { throw fault("does not put one token before and one behind a text, as BERT does") }
        return (first, last)
    }

    private static func special(_ part: JSONValue, _ json: JSONValue) -> Int32? {
        guard let name = part["SpecialToken"]?["id"]?.text else { return nil }
        return json["special_tokens"]?[name]?["ids"]?.elements?.first?.integer.flatMap(Int32.init(exactly:))
    }

    // MARK: vocab.txt

    private init(vocabulary: Bytes, _ folder: any ModelFolder) throws(ModelFault) {
        let path = "vocab.txt"
        guard let text = vocabulary.withUnsafeBytes({ String(validating: $0, as: UTF8.self) }) else {
            throw ModelFault(path, "is not UTF-8")
        }
        var lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }
        guard lines.count <= 1_000_000, lines.allSatisfy({ $0.count < 1 << 15 }) else {
            throw ModelFault(path, "has more than a million lines, or one that is no token")
        }
        tokens = lines.enumerated().map { index, line in
            (String(Substring(line).trimmingLineEnd), Int32(index))
        }
        let ids = Dictionary(tokens.map { ($0.text, $0.id) }) { _, later in later }
        func id(_ token: String) throws(ModelFault) -> Int32 {
            guard let id = ids[token] else { throw ModelFault(path, "has no line \(token)") }
            return id
        }
        unknown = try id("[UNK]")
        first = try id("[CLS]")
        last = try id("[SEP]")
        specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"].compactMap { token in
            ids[token].map { Special(text: token, id: $0) }
        }
        normalizer = try TokenizerConfiguration.normalizer(of: folder)
    }

    private static func normalizer(of folder: any ModelFolder) throws(ModelFault) -> BertNormalizer {
        let path = "tokenizer_config.json"
        guard let json = try ModelDocument.json(path, in: folder) else { return BertNormalizer() }
        let settings = ModelObject(path: path, value: json)
        guard try settings.bool("do_basic_tokenize") ?? true else {
            throw ModelFault(path, "switches BERT's word splitting off, which cannot be run")
        }
        let lowers = try settings.bool("do_lower_case") ?? true
        return BertNormalizer(
            spacesChinese: try settings.bool("tokenize_chinese_chars") ?? true,
            stripsAccents: try settings.bool("strip_accents") ?? lowers, lowersCase: lowers)
    }
}

extension Substring {
    /// Without white space at its end, line ends of another system among it.
    fileprivate var trimmingLineEnd: Substring {
        var view = unicodeScalars[...]
        while let last = view.last, last.properties.isWhitespace { view.removeLast() }
        return Substring(view)
    }
}
