import Core

/// Sums up what a model's vectors depend on: two folders with one fingerprint make the same vectors of a text.
struct ModelFingerprint {
    private var bytes: [UInt8] = []

    mutating func add(_ number: some FixedWidthInteger) {
        withUnsafeBytes(of: Int64(truncatingIfNeeded: number).bigEndian) { bytes += $0 }
    }

    /// Behind its length, so that where one text ends is part of the sum.
    mutating func add(_ text: String) {
        add(text.utf8.count)
        bytes += text.utf8
    }

    mutating func add(_ configuration: BertConfiguration) {
        for number in [
            configuration.width, configuration.layers, configuration.heads, configuration.innerWidth,
            configuration.vocabulary, configuration.positions, configuration.tokenTypes, configuration.window,
        ] { add(number) }
        add(configuration.epsilon.bitPattern)
        add(configuration.pooling == .mean ? 1 : 0)
        add(configuration.prompt)
    }

    /// In the order of their ids: the same vocabulary may be written down in several ways.
    mutating func add(_ tokenizer: TokenizerConfiguration) {
        let normalizer = tokenizer.normalizer
        for flag in [
            normalizer.cleansText, normalizer.spacesChinese, normalizer.stripsAccents, normalizer.lowersCase,
        ] { add(flag ? 1 : 0) }
        for number in [tokenizer.unknown, tokenizer.first, tokenizer.last] { add(number) }
        add(tokenizer.longestWord)
        add(tokenizer.prefix)
        let specials = tokenizer.specials.map { (text: $0.text, id: $0.id) }
        for tokens in [tokenizer.tokens, specials] {
            add(tokens.count)
            for token in tokens.sorted(by: { ($0.id, $0.text) < ($1.id, $1.text) }) {
                add(token.id)
                add(token.text)
            }
        }
    }

    func value(by checksum: any Checksumming) -> UInt64 { bytes.withUnsafeBytes { checksum.checksum($0) } }
}
