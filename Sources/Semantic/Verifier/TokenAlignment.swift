/// A text's tokens with a vector each, as the encoder or a stored record has them.
package struct TokenSequence: Sendable {
    /// With the first and the last token, which stand before and behind every text.
    package let ids: [Int32]
    package let rows: TokenRows

    /// nil where there is not a row for each id.
    package init?(ids: [Int32], rows: TokenRows) {
        guard ids.count == rows.count, ids.count >= 2 else { return nil }
        self.ids = ids
        self.rows = rows
    }
}

/// Which token of one text says what a token of the other one says (greedy matching of contextual vectors as in Zhang
/// et al., "BERTScore", 2020), and how well.
struct TokenAlignment {
    /// Of each token the best match in the other text, without the first and the last token.
    struct Side {
        var ids: [Int32]
        var weights: [Float]
        var best: [Float]
        var match: [Int]
        /// Similarity with the same token of the other text, where there is one.
        var same: [Float?]
    }

    var a: Side
    var b: Side
    /// Of the tokens that stand before the texts.
    var first: Float

    init(_ a: TokenSequence, _ b: TokenSequence, weights: TokenWeights) {
        self.a = Side(a.ids, weights)
        self.b = Side(b.ids, weights)
        first = Self.similarity(a.rows, 0, b.rows, 0)
        for i in self.a.ids.indices {
            for j in self.b.ids.indices {
                let similarity = Self.similarity(a.rows, i + 1, b.rows, j + 1)
                let isSame = self.a.ids[i] == self.b.ids[j]
                self.a.see(i, j, similarity, isSame)
                self.b.see(j, i, similarity, isSame)
            }
        }
    }

    private static func similarity(_ a: TokenRows, _ i: Int, _ b: TokenRows, _ j: Int) -> Float {
        let width = min(a.width, b.width)
        let sum = a.bytes.withUnsafeBufferPointer { a in
            b.bytes.withUnsafeBufferPointer { b in
                var lanes = SIMD16<Int32>()
                var index = 0
                let x = UnsafeRawPointer(a.baseAddress! + i * width)  // A row of a text with tokens is not empty.
                let y = UnsafeRawPointer(b.baseAddress! + j * width)  // Likewise.
                while index + 16 <= width {
                    let left = SIMD16<Int16>(
                        truncatingIfNeeded: x.loadUnaligned(fromByteOffset: index, as: SIMD16<Int8>.self))
                    let right = SIMD16<Int16>(
                        truncatingIfNeeded: y.loadUnaligned(fromByteOffset: index, as: SIMD16<Int8>.self))
                    lanes &+= SIMD16<Int32>(truncatingIfNeeded: left &* right)
                    index += 16
                }
                var sum = lanes.wrappedSum()
                while index < width {
                    sum += Int32(a[i * width + index]) * Int32(b[j * width + index])
                    index += 1
                }
                return sum
            }
        }
        return Float(sum) * a.scales[i] * b.scales[j]
    }
}

extension TokenAlignment.Side {
    fileprivate init(_ all: [Int32], _ table: TokenWeights) {
        ids = Array(all.dropFirst().dropLast())
        weights = ids.map { table[$0] }
        best = Array(repeating: 0, count: ids.count)
        match = Array(repeating: -1, count: ids.count)
        same = Array(repeating: nil, count: ids.count)
    }

    fileprivate mutating func see(_ token: Int, _ other: Int, _ similarity: Float, _ isSame: Bool) {
        if similarity > best[token] {
            best[token] = similarity
            match[token] = other
        }
        if isSame, similarity > same[token] ?? -1 { same[token] = similarity }
    }
}

/// How much each token of a vocabulary tells, 0 to 1.
package struct TokenWeights: Sendable {
    private let steps: [UInt8]

    package init(_ tokens: [(text: String, id: Int32)], prefix: String, table: WordTable = .standard) {
        var steps = [UInt8](repeating: 0, count: Int((tokens.map(\.id).max() ?? -1) + 1))
        for (text, id) in tokens where id >= 0 { steps[Int(id)] = UInt8(Self.weight(text, prefix, table) * 255) }
        self.steps = steps
    }

    private static func weight(_ token: String, _ prefix: String, _ table: WordTable) -> Float {
        if token.hasPrefix("[") && token.hasSuffix("]") && token.utf8.count > 2 { return 0 }
        if !prefix.isEmpty && token.hasPrefix(prefix) { return 0.6 }
        guard token.unicodeScalars.contains(where: { $0.properties.isAlphabetic || $0.properties.numericType != nil })
        else { return 0.05 }
        return table.weight(token)
    }

    package subscript(id: Int32) -> Float {
        id >= 0 && id < steps.count ? Float(steps[Int(id)]) / 255 : 1
    }
}
