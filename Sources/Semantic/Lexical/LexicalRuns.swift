/// A text's letters and digits in lower case with one blank around each word, and what is known of each of them.
struct LexicalRuns {
    private(set) var scalars: [UInt32] = [LexicalRuns.blank]
    /// Whether it is of a script that has no blanks between words.
    private(set) var isDense = [false]
    /// Whether most sentences hold it and few differ in it: blanks, and what `MinorWords` has.
    private(set) var isMinor = [true]
    /// Where the words are of the other scripts.
    private(set) var words: [Range<Int>] = []
    private var wordStart: Int?

    private static let blank: UInt32 = 32

    mutating func append(_ scalar: Unicode.Scalar) {
        let scalar = LexicalRuns.narrow(scalar)
        if scalar.isASCII {
            // Digits and letters in lower case; others are far slower to ask for.
            switch scalar.value {
            case 48...57, 97...122: add(scalar.value, isDense: false)
            case 65...90: add(scalar.value | 32, isDense: false)
            default: addBlank()
            }
            return
        }
        let properties = scalar.properties
        let script = Script(scalar)
        guard script != nil || properties.numericType != nil || LexicalRuns.isMark(properties.generalCategory) else {
            return addBlank()
        }
        for lowered in properties.lowercaseMapping.unicodeScalars {
            add(lowered.value, isDense: script?.isDense ?? false)
        }
    }

    /// Ends the last word.
    mutating func finish() { addBlank() }

    private mutating func add(_ value: UInt32, isDense: Bool) {
        if isDense {
            endWord()
        } else if wordStart == nil {
            wordStart = scalars.count
        }
        scalars.append(value)
        self.isDense.append(isDense)
        isMinor.append(isDense && MinorWords.dense.contains(value))
    }

    private mutating func addBlank() {
        endWord()
        guard scalars.last != LexicalRuns.blank else { return }
        scalars.append(LexicalRuns.blank)
        isDense.append(false)
        isMinor.append(true)
    }

    private mutating func endWord() {
        guard let start = wordStart else { return }
        wordStart = nil
        words.append(start..<scalars.count)
        guard MinorWords.spaced.contains(Array(scalars[start...])) else { return }
        for place in start..<scalars.count { isMinor[place] = true }
    }

    private static func isMark(_ category: Unicode.GeneralCategory) -> Bool {
        category == .nonspacingMark || category == .spacingMark
    }

    /// Full-width forms of ASCII are ASCII.
    private static func narrow(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        guard (0xFF01...0xFF5E).contains(scalar.value) else { return scalar }
        return Unicode.Scalar(scalar.value - 0xFEE0) ?? scalar
    }
}

/// Words of courtesy and grammar. None of them negates, counts, or says whence or whither.
enum MinorWords {
    static let dense = Set("的了吗呢啊呀吧嘛么是请问我你您个在有能可以要会什怎样如何谢哦就都也和与".unicodeScalars.map(\.value))

    static let spaced = Set(
        """
        a an the is are am was were be do does did can could would will please kindly thanks thank hi hello hey
        i me my you your of
        """.split(whereSeparator: \.isWhitespace).map { $0.unicodeScalars.map(\.value) })
}
