import Core

/// Entries of every shape, the same for the same seed.
package struct RandomEntries {
    private var random: SeededRandom
    /// The largest content, in bytes.
    private let largest: Int

    package init(seed: UInt64, largest: Int = 2_000) {
        random = SeededRandom(seed: seed)
        self.largest = largest
    }

    package mutating func key() -> CacheKey {
        CacheKey(random.next(), random.next(), random.next(), random.next())
    }

    package mutating func next() -> Entry {
        let held = Int.random(in: 1...3, using: &random)
        let whole = held & 1 != 0 ? content() : nil
        let stream = held & 2 != 0 ? content() : nil
        return Entry(
            facts: facts(streamCount: stream?.count ?? 0), headers: list { HeaderField($0.text(), $0.text()) },
            model: text(), namespace: text(), tags: list { $0.text() }, whole: whole, stream: stream)
    }

    private mutating func facts(streamCount: Int) -> Entry.Facts {
        var facts = Entry.Facts(
            createdAt: edge(Int64.self), ttl: edge(Int64.self),
            dialect: Dialect.allCases.randomElement(using: &random) ?? .chat,
            origin: Form.allCases.randomElement(using: &random) ?? .whole)
        facts.generation = edge(UInt64.self)
        facts.tenant = edge(UInt64.self)
        facts.promptTokens = edge(Int32.self)
        facts.completionTokens = edge(Int32.self)
        facts.status = edge(UInt16.self)
        facts.storedUpstream = Bool.random(using: &random)
        facts.usageEnd = UInt32(Int.random(in: 0...streamCount, using: &random))
        facts.usageStart = UInt32.random(in: 0...facts.usageEnd, using: &random)
        return facts
    }

    /// Any number, often the smallest or the largest of its type.
    private mutating func edge<Number: FixedWidthInteger>(_: Number.Type) -> Number {
        switch Int.random(in: 0..<5, using: &random) {
        case 0: Number.min
        case 1: Number.max
        default: Number.random(in: .min ... .max, using: &random)
        }
    }

    private mutating func list<Element>(_ element: (inout RandomEntries) -> Element) -> [Element] {
        (0..<Int.random(in: 0..<4, using: &random)).map { _ in element(&self) }
    }

    private mutating func text() -> String {
        let letters = Array("ab-/ :ü日🙂\n\u{7F}")
        let count = Int.random(in: 0..<12, using: &random)
        return String((0..<count).map { _ in letters.randomElement(using: &random) ?? "a" })
    }

    /// Empty, noise, a repeated byte, or words that compress as answers do.
    private mutating func content() -> Bytes {
        let count = Int.random(in: 0...largest, using: &random)
        switch Int.random(in: 0..<8, using: &random) {
        case 0: return .empty
        case 1: return Bytes((0..<count).map { _ in UInt8.random(in: 0...255, using: &random) })
        case 2: return Bytes([UInt8](repeating: 65, count: count))
        default:
            let words = ["the ", "data: {\"delta\":", "model", "\"}\n\n", "answer ", "of ", "42, "]
            var text: [UInt8] = []
            while text.count < count { text += Array((words.randomElement(using: &random) ?? "").utf8) }
            return Bytes(Array(text.prefix(count)))
        }
    }
}

extension Entry {
    /// Whether every field and every byte is the same.
    package func hasSameContent(as other: Entry) -> Bool {
        facts == other.facts && headers == other.headers && model == other.model && namespace == other.namespace
            && tags == other.tags
            && Form.allCases.allSatisfy { form in content(form).map(Array.init) == other.content(form).map(Array.init) }
    }
}
