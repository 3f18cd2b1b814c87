import Core
import Dialects
import TestKit

/// A piece of a stream that a watcher emitted, copied.
struct SeenPiece: Equatable {
    enum Kind: Equatable { case answer, usage, wire }
    var kind: Kind
    var text: String
}

struct Watched {
    var pieces: [SeenPiece]
    var result: Result<Verdict, NotStored>

    var verdict: Verdict? { try? result.get() }
    var failure: NotStored? {
        if case .failure(let reason) = result { reason } else { nil }
    }
    func text(_ kind: SeenPiece.Kind) -> String { pieces.filter { $0.kind == kind }.map(\.text).joined() }
    var everything: String { pieces.map(\.text).joined() }
}

/// Feeds a stream to a watcher, cut before each of the given offsets.
func watch(_ stream: [UInt8], _ dialect: Dialect, cuts: [Int] = [], maxEvent: Int = StreamWatcher.maxEvent) -> Watched {
    var watcher = StreamWatcher(dialect: dialect, maxEvent: maxEvent)
    var pieces: [SeenPiece] = []
    func keep(_ piece: StreamPiece) {
        let kind: SeenPiece.Kind =
            switch piece {
            case .answer: .answer
            case .usage: .usage
            case .wire: .wire
            }
        pieces.append(SeenPiece(kind: kind, text: String(decoding: piece.bytes, as: UTF8.self)))
    }
    var start = 0
    for end in cuts.sorted() + [stream.count] {
        stream[start..<end].withUnsafeBytes { watcher.feed($0, emit: keep) }
        start = end
    }
    do {
        let verdict = try watcher.finish(emit: keep)
        return Watched(pieces: pieces, result: .success(verdict))
    } catch {
        return Watched(pieces: pieces, result: .failure(error))
    }
}

func watch(_ stream: String, _ dialect: Dialect) -> Watched { watch(Array(stream.utf8), dialect) }

func judge(_ body: String, _ dialect: Dialect) -> Result<Verdict, NotStored> {
    do {
        let verdict = try Bytes(body).withUnsafeBytes { (bytes) throws(NotStored) in
            try judgeWhole(bytes, dialect: dialect)
        }
        return .success(verdict)
    } catch {
        return .failure(error)
    }
}

func whole(from stream: Bytes, _ dialect: Dialect) throws(ConversionFailure) -> JSONValue {
    let bytes = try stream.withUnsafeBytes { (bytes) throws(ConversionFailure) in
        try wholeFromStream(bytes, dialect: dialect)
    }
    do { return try JSONValue.parse(bytes.text) } catch { throw .unmergeable }
}

func whole(from stream: String, _ dialect: Dialect) throws(ConversionFailure) -> JSONValue {
    try whole(from: Bytes(stream), dialect)
}

func stream(from whole: JSONValue, _ dialect: Dialect) throws(ConversionFailure) -> StreamRendition {
    try Bytes(whole.serialised).withUnsafeBytes { (bytes) throws(ConversionFailure) in
        try streamFromWhole(bytes, dialect: dialect)
    }
}

/// One event of data a line, as OpenAI sends them.
func events(_ data: String...) -> String { data.map { "data: \($0)\n\n" }.joined() }

/// Events with names, as Anthropic sends them; the name is the data's type.
func namedEvents(_ data: String...) throws -> String {
    try data.map { "event: \(try JSONValue.parse($0)["type"]?.text ?? "")\ndata: \($0)\n\n" }.joined()
}
