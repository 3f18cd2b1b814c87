import Core
import FoundationEssentials

/// A row of `/api/keys`.
struct BusyKey: Decodable, Equatable, Sendable {
    var key: String
    var requests: Int
    var saved: Int
    /// Of the answer, where memory holds one.
    var model: String?
    var namespace: String?
    var bytes: Int?
    var ttlSeconds: Int?

    private struct Answer: Decodable {
        var keys: [BusyKey]
    }

    static func decode(_ json: [UInt8]) throws(CommandFailure) -> [BusyKey] {
        do {
            return try JSONDecoder().decode(Answer.self, from: Data(json)).keys
        } catch {
            throw .failed("the answer is not that of a Refrain admin port; check --admin")
        }
    }

    static func table(_ keys: [BusyKey]) -> TextTable {
        var table = TextTable([
            .init(title: "KEY"), .init(title: "REQUESTS", isNumber: true), .init(title: "SAVED", isNumber: true),
            .init(title: "BYTES", isNumber: true), .init(title: "TTL", isNumber: true), .init(title: "MODEL"),
        ])
        for row in keys {
            let isPrintable = row.key.utf8.allSatisfy { Hex.value(of: $0) != nil }
            table.add([
                isPrintable ? row.key : "?", String(row.requests), String(row.saved),
                row.bytes.map(StatsReport.size) ?? "-", row.ttlSeconds.map { StatsReport.duration(Double($0)) } ?? "-",
                row.model.map { StatsReport.printable($0) } ?? "-",
            ])
        }
        return table
    }
}
