/// A text taken apart for comparing: its words with their weights, and its character n-grams.
package struct ComparedText: Sendable {
    struct Word: Sendable, Equatable {
        enum Kind: Sendable { case latin, number, han, symbol }
        /// Lower case, one form for one word.
        var text: [UInt8]
        /// Equal for forms of one word.
        var stem: UInt64
        var kind: Kind
        var weight: Float
    }

    package let text: String
    let words: [Word]
    /// Hashes of the words, in order, and of Chinese the single characters.
    private let pieces: [UInt64]
    /// The pieces between the courtesies that a text begins and ends with.
    private let core: Range<Int>
    /// Marks that are no words and may yet decide: the minus of a number, a division.
    private let signs: [Unicode.Scalar]
    /// Hashes of the character n-grams, sorted, each once.
    let grams: [UInt32]
    let questions: Set<QuestionClass>
    /// Han characters by all letters, digits and Han characters.
    let hanShare: Float
    /// Letters and digits.
    let length: Int
    let sumOfWeights: Float

    package init(_ text: String, table: WordTable = .standard) {
        self.text = text
        var reader = WordReader(table)
        for scalar in text.unicodeScalars { reader.read(scalar) }
        reader.finish()
        words = reader.words
        pieces = reader.words.flatMap(Self.pieces)
        core = table.core(of: pieces)
        signs = text.unicodeScalars.filter { "-−/÷×|\\_@~".unicodeScalars.contains($0) }
        questions = reader.questions
        length = reader.letters
        hanShare = reader.letters > 0 ? Float(reader.han) / Float(reader.letters) : 0
        sumOfWeights = words.reduce(0) { $0 + $1.weight }
        grams = Self.grams(reader.folded, length: hanShare > 0.3 ? 2 : 3)
    }

    /// Whether the same words are said in the same order, with more courtesies before or behind them in one of the texts:
    /// where each has others, they may be what is asked about ("用法语怎么说谢谢").
    func isSameButCourtesy(_ other: ComparedText) -> Bool {
        let (front, otherFront) = (pieces[..<core.lowerBound], other.pieces[..<other.core.lowerBound])
        let (back, otherBack) = (pieces[core.upperBound...], other.pieces[other.core.upperBound...])
        return !core.isEmpty && pieces[core] == other.pieces[other.core] && signs == other.signs
            && zip(front.reversed(), otherFront.reversed()).allSatisfy { $0 == $1 }
            && zip(back, otherBack).allSatisfy { $0 == $1 }
    }

    /// Whether there is something, and all of it is courtesies.
    var isCourtesyOnly: Bool { core.isEmpty && !pieces.isEmpty }

    /// Whether courtesies at the ends are all that differs, and some do.
    func hasSameCore(_ other: ComparedText) -> Bool {
        pieces != other.pieces && pieces[core] == other.pieces[other.core]
    }

    /// A word by itself, or each character of a Chinese one.
    private static func pieces(_ word: Word) -> [UInt64] {
        guard word.kind == .han else { return [hash(word.text)] }
        return String(decoding: word.text, as: UTF8.self).unicodeScalars.map { hash(String($0).utf8) }
    }

    /// Fowler, Noll and Vo's hash, variant 1a.
    static func hash(_ bytes: some Sequence<UInt8>) -> UInt64 {
        bytes.reduce(14_695_981_039_346_656_037) { ($0 ^ UInt64($1)) &* 1_099_511_628_211 }
    }

    private static func grams(_ scalars: [UInt32], length: Int) -> [UInt32] {
        guard scalars.count >= length else { return scalars }
        var all: [UInt32] = []
        all.reserveCapacity(scalars.count)
        for start in 0...(scalars.count - length) {
            var hash: UInt32 = 2_166_136_261
            for scalar in scalars[start..<start + length] { hash = (hash ^ scalar) &* 16_777_619 }
            all.append(hash)
        }
        all.sort()
        var unique: [UInt32] = []
        unique.reserveCapacity(all.count)
        for gram in all where unique.last != gram { unique.append(gram) }
        return unique
    }
}

/// Cuts a text into words, one scalar after the other.
private struct WordReader {
    private let table: WordTable
    var words: [ComparedText.Word] = []
    var questions: Set<QuestionClass> = []
    var folded: [UInt32] = [0x20]
    var letters = 0
    var han = 0
    private var latin: [UInt8] = []
    private var latinIsNumber = false
    private var run: [Unicode.Scalar] = []
    /// A point or comma inside a number, if a digit follows.
    private var pending: UInt8?

    init(_ table: WordTable) { self.table = table }

    mutating func read(_ original: Unicode.Scalar) {
        for scalar in Self.folded(original) {
            if Self.isHan(scalar) {
                flushLatin()
                run.append(scalar)
                letters += 1
                han += 1
                folded.append(scalar.value)
            } else if Self.isLetter(scalar) {
                flushHan()
                readLetter(scalar)
            } else {
                readOther(scalar)
            }
        }
    }

