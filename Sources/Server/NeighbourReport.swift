import Core
import Engine

/// The answer of `GET /api/neighbours`: questions that had a near one lately, the latest first.
enum NeighbourReport {
    static func json(_ pairs: [RecentPairs.Pair]) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.name("pairs")
        writer.beginArray()
        for pair in pairs { write(pair, to: &writer) }
        writer.endArray()
        writer.endObject()
        return writer.bytes
    }

    private static func write(_ pair: RecentPairs.Pair, to writer: inout JSONWriter) {
        let candidate = pair.candidate
        writer.beginObject()
        writer.member("time", pair.time)
        writer.member("result", pair.lookup.labelWord)
        writer.member("key", pair.key.hex)
        writer.member("text", pair.text)
        writer.member("matchedKey", candidate.match.key.hex)
        writer.member("matchedText", candidate.text)
        writer.member("similarity", candidate.match.similarity)
        if let confidence = candidate.match.confidence { writer.member("confidence", confidence) }
        writer.objections(candidate.objections, withDetails: true)
        if let verdict = pair.verdict {
            writer.member("witness", verdict.witness.labelWord)
            writer.member("right", verdict.isRight)
        }
        writer.endObject()
    }
}

extension JSONWriter {
    /// - Parameter withDetails: whether words of the texts are shown.
    mutating func objections(_ list: [SemanticObjection], withDetails: Bool) {
        name("objections")
        beginArray()
        for objection in list {
            beginObject()
            member("guard", objection.word)
            if withDetails { member("detail", objection.detail) }
            endObject()
        }
        endArray()
    }
}
