/// What a term of the word lists means. `group` and `member` are positions in those lists.
struct Sense: Sendable, Hashable {
    enum Kind: UInt8, Sendable {
        /// `group`: the line, `member`: the side of the bar.
        case opposite
        /// `group`: the class, `member`: which one of it.
        case contrast
        /// The same, by a name that is one only with a capital letter: `Go`, `US`.
        case capitalContrast
        /// `group`: the dimension, `member`: the unit.
        case unit
        /// The same, by a name that is too short to be a unit anywhere but behind a number.
        case shortUnit
        /// `member`: a raw value of `Denial`.
        case negator
        /// Carries no content: articles, pronouns, auxiliaries, courtesies.
        case function
        /// `member`: which set of synonyms.
        case synonym
        /// A Chinese measure word: what is before it is counted.
        case measure
        /// `member`: a raw value of `Role`.
        case direction
        /// A common word of another language; `member`: which one.
        case foreign
    }

    var kind: Kind
    var group: UInt16
    var member: UInt16
}

/// How a word denies.
enum Denial: UInt16, Sendable {
    /// `not`, 不
    case plain
    /// `unable`, 无法: agrees with any denial and is no reason by itself.
    case implied
    /// `not only`, 不同: looks like a denial and is none.
    case none
}

/// What a word says about the order of its neighbours.
enum Role: UInt16, Sendable {
    /// `to`, 转换成: from what is before it to what is behind it.
    case leads
    /// `from`, 从: what is behind it is where it starts.
    case starts
    /// `how many`, 多少: the unit behind it is the one asked for.
    case asks
    /// `and`, 和: its neighbours may change places.
    case joins
}

/// The word lists as one table of phrases: a term is found by the stems of its words, one after the other.
struct GuardLexicon: Sendable {
    /// Read once, at first use.
    static let shared = GuardLexicon()

    struct Entry: Sendable {
        fileprivate(set) var first: Int32 = 0
        fileprivate(set) var count: Int32 = 0
        /// A longer term starts like this.
        fileprivate(set) var continues = false
    }

    /// More words than that are no term.
    static let longestTerm = 8

    private(set) var classes: [ContrastClass] = []
    private(set) var units: [UnitOfMeasure] = []
    /// How many ends each axis of opposites has.
    private(set) var ends: [Int] = []
    private var entries: [UInt64: Entry] = [:]
    private var senses: [Sense] = []
    /// `C` and `F` beside each other.
    private(set) var temperatures: [UInt64: Sense] = [:]

    private init() {
        var builder = Builder()
        builder.addOpposites(Opposites.english)
        builder.addOpposites(Opposites.chinese)
        builder.addContrasts(Contrasts.all)
        builder.addUnits(Units.all)
        builder.addNegators()
        builder.addFunctionWords()
        builder.addDirections()
        builder.addForeignWords()
        builder.addSynonyms(Synonyms.english)
        builder.addSynonyms(Synonyms.chinese)
        classes = builder.classes
        units = builder.units
        ends = builder.ends
        entries.reserveCapacity(builder.found.count + builder.prefixes.count)
        // In the order of the lists within a term: the first meaning names it.
        for place in builder.found.indices.sorted(by: { (builder.found[$0].key, $0) < (builder.found[$1].key, $1) }) {
            let (key, sense) = builder.found[place]
            var entry = entries[key] ?? Entry(first: Int32(senses.count), count: 0, continues: false)
            guard !senses[Int(entry.first)...].contains(sense) else { continue }
            entry.count += 1
            entries[key] = entry
            senses.append(sense)
        }
        for key in builder.prefixes { entries[key, default: Entry()].continues = true }
        for (letter, name) in [("c", "celsius"), ("f", "fahrenheit")] {
            let word = GuardTokenizer(name).tokens
            temperatures[WordHash.of(letter.unicodeScalars.map(\.value))] =
                longestTerm(in: word, at: 0)?.senses.first { $0.kind == .unit }
        }
    }

    /// The longest term that starts at a token, and how many tokens it has.
    @inline(__always)
    func longestTerm(in tokens: [GuardToken], at start: Int) -> (length: Int, senses: ArraySlice<Sense>)? {
        var key: UInt64 = 0
        var best: (length: Int, entry: Entry)?
        let isQuoted = tokens[start].traits.contains(.isQuoted)
        for offset in 0..<min(Self.longestTerm, tokens.count - start) {
            // Quotation marks end a term.
            if tokens[start + offset].traits.contains(.isQuoted) != isQuoted { break }
            // So does a comma between characters.
            if offset > 0, tokens[start + offset].form == .han, tokens[start + offset - 1].form == .han,
                !tokens[start + offset].traits.contains(.isGlued)
            {
                break
            }
            key = Self.chain(key, tokens[start + offset].stem)
            guard let entry = entries[key] else { break }
            if entry.count > 0 { best = (offset + 1, entry) }
            if !entry.continues { break }
        }
        guard let best else { return nil }
        return (best.length, senses[Int(best.entry.first)..<Int(best.entry.first + best.entry.count)])
    }

    /// Whether a term is this word, or begins with it.
    func knows(_ word: String) -> Bool {
        let tokens = GuardTokenizer(word).tokens
        return tokens.count == 1 && entries[GuardLexicon.chain(0, tokens[0].stem)] != nil
    }

    @inline(__always)
    fileprivate static func chain(_ key: UInt64, _ stem: UInt64) -> UInt64 {
        (key &* 0x9E37_79B9_7F4A_7C15) ^ stem
    }
}

/// Things that exclude each other, and the guard that watches them.
struct ContrastClass: Sendable {
    var guardian: Guard
    var name: String
}