    mutating func finish() {
        flushLatin()
        flushHan()
        if folded.last != 0x20 { folded.append(0x20) }
    }

    /// Half-width, lower case.
    private static func folded(_ scalar: Unicode.Scalar) -> String.UnicodeScalarView {
        let value = scalar.value
        if value < 0x80 {
            let lower = value >= 0x41 && value <= 0x5A ? value + 32 : value
            return String(UnicodeScalar(UInt8(lower))).unicodeScalars
        }
        if value >= 0xFF01 && value <= 0xFF5E { return folded(UnicodeScalar(UInt8(value - 0xFEE0))) }
        return scalar.properties.lowercaseMapping.unicodeScalars
    }

    private static func isHan(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xF900...0xFAFF, 0x20000...0x3FFFF: true
        default: false
        }
    }

    private static func isLetter(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.value < 0x80 {
            return (scalar.value >= 0x61 && scalar.value <= 0x7A) || (scalar.value >= 0x30 && scalar.value <= 0x39)
        }
        return scalar.properties.isAlphabetic || scalar.properties.numericType != nil
    }

    private mutating func readLetter(_ scalar: Unicode.Scalar) {
        let isDigit = scalar.value >= 0x30 && scalar.value <= 0x39
        if let point = pending {
            pending = nil
            if isDigit {
                if point == UInt8(ascii: ".") { latin.append(point) }
            } else {
                flushLatin()
            }
        }
        // "10km" and "10 km" are the same two words.
        if !latin.isEmpty && latinIsNumber && !isDigit { flushLatin() }
        if latin.isEmpty { latinIsNumber = isDigit }
        latin.append(contentsOf: Array(String(scalar).utf8))
        letters += 1
        folded.append(scalar.value)
    }

    private mutating func readOther(_ scalar: Unicode.Scalar) {
        let value = scalar.value
        if value == 0x27 || value == 0x2019 {
            // What follows an apostrophe is a word of its own: it's, don't.
            flushLatin()
            return
        }
        if latinIsNumber, !latin.isEmpty, pending == nil, value == 0x2E || value == 0x2C {
            pending = UInt8(value)
            return
        }
        if !latin.isEmpty, value == 0x2B || value == 0x23 {
            // C++, C#
            latin.append(UInt8(value))
            return
        }
        flushLatin()
        flushHan()
        if "+*=<>%$€£¥&^".unicodeScalars.contains(scalar) {
            add(.init(text: Array(String(scalar).utf8), stem: 0, kind: .symbol, weight: 0.7))
            folded.append(value)
        } else if folded.last != 0x20 {
            folded.append(0x20)
        }
    }

    private mutating func flushLatin() {
        pending = nil
        guard !latin.isEmpty else { return }
        let word = String(decoding: latin, as: UTF8.self)
        if let question = table.question(word) { questions.insert(question) }
        add(
            .init(
                text: latin, stem: 0, kind: latinIsNumber ? .number : .latin,
                weight: latinIsNumber ? 1 : table.weight(word)))
        latin = []
    }

    private mutating func flushHan() {
        guard !run.isEmpty else { return }
        var start = 0
        while start < run.count {
            var length = min(table.longestChinese, run.count - start)
            var word = ""
            while true {
                word = String(String.UnicodeScalarView(run[start..<start + length]))
                if length == 1 || table.isChineseWord(word) { break }
                length -= 1
            }
            if let question = table.question(word) { questions.insert(question) }
            add(.init(text: Array(word.utf8), stem: 0, kind: .han, weight: table.weight(word)))
            start += length
        }
        run = []
    }

    private mutating func add(_ word: ComparedText.Word) {
        var word = word
        word.stem = ComparedText.hash(word.kind == .latin ? Self.stem(word.text) : word.text)
        words.append(word)
    }

    /// Harman's S-stemmer ("How effective is suffixing?", 1991), and the endings -ing and -ed of longer words.
    private static func stem(_ word: [UInt8]) -> [UInt8] {
        func ends(_ suffix: StaticString, _ least: Int) -> Bool {
            word.count >= least
                && word.suffix(suffix.utf8CodeUnitCount).elementsEqual(
                    UnsafeBufferPointer(start: suffix.utf8Start, count: suffix.utf8CodeUnitCount))
        }
        if ends("ies", 5) { return word.dropLast(3) + [UInt8(ascii: "y")] }
        if ends("ss", 3) || ends("us", 3) || ends("is", 3) { return word }
        if ends("sses", 5) || ends("xes", 4) || ends("ches", 6) || ends("shes", 6) { return word.dropLast(2) }
        if ends("s", 4) { return word.dropLast() }
        if ends("ing", 6) { return word.dropLast(3) }
        if ends("ed", 5) { return word.dropLast(2) }
        if ends("e", 5) { return word.dropLast() }
        return word
    }
}
