/// Pieces of words and their ids, found by their bytes.
///
/// A hash table over one block of bytes: a dictionary of `String` takes four times the memory and has to build a string
/// for each piece that is tried.
struct WordPieceVocabulary: Sendable {
    /// Whether a piece starts a word or goes on with it.
    enum Place: UInt64 {
        case start = 0xCBF2_9CE4_8422_2325
        case inside = 0x9AE1_6A3B_2F90_404F
    }

    /// The longest piece, in bytes without its prefix.
    private(set) var longest = 0
    private var bytes: [UInt8] = []
    private var pieces: [Piece] = []
    /// Indices into `pieces`, -1 where free; a power of two of them.
    private var table: [Int32]

    private struct Piece {
        var start: UInt32
        var count: UInt16
        var isInside: Bool
        var id: Int32
    }

    /// - Parameters:
    ///   - tokens: each with its id; a later one of the same text replaces the earlier.
    ///   - prefix: what marks a piece that goes on with a word.
    init(_ tokens: [(text: String, id: Int32)], prefix: String) {
        var size = 16
        while size < tokens.count * 2 { size *= 2 }
        table = Array(repeating: -1, count: size)
        pieces.reserveCapacity(tokens.count)
        bytes.reserveCapacity(tokens.reduce(0) { $0 + $1.text.utf8.count })
        let mark = Array(prefix.utf8)
        for token in tokens {
            let utf8 = token.text.utf8
            let isInside = !mark.isEmpty && utf8.count > mark.count && utf8.starts(with: mark)
            add(isInside ? utf8.dropFirst(mark.count) : utf8[...], isInside, token.id)
        }
    }

    var count: Int { pieces.count }

    /// One step of FNV-1a (Fowler, Noll, Vo), with a shift so that the low bits know the high ones.
    @inline(__always)
    static func step(_ hash: UInt64, _ byte: UInt8) -> UInt64 {
        let mixed = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3
        return mixed ^ mixed >> 29
    }

    /// The id of a piece whose bytes hash, from `place` on, to `hash`.
    func id(_ word: UnsafeBufferPointer<UInt8>, _ hash: UInt64, _ place: Place) -> Int32? {
        var slot = Int(truncatingIfNeeded: hash) & (table.count - 1)
        while table[slot] >= 0 {
            let piece = pieces[Int(table[slot])]
            if piece.isInside == (place == .inside), Int(piece.count) == word.count, matches(piece, word) {
                return piece.id
            }
            slot = (slot + 1) & (table.count - 1)
        }
        return nil
    }

    /// The id of a whole token as the vocabulary spells it, where it does not go on with a word.
    func id(of token: String) -> Int32? {
        var text = token
        return text.withUTF8 { word in
            id(word, word.reduce(Place.start.rawValue, WordPieceVocabulary.step), .start)
        }
    }

    private func matches(_ piece: Piece, _ word: UnsafeBufferPointer<UInt8>) -> Bool {
        for offset in 0..<word.count where bytes[Int(piece.start) + offset] != word[offset] { return false }
        return true
    }

    private mutating func add(_ text: Substring.UTF8View, _ isInside: Bool, _ id: Int32) {
        let word = Array(text)
        let place = isInside ? Place.inside : .start
        let hash = word.reduce(place.rawValue, WordPieceVocabulary.step)
        var slot = Int(truncatingIfNeeded: hash) & (table.count - 1)
        while table[slot] >= 0 {
            let index = Int(table[slot])
            let isSame =
                pieces[index].isInside == isInside && Int(pieces[index].count) == word.count
                && word.withUnsafeBufferPointer { matches(pieces[index], $0) }
            if isSame {
                pieces[index].id = id
                return
            }
            slot = (slot + 1) & (table.count - 1)
        }
        table[slot] = Int32(pieces.count)
        pieces.append(
            Piece(start: UInt32(bytes.count), count: UInt16(word.count), isInside: isInside, id: id))
        bytes += word
        longest = max(longest, word.count)
    }
}