struct UnitOfMeasure: Sendable {
    var dimension: UInt16
    /// How many of the dimension's base unit; nil where there is no plain factor (temperature, currency).
    var factor: Double?
    /// It measures the answer that is asked for.
    var isOfText: Bool
}

extension GuardLexicon {
    /// Reads the lists. A mistake in them is a mistake in the program and shows in the tests, not here.
    private struct Builder {
        var classes: [ContrastClass] = []
        var units: [UnitOfMeasure] = []
        var found: [(key: UInt64, sense: Sense)] = []
        var prefixes: Set<UInt64> = []
        var ends: [Int] = []
        private var lines: UInt16 = 0
        private var dimensions: UInt16 = 0
        private var synonyms: UInt16 = 0

        /// Bytes: a thousand lines are cut faster by them than by characters.
        private typealias Piece = Substring.UTF8View

        private mutating func add(_ term: Piece, _ sense: Sense) {
            let term = String(Substring(term))
            var tokens = GuardTokenizer(term).tokens
            // Alone they are a dash and a slash; between numbers they are signs.
            if term == "-" || term == "/" {
                tokens = GuardTokenizer("1 \(term) 1").tokens.filter { $0.form == .symbol }
            }
            guard !tokens.isEmpty, tokens.count <= GuardLexicon.longestTerm else { return }
            var key: UInt64 = 0
            for (index, token) in tokens.enumerated() {
                key = GuardLexicon.chain(key, token.stem)
                if index < tokens.count - 1 { prefixes.insert(key) }
            }
            found.append((key, sense))
        }

        private func rows(_ list: String) -> [Piece] { Substring(list).utf8.split(separator: UInt8(ascii: "\n")) }

        private func terms(_ list: Piece) -> [Piece] {
            list.split(separator: UInt8(ascii: ",")).map { trimmed($0) }.filter { !$0.isEmpty }
        }

        private func trimmed(_ text: Piece) -> Piece {
            var text = text
            while text.first == UInt8(ascii: " ") { text.removeFirst() }
            while text.last == UInt8(ascii: " ") { text.removeLast() }
            return text
        }

        mutating func addOpposites(_ list: String) {
            for row in rows(list) {
                for (side, words) in row.split(separator: UInt8(ascii: "|")).enumerated() {
                    for term in terms(words) {
                        add(term, Sense(kind: .opposite, group: lines, member: UInt16(side)))
                    }
                }
                lines += 1
                ends.append(row.split(separator: UInt8(ascii: "|")).count)
            }
        }

        mutating func addContrasts(_ lists: [ContrastList]) {
            for list in lists {
                let group = UInt16(classes.count)
                classes.append(ContrastClass(guardian: list.guardian, name: list.name))
                let members = Substring(list.members).utf8.split { $0 == UInt8(ascii: "|") || $0 == UInt8(ascii: "\n") }
                for (member, words) in members.enumerated() {
                    for term in terms(words) {
                        let isName = term.first == UInt8(ascii: "^")
                        add(
                            isName ? term.dropFirst() : term,
                            Sense(kind: isName ? .capitalContrast : .contrast, group: group, member: UInt16(member)))
                    }
                }
            }
        }

        mutating func addUnits(_ list: String) {
            for row in rows(list) {
                let isOfText = row.first == UInt8(ascii: "~")
                for part in (isOfText ? row.dropFirst() : row).split(separator: UInt8(ascii: "|")) {
                    let halves = part.split(separator: UInt8(ascii: "="))
                    guard let names = halves.first else { continue }
                    let factor = halves.count > 1 ? Double(Substring(trimmed(halves[1]))) : nil
                    let member = UInt16(units.count)
                    for term in terms(names) {
                        let isShort = term.first == UInt8(ascii: "*")
                        add(
                            isShort ? term.dropFirst() : term,
                            Sense(kind: isShort ? .shortUnit : .unit, group: dimensions, member: member))
                    }
                    units.append(UnitOfMeasure(dimension: dimensions, factor: factor, isOfText: isOfText))
                }
                dimensions += 1
            }
        }

        mutating func addNegators() {
            let lists: [(Denial, String)] = [
                (.plain, FunctionWords.denials), (.implied, FunctionWords.impliedDenials),
                (.none, FunctionWords.noDenials),
            ]
            for (denial, list) in lists {
                for row in rows(list) {
                    for term in terms(row) { add(term, Sense(kind: .negator, group: 0, member: denial.rawValue)) }
                }
            }
        }

        mutating func addDirections() {
            let lists: [(Role, String)] = [
                (.leads, Directions.leading), (.starts, Directions.starting), (.asks, Directions.asking),
                (.joins, Directions.joining),
            ]
            for (role, list) in lists {
                for row in rows(list) {
                    for term in terms(row) { add(term, Sense(kind: .direction, group: 0, member: role.rawValue)) }
                }
            }
        }

        mutating func addForeignWords() {
            for (language, row) in rows(FunctionWords.foreign).enumerated() {
                for term in terms(row) { add(term, Sense(kind: .foreign, group: 0, member: UInt16(language))) }
            }
        }

        mutating func addFunctionWords() {
            for row in rows(FunctionWords.english) + rows(FunctionWords.chinese) + rows(FunctionWords.courtesies) {
                for term in terms(row) { add(term, Sense(kind: .function, group: 0, member: 0)) }
            }
            for row in rows(FunctionWords.measures) {
                for term in terms(row) { add(term, Sense(kind: .measure, group: 0, member: 0)) }
            }
        }

        mutating func addSynonyms(_ list: String) {
            for row in rows(list) {
                for term in terms(row) { add(term, Sense(kind: .synonym, group: 0, member: synonyms)) }
                synonyms += 1
            }
        }
    }
}
