/// Cuts a text as a model would stream it: into pieces of 40 to 60 bytes, behind white space where there is some,
/// and never inside a character's UTF-8 form. Joined, they are the text.
func textPieces(_ text: String) -> [String] {
    let bytes = Array(text.utf8)
    var pieces: [String] = []
    var start = 0
    while start < bytes.count {
        let end = pieceEnd(bytes, from: start)
        pieces.append(String(decoding: bytes[start..<end], as: UTF8.self))
        start = end
    }
    return pieces
}

private func pieceEnd(_ bytes: [UInt8], from start: Int) -> Int {
    guard bytes.count - start > 60 else { return bytes.count }
    for index in (start + 40)..<(start + 60) where bytes[index] == 0x20 || bytes[index] == 0x0A {
        return index + 1
    }
    var end = start + 60
    while bytes[end] & 0xC0 == 0x80 { end -= 1 }
    return end
}

/// A piece of text with the elements of its token list that it is made of.
struct TokenPiece {
    var text: String
    var tokens: Range<Int>
}

/// Cuts a text between tokens, so that each piece keeps the log-probabilities of its own tokens. Where the tokens
/// do not make up the text (they may be parts of characters), all of them go with the first piece.
func tokenPieces(_ text: String, tokens: [String?]) -> [TokenPiece] {
    guard let aligned = alignedPieces(text, tokens: tokens) else {
        return textPieces(text).enumerated().map { index, piece in
            TokenPiece(text: piece, tokens: index == 0 ? 0..<tokens.count : tokens.count..<tokens.count)
        }
    }
    return aligned
}

private func alignedPieces(_ text: String, tokens: [String?]) -> [TokenPiece]? {
    var pieces: [TokenPiece] = []
    var piece = TokenPiece(text: "", tokens: 0..<0)
    var rest = text.utf8[...]
    for (index, token) in tokens.enumerated() {
        guard let token, rest.starts(with: token.utf8) else { return nil }
        rest = rest.dropFirst(token.utf8.count)
        piece.text += token
        piece.tokens = piece.tokens.lowerBound..<(index + 1)
        if piece.text.utf8.count >= 40 {
            pieces.append(piece)
            piece = TokenPiece(text: "", tokens: (index + 1)..<(index + 1))
        }
    }
    guard rest.isEmpty, !tokens.isEmpty else { return nil }
    if !piece.tokens.isEmpty { pieces.append(piece) }
    return pieces
}
