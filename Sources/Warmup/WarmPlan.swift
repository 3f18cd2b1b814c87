import Core
import Dialects

/// Which prompts are worth asking, in order, and what that is expected to save and to cost.
package struct WarmPlan: Sendable {
    package struct Limits: Sendable {
        package var top = 1_000
        /// Prompts with fewer requests are left out.
        package var minCount = 2
        /// Estimated tokens, prompts and answers together.
        package var maxTokens: Int?
        /// Estimated US dollars. Prompts to models without a price are then left out.
        package var maxCost: Double?

        package init() {}
    }

    package struct Prompt: Sendable, Equatable {
        /// The key it has whoever asks.
        package var key: CacheKey
        package var dialect: Dialect
        package var model: String
        /// Where its first line stands.
        package var location: LineLocation
        package var count: Int
        /// `count`, later requests weighing more where that was asked for.
        package var weight: Double
        package var promptTokens: Int
        package var answerTokens: Int
        /// US dollars; nil where the model has no price.
        package var cost: Double?

        package init(
            key: CacheKey, dialect: Dialect, model: String, location: LineLocation, count: Int, weight: Double,
            promptTokens: Int, answerTokens: Int, cost: Double?
        ) {
            self.key = key
            self.dialect = dialect
            self.model = model
            self.location = location
            self.count = count
            self.weight = weight
            self.promptTokens = promptTokens
            self.answerTokens = answerTokens
            self.cost = cost
        }
    }

    /// Prompts that were popular enough and are not planned, by reason.
    package struct LeftOut: Sendable, Equatable {
        package var overTokens = 0
        package var overCost = 0
        package var withoutPrice = 0
        /// Their lines could not be kept or are not in the file any more.
        package var unreadable = 0
    }

    package private(set) var prompts: [Prompt] = []
    package private(set) var leftOut = LeftOut()
    /// What the log held.
    package let requests: Int
    /// Different prompts in it: exact, or a bound from above.
    package let distinct: Int
    package let isExact: Bool

    /// Reads each candidate's line again to name its model and to estimate what it costs.
    package init(
        _ counted: PromptCounter, limits: Limits, prices: ModelPrices, reader: PromptReader
    ) {
        requests = counted.totals.requests
        distinct = counted.sketch.insertions
        isExact = counted.sketch.isExact
        var tokens = 0
        var cost = 0.0
        for counter in counted.sketch.ranked() where counter.count >= limits.minCount {
            guard prompts.count < limits.top else { break }
            guard let prompt = WarmPlan.prompt(counter, prices, reader) else {
                leftOut.unreadable += 1
                continue
            }
            let needed = prompt.promptTokens + prompt.answerTokens
            if let limit = limits.maxTokens, tokens + needed > limit {
                leftOut.overTokens += 1
                continue
            }
            if let limit = limits.maxCost {
                guard let price = prompt.cost else {
                    leftOut.withoutPrice += 1
                    continue
                }
                guard cost + price <= limit else {
                    leftOut.overCost += 1
                    continue
                }
            }
            tokens += needed
            cost += prompt.cost ?? 0
            prompts.append(prompt)
        }
    }

    /// Requests of the log that ask one of the planned prompts.
    package var covered: Int { prompts.reduce(0) { $0 + $1.count } }
    package var tokens: Int { prompts.reduce(0) { $0 + $1.promptTokens + $1.answerTokens } }
    /// US dollars; nil where no planned model has a price.
    package var cost: Double? {
        let known = prompts.compactMap(\.cost)
        return known.isEmpty ? nil : known.reduce(0, +)
    }

    /// The hit rate of the same log through an empty cache that loses nothing: each prompt misses once.
    package var coldHitRate: Double { requests == 0 ? 0 : Double(max(0, requests - distinct)) / Double(requests) }
    /// The same through a warmed one: the planned prompts do not miss at all.
    package var warmHitRate: Double {
        requests == 0 ? 0 : min(1, coldHitRate + Double(prompts.count) / Double(requests))
    }

    private static func prompt(
        _ counter: HeavyHitters.Counter, _ prices: ModelPrices, _ reader: PromptReader
    ) -> Prompt? {
        guard let location = counter.sample, let request = reader.request(at: location, key: counter.key) else {
            return nil
        }
        let promptTokens = request.body.withUnsafeBytes(TokenEstimate.prompt)
        let answerTokens = request.dialect == .embeddings ? 0 : TokenEstimate.answer
        return Prompt(
            key: counter.key, dialect: request.dialect, model: request.model, location: location, count: counter.count,
            weight: counter.weight, promptTokens: promptTokens, answerTokens: answerTokens,
            cost: prices[request.model]?.cost(prompt: promptTokens, answer: answerTokens))
    }
}

/// Reads requests again from where they stand in the logs. Belongs to one thread.
package final class PromptReader {
    package struct Request {
        package var dialect: Dialect
        package var model: String
        package var wantsStream: Bool
        package var body: Bytes

        package init(dialect: Dialect, model: String, wantsStream: Bool, body: Bytes) {
            self.dialect = dialect
            self.model = model
            self.wantsStream = wantsStream
            self.body = body
        }
    }

    private let records: RecordReader
    private let keyer: RequestKeyer
    private let line: (LineLocation) -> [UInt8]?

    /// `line` gives the bytes at a location, nil where they are gone.
    package init(
        options: RecordReader.Options, digest: any Digesting, line: @escaping (LineLocation) -> [UInt8]?
    ) {
        records = RecordReader(options: options)
        keyer = RequestKeyer(digest: digest)
        self.line = line
    }

    /// The request at a location; nil where the line is gone, or is another one than when it was counted.
    package func request(at location: LineLocation, key: CacheKey) -> Request? {
        guard let bytes = line(location) else { return nil }
        return bytes.withUnsafeBytes { line in
            guard let record = try? records.read(line) else { return nil }
            return records.withBody(of: record, in: line) { body in
                guard let found = try? keyer.key(of: body, as: record.dialect), found == key,
                    let facts = try? keyer.facts(of: body, as: record.dialect)
                else { return nil }
                return Request(
                    dialect: record.dialect, model: facts.model(in: body), wantsStream: facts.wantsStream,
                    body: Bytes(copying: body))
            }
        }
    }
}
