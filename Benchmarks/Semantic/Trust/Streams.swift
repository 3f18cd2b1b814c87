import Core
import Dialects
import Foreign
import Semantic

/// Prompts in arrival order. A hit is right when the matched prompt has the same class.
struct Stream {
    struct Prompt {
        /// A line of the texts.
        var text: Int
        var answer: Int
        /// The stream that it is counted under: a mixed one is counted by language.
        var counted: Int
    }

    /// Neighbours are looked for among so many of the most similar earlier texts; those that were answered from another
    /// one are not kept, so not all of them are there.
    private static let reach = 64

    var name: String
    var counted: [String] = []
    var prompts: [Prompt] = []

    /// - Parameter lines: `[stream, text, class, counted under]` as JSON, in order.
    static func read(_ lines: [String]) throws -> [Stream] {
        var streams: [Stream] = []
        for line in lines {
            let fields = try JSONValue.parse(line).elements ?? []
            guard fields.count == 4, let name = fields[0].text, let text = fields[1].integer,
                let answer = fields[2].integer, let counted = fields[3].text
            else { throw InputFault("a line of the streams has another form: \(line)") }
            if streams.last?.name != name { streams.append(Stream(name: name)) }
            streams[streams.count - 1].add(text, answer, counted)
        }
        return streams
    }

    private init(name: String) { self.name = name }

    private mutating func add(_ text: Int, _ answer: Int, _ under: String) {
        if !counted.contains(under) { counted.append(under) }
        prompts.append(Prompt(text: text, answer: answer, counted: counted.firstIndex(of: under) ?? 0))
    }

    /// For each text the most similar ones that came before it.
    func neighbours(_ similarity: (Int, Int) -> Float) -> [Int: [(text: Int, similarity: Float)]] {
        var seen: [Int] = []
        var found: [Int: [(text: Int, similarity: Float)]] = [:]
        for prompt in prompts where found[prompt.text] == nil {
            var best: [(text: Int, similarity: Float)] = []
            for text in seen {
                let score = similarity(prompt.text, text)
                if best.count == Self.reach, score <= best[best.count - 1].similarity { continue }
                if best.count == Self.reach { best.removeLast() }
                best.insert((text, score), at: best.firstIndex { $0.similarity < score } ?? best.count)
            }
            found[prompt.text] = best
            seen.append(prompt.text)
        }
        return found
    }
}

/// What a policy does with a text that it has not seen before.
enum Reply {
    /// The answer of that text is served.
    case serve(Int)
    /// A fresh answer, which is kept.
    case keep
    /// A fresh answer that is not kept, since the neighbour's would have been right.
    case pass
}

/// What came out of a stream, or of a part of it.
struct Tally {
    var requests = 0
    var exact = 0
    var hits = 0
    var wrong = 0
    var classes: Set<Int> = []
}

extension Stream {
    /// Replays the stream: what is not answered is kept, what is answered is not. The same text is always a hit.
    /// - Parameter reply: is told the kept texts with their classes, and the class of the text.
    func replay(_ reply: (_ text: Int, _ kept: [Int: Int], _ class: Int) -> Reply) -> [Tally] {
        var kept: [Int: Int] = [:]
        var tallies = [Tally](repeating: Tally(), count: counted.count)
        for prompt in prompts {
            tallies[prompt.counted].requests += 1
            tallies[prompt.counted].classes.insert(prompt.answer)
            if let known = kept[prompt.text] {
                tallies[prompt.counted].exact += 1
                tallies[prompt.counted].hits += 1
                if known != prompt.answer { tallies[prompt.counted].wrong += 1 }
                continue
            }
            switch reply(prompt.text, kept, prompt.answer) {
            case .serve(let match):
                tallies[prompt.counted].hits += 1
                if kept[match] != prompt.answer { tallies[prompt.counted].wrong += 1 }
            case .keep: kept[prompt.text] = prompt.answer
            case .pass: break
            }
        }
        return tallies
    }
}
