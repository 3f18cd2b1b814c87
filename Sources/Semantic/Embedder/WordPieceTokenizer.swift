import Core

/// A text as the model reads it.
package struct TokenizedText: Sendable, Equatable {
    /// With the tokens that stand before and behind every text.
    package var ids: [Int32]
    /// How many of them stand for something that the vocabulary does not have.
    package var unknown: Int

    package init(ids: [Int32], unknown: Int) {
        self.ids = ids
        self.unknown = unknown
    }

    /// Of the tokens between the first and the last one, 0 to 1; 0 for an empty text.
    package var unknownShare: Double { ids.count > 2 ? Double(unknown) / Double(ids.count - 2) : 0 }
}

/// BERT's tokenizer: normalise, split into words at white space and punctuation, and cut each word greedily into the
/// longest pieces of the vocabulary (Wu et al., "Google's Neural Machine Translation System", 2016, section 4.1, as in
/// the `tokenizers` library of Hugging Face).
package struct WordPieceTokenizer: Sendable {
    /// How much each token tells.
    package let weights: TokenWeights
    private let normalizer: BertNormalizer
    private let vocabulary: WordPieceVocabulary
    private let specials: SpecialTokens
    private let longestWord: Int
    private let unknown: Int32
    private let first: Int32
    private let last: Int32
    /// Which scripts and languages it was made for.
    package let coverage: ScriptCoverage

    /// - Parameter size: how many ids the model has vectors for.
    package init(folder: any ModelFolder, size: Int) throws(ModelFault) {
        self.init(try TokenizerConfiguration(folder: folder, size: size))
    }

    init(_ configuration: TokenizerConfiguration) {
        normalizer = configuration.normalizer
        vocabulary = WordPieceVocabulary(configuration.tokens, prefix: configuration.prefix)
        weights = TokenWeights(configuration.tokens, prefix: configuration.prefix)
        coverage = ScriptCoverage(configuration.tokens.lazy.map(\.text))
        specials = SpecialTokens(configuration.specials)
        longestWord = configuration.longestWord
        unknown = configuration.unknown
        first = configuration.first
        last = configuration.last
    }

    /// The text's tokens, or nil where there are more than `limit`.
    package func tokenize(_ text: String, limit: Int = .max) -> TokenizedText? {
        var result = TokenizedText(ids: [first], unknown: 0)
        var scratch = Scratch()
        for part in specials.split(text) {
            switch part {
            case .special(let id):
                if id == unknown { result.unknown += 1 }
                result.ids.append(id)
                guard result.ids.count < limit else { return nil }
            case .text(let text):
                scratch.normal.removeAll(keepingCapacity: true)
                normalizer.normalize(text.unicodeScalars, into: &scratch.normal)
                guard append(&scratch, limit, &result) else { return nil }
            }
        }
        result.ids.append(last)
        return result.ids.count <= limit ? result : nil
    }

    /// The id of a word that is one token, which is the smaller the commoner the word is; nil for any other.
    func id(ofWord word: String) -> Int32? { vocabulary.id(of: word) }

    /// Memory that is used for one word after the other.
    private struct Scratch {
        var normal: [Unicode.Scalar] = []
        var bytes: [UInt8] = []
        /// Where each character ends in `bytes`.
        var ends: [Int] = []
        /// Hashes of the piece that is tried, up to each of those ends.
        var hashes: [UInt64] = []
    }

    /// Cuts a normalised text into words and those into pieces; whether there is room for them and the last token.
    private func append(_ scratch: inout Scratch, _ limit: Int, _ result: inout TokenizedText) -> Bool {
        var index = 0
        let count = scratch.normal.count
        while index < count {
            let scalar = scratch.normal[index]
            if WordPieceTokenizer.isSpace(scalar) {
                index += 1
                continue
            }
            var end = index + 1
            if !BertCharacter.isPunctuation(scalar) {
                while end < count, !WordPieceTokenizer.isSpace(scratch.normal[end]),
                    !BertCharacter.isPunctuation(scratch.normal[end])
                { end += 1 }
            }
            appendWord(index..<end, &scratch, &result)
            guard result.ids.count < limit else { return false }
            index = end
        }
        return true
    }

    @inline(__always)
    private static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return scalar == " " || (0x09...0x0D).contains(scalar.value) }
        return scalar.properties.isWhitespace
    }

    private func appendWord(_ word: Range<Int>, _ scratch: inout Scratch, _ result: inout TokenizedText) {
        let before = result.ids.count
        if word.count > longestWord || !appendPieces(word, &scratch, &result) {
            // A word of which any part is unknown is unknown as a whole.
            result.ids.removeSubrange(before...)
            result.ids.append(unknown)
            result.unknown += 1
        }
    }

    private func appendPieces(
        _ word: Range<Int>, _ scratch: inout Scratch, _ result: inout TokenizedText
    ) -> Bool {
        scratch.bytes.removeAll(keepingCapacity: true)
        scratch.ends.removeAll(keepingCapacity: true)
        for index in word {
            scratch.bytes.append(contentsOf: UTF8.encode(scratch.normal[index]) ?? UTF8.encodedReplacementCharacter)
            scratch.ends.append(scratch.bytes.count)
        }
        var character = 0
        while character < scratch.ends.count {
            let place: WordPieceVocabulary.Place = character == 0 ? .start : .inside
            guard let (id, next) = longestPiece(from: character, place, &scratch) else { return false }
            result.ids.append(id)
            character = next
        }
        return true
    }

    /// The longest piece that starts at a character, and the character behind it.
    private func longestPiece(
        from character: Int, _ place: WordPieceVocabulary.Place, _ scratch: inout Scratch
    ) -> (Int32, Int)? {
        let start = character == 0 ? 0 : scratch.ends[character - 1]
        scratch.hashes.removeAll(keepingCapacity: true)
        var hash = place.rawValue
        var position = start
        for end in scratch.ends[character...] {
            guard end - start <= vocabulary.longest else { break }
            while position < end {
                hash = WordPieceVocabulary.step(hash, scratch.bytes[position])
                position += 1
            }
            scratch.hashes.append(hash)
        }
        return scratch.bytes.withUnsafeBufferPointer { bytes in
            for offset in scratch.hashes.indices.reversed() {
                let piece = UnsafeBufferPointer(rebasing: bytes[start..<scratch.ends[character + offset]])
                if let id = vocabulary.id(piece, scratch.hashes[offset], place) { return (id, character + offset + 1) }
            }
            return nil
        }
    }
}

