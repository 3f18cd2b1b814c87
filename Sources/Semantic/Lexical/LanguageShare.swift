/// Which language a text in Latin letters is written in, by its commonest words: cheap, and silent where there are none,
/// as in names and code.
package struct LanguageShare: Sendable {
    /// Words of English, and of the other language that has most of them.
    private(set) var english = 0
    private(set) var other = 0
    /// A position in `LanguageWords.all`; nil for letters with accents alone.
    private(set) var language: Int?

    /// More words than that say nothing more.
    private static let mostWords = 256

    /// Not certainly another language.
    package var isEnglish: Bool { other <= english }

    /// Another language than English, and none that the encoder was made for.
    func isStrange(to coverage: ScriptCoverage) -> Bool {
        !isEnglish && !(language.map(coverage.languages.contains) ?? !coverage.languages.isEmpty)
    }

    package init(_ text: String) {
        let lists = LanguageLists.shared
        var counts = [Int](repeating: 0, count: lists.names.count)
        var accents = 0
        let words = text.split(maxSplits: Self.mostWords) { !$0.isLetter }.prefix(Self.mostWords)
        var previous: Substring?
        for (index, word) in words.enumerated() {
            defer { previous = word }
            let isCapital = word.first?.isUppercase ?? false
            let isFollowed = index + 1 < words.count && words[index + 1].first?.isUppercase ?? false
            let key = word.lowercased()
            if isFollowed, lists.particles.contains(key), previous?.first?.isUppercase ?? false { continue }
            if lists.english.contains(key) {
                english += 1
            } else if isCapital, previous != nil || isFollowed {
                // A name: Los Angeles, El Niño, and the nouns of German.
                continue
            } else if let languages = lists.words[key] {
                for language in languages { counts[language] += 1 }
            } else if !isCapital, key.unicodeScalars.contains(where: { $0.value >= 0xC0 && Script($0) == .latin }),
                !lists.loans.contains(key)
            {
                accents += 1
            }
        }
        if let most = counts.max(), most > 0 { language = counts.firstIndex(of: most) }
        other = (counts.max() ?? 0) + accents
    }
}

/// The lists as tables, read once.
struct LanguageLists: Sendable {
    static let shared = LanguageLists()

    private(set) var names: [String] = []
    /// The languages of a word; none that English has too.
    private(set) var words: [String: [Int]] = [:]
    private(set) var english: Set<String> = []
    private(set) var loans: Set<String> = []
    /// Parts of names between their capital letters: Leonardo da Vinci.
    let particles: Set<String> = [
        "de", "da", "do", "dos", "di", "del", "della", "van", "von", "der", "den", "la", "le", "el", "y",
    ]
    /// The same without accents: what a vocabulary that drops them has.
    private(set) var bare: [String: [Int]] = [:]
    /// How many words of each language are in `words`.
    private(set) var sizes: [Int] = []

    /// English words that are as common in another language: they tell nothing.
    private static let neutral = Set(
        """
        die am an in on is was war hat do no me a i as so son per come men man also main par sur te tu mi ma mon ton pour sale chat or plus pas sans
        mag fast brief rot rat o e im ten na pod dat wat min hen fin van list at com
        """.split { $0 == " " || $0 == "\n" }.map(String.init))
    /// Words of others that English texts have in names alone.
    private static let foreign = Set(
        "de der el un la le les los las von des di da il lo et si du das und den del que en para con por est ist une che ne y al se su"
            .split(separator: " ").map(String.init))

    /// Single letters are variables, and what is left of an apostrophe.
    private init() {
        let common = (CommonWords.english + " " + LanguageLists.questions).split { $0 == " " || $0 == "\n" }.map(
            String.init)
        let known = Set(common).subtracting(Self.foreign)
        english = known.subtracting(Self.neutral)
        for (language, line) in LanguageWords.all.split(separator: "\n").enumerated() {
            let parts = line.split(separator: ":")
            guard parts.count == 2, let name = parts.first, let list = parts.last else { continue }
            names.append(String(name))
            let own = Set(
                list.split(separator: " ").filter { $0.count > 1 || ($0.utf8.first ?? 0) > 0x7F }.map(String.init)
            ).subtracting(known).subtracting(Self.neutral)
            sizes.append(own.count)
            for word in own { words[word, default: []].append(language) }
        }
        let normalizer = BertNormalizer()
        for (word, languages) in words {
            var scalars: [Unicode.Scalar] = []
            normalizer.normalize(Substring(word).unicodeScalars, into: &scalars)
            let plain = String(String.UnicodeScalarView(scalars))
            bare[word, default: []] += languages
            if plain != word { bare[plain, default: []] += languages }
        }
        loans = Set(LanguageWords.loans.split { $0 == " " || $0 == "\n" }.map(String.init))
    }

    /// What short English questions are made of and a list by frequency in books has late.
    private static let questions = """
        what whats how hows why whos where when which who whose whom is are does did can could should would will tell explain describe write give show list define
        meaning mean means difference between convert translate calculate compute open close enable disable turn switch increase decrease install uninstall
        fix add remove delete create make find get set use buy sell best worst cheap recipe weather today tomorrow yesterday password email account file
        phone price cost capital population symptoms treatment tips ideas advice example examples summary summarize please thanks thank hello hi
        code function python error message hotel hotels restaurant flights flight songs lyrics movie movies book books game games test tests near
        """
}
