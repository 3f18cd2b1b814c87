import Core

/// A question that was answered: what it was, as a point too, and under which key its answer is held.
package struct SemanticRecord: Sendable, Equatable {
    /// Of the exact entry.
    package var key: CacheKey
    /// Everything that must be the same for the answer to fit another question, the matcher's identity included.
    package var partition: CacheKey
    /// The last text of the user, as it was sent.
    package var text: String
    package var sketch: QuantizedVector
    package var tokens: TokenVectors?
    package var facts: SemanticFacts

    package init(
        key: CacheKey, partition: CacheKey, text: String, sketch: QuantizedVector, tokens: TokenVectors? = nil,
        facts: SemanticFacts
    ) {
        self.key = key
        self.partition = partition
        self.text = text
        self.sketch = sketch
        self.tokens = tokens
        self.facts = facts
    }

    /// The memory behind its fields, with what the allocator adds, without the sketch.
    var heapBytes: Int {
        func block(_ bytes: Int) -> Int { bytes == 0 ? 0 : bytes + 48 }
        // Up to fifteen bytes of text stand in the field itself.
        func text(_ text: String) -> Int { text.utf8.count > 15 ? block(text.utf8.count) : 0 }
        let vectors = tokens.map { block($0.values.count) + block($0.scales.count * MemoryLayout<Float>.stride) } ?? 0
        let tags = block(facts.tags.count * MemoryLayout<String>.stride) + facts.tags.reduce(0) { $0 + text($1) }
        return text(self.text) + text(facts.model) + text(facts.namespace) + tags + vectors
    }
}

/// A record that is near to a question.
package struct SemanticNeighbour: Sendable, Equatable {
    package var record: SemanticRecord
    /// The cosine with the question's own vector, not with its bytes.
    package var similarity: Float
}