/// Texts like `[SEP]`, which stand for one token each even in the middle of a word.
struct SpecialTokens: Sendable {
    enum Part {
        case text(Substring)
        case special(Int32)
    }

    /// The longest first: of two that start at one place the longer counts.
    private let tokens: [(bytes: [UInt8], id: Int32)]

    init(_ specials: [TokenizerConfiguration.Special]) {
        tokens = specials.map { (Array($0.text.utf8), $0.id) }.sorted { $0.bytes.count > $1.bytes.count }
    }

    func split(_ text: String) -> [Part] {
        var parts: [Part] = []
        let utf8 = text.utf8
        var start = utf8.startIndex
        var index = start
        while index < utf8.endIndex {
            guard let token = token(at: index, utf8) else {
                utf8.formIndex(after: &index)
                continue
            }
            if start < index { parts.append(.text(text[start..<index])) }
            parts.append(.special(token.id))
            index = utf8.index(index, offsetBy: token.bytes.count)
            start = index
        }
        if start < utf8.endIndex { parts.append(.text(text[start...])) }
        return parts
    }

    private func token(at index: String.Index, _ utf8: String.UTF8View) -> (bytes: [UInt8], id: Int32)? {
        let byte = utf8[index]
        return tokens.first { $0.bytes[0] == byte && utf8[index...].starts(with: $0.bytes) }
    }
}
