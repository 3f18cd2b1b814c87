import Core

/// How many tokens a request costs before anybody has counted them.
///
/// Tokenisers of current models take about four bytes of English a token, and about one token for a character of most
/// other scripts. Good to a third or so, which is what a budget needs.
package enum TokenEstimate {
    /// An answer of unknown length.
    package static let answer = 400

    /// Of a body, its JSON included: quotes and names weigh about what the roles and separators of a prompt do.
    package static func prompt(_ body: UnsafeRawBufferPointer) -> Int {
        var ascii = 0
        var characters = 0
        for byte in body {
            if byte < 0x80 { ascii += 1 } else if byte >= 0xC0 { characters += 1 }
        }
        return max(1, ascii / 4 + characters)
    }
}
