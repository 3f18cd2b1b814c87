/// Puts right what is plainly misspelled, before an encoder reads it: "squrae" falls into pieces that mean nothing.
///
/// Only two slips are repaired, neighbouring letters swapped and in long words a letter doubled or not, of lower-case words
/// that the encoder does not know and no dictionary has: a name, an identifier or a rare word stays what it is. So does
/// every word where names or spelling may be the topic. Guards and verifier see the words as they were written.
struct SpellingRepair: Sendable {
    /// Small where the word is common; nil where the encoder does not know it as a whole.
    let rank: @Sendable (String) -> Int32?
    /// In letters: shorter words are a slip away from too many names.
    var leastToSwap = 6
    var leastToDouble = 8

    private static let lengths = 5...20
    /// Who asks about these may mean the word as it stands: "is torchh malicious".
    private static let topics = [
        "package", "module", "library", "pip ", "npm ", "install", "import", "command", "typosquat", "malicious",
        "spell",
        "name", "called", "brand", "domain", "website",
    ]
    /// Of longer texts one word decides little.
    private static let longest = 600

    func repaired(_ text: String) -> String {
        guard text.utf8.count <= SpellingRepair.longest,
            !SpellingRepair.topics.contains(where: text.lowercased().contains)
        else { return text }
        let bytes = Array(text.utf8)
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var start = 0
        while start < bytes.count {
            var end = start
            while end < bytes.count && !isSpace(bytes[end]) { end += 1 }
            append(bytes[start..<end], to: &result)
            while end < bytes.count && isSpace(bytes[end]) {
                result.append(bytes[end])
                end += 1
            }
            start = end
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// What stands between spaces: a word is repaired where nothing but marks is around it.
    private func append(_ piece: ArraySlice<UInt8>, to result: inout [UInt8]) {
        let marks = Set(".,!?;:()\"'".utf8)
        let front = piece.prefix { marks.contains($0) }
        let back = piece.dropFirst(front.count).reversed().prefix { marks.contains($0) }
        let word = piece.dropFirst(front.count).dropLast(back.count)
        guard SpellingRepair.lengths.contains(word.count), word.allSatisfy({ $0 >= 0x61 && $0 <= 0x7A }),
            let right = correction(Array(word))
        else { return result += piece }
        result += front + right + back.reversed()
    }

    /// The commonest word that one slip leads away from.
    private func correction(_ word: [UInt8]) -> [UInt8]? {
        let text = String(decoding: word, as: UTF8.self)
        guard rank(text) == nil, !RightWords.all.contains(text[...]) else { return nil }
        var best: (word: [UInt8], rank: Int32)?
        func consider(_ candidate: [UInt8]) {
            guard candidate.count >= SpellingRepair.lengths.lowerBound,
                let rank = rank(String(decoding: candidate, as: UTF8.self)), rank < best?.rank ?? .max
            else { return }
            best = (candidate, rank)
        }
        // The first letter is seldom the wrong one.
        for index in word.indices.dropFirst() {
            let isDouble = index + 1 < word.count && word[index] == word[index + 1]
            if index + 1 < word.count, !isDouble, word.count >= leastToSwap {
                var changed = word
                changed.swapAt(index, index + 1)
                consider(changed)
            }
            guard word.count >= leastToDouble else { continue }
            var changed = word
            if isDouble { changed.remove(at: index) } else { changed.insert(word[index], at: index) }
            consider(changed)
        }
        return best?.word
    }

    private func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (byte >= 0x09 && byte <= 0x0D) }
}
