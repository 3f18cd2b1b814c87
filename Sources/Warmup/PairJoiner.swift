import Core
import Dialects

/// A request and the answer it once got.
package struct AnsweredRequest: Sendable, Equatable {
    package var dialect: Dialect
    package var request: [UInt8]
    package var response: [UInt8]

    package init(dialect: Dialect, request: [UInt8], response: [UInt8]) {
        self.dialect = dialect
        self.request = request
        self.response = response
    }

    /// The line of an import: `{"dialect":"chat","request":{…},"response":{…}}`.
    package var line: [UInt8] {
        var line: [UInt8] = []
        line.reserveCapacity(request.count + response.count + 64)
        line += "{\"dialect\":\"\(dialect.word)\",\"request\":".utf8
        line += request
        line += ",\"response\":".utf8
        line += response
        line.append(UInt8(ascii: "}"))
        // What came on one line has no line feed but those between values, where a blank is as good.
        for index in line.indices where line[index] == 10 { line[index] = 32 }
        return line
    }
}

/// Why a line gives no pair. Closed, so that the tally is bounded.
package enum UnusablePair: Error, Hashable, Sendable {
    /// Nothing of use in the line itself.
    case line(UnusableLine)
    /// A request without an answer, and no `custom_id` by which to find one.
    case noAnswer
    /// The answer is an error.
    case failedAnswer
    /// No file has the request of this `custom_id`.
    case noRequest
    /// Two requests have this `custom_id`.
    case ambiguous
    /// More requests wait for their answers than fit.
    case tooMany

    package var word: String {
        switch self {
        case .line(let reason): reason.word
        case .noAnswer: "no-answer"
        case .failedAnswer: "failed-answer"
        case .noRequest: "no-request"
        case .ambiguous: "ambiguous"
        case .tooMany: "too-many"
        }
    }

    package var meaning: String {
        switch self {
        case .line(let reason): reason.meaning
        case .noAnswer: "has a request and no answer"
        case .failedAnswer: "holds an answer that is an error"
        case .noRequest: "answers a custom_id that no file asks"
        case .ambiguous: "has a custom_id that two requests have"
        case .tooMany: "waits for its other half, as too many others do; import fewer files at once"
        }
    }
}

/// Finds requests with their answers in logs: on one line, or joined by `custom_id` from the input and the output of
/// OpenAI's Batch API, in whichever order the files come. Belongs to one thread.
///
/// Of a half that waits for the other, its place is remembered and not its text, so 50,000 requests of a batch take a
/// few megabytes.
package final class PairJoiner {
    private enum Half {
        case request(LineLocation, LinePlace)
        case answer(LineLocation, LinePlace)
        /// Two requests have the id: an answer could be that of either.
        case ambiguous
        case joined
    }

    package private(set) var tally = LineTally<UnusablePair>()
    package private(set) var lines = 0
    package private(set) var pairs = 0
    /// Keeps a line of a source that cannot be read again; nil where there is no room.
    package var keep: ((UnsafeRawBufferPointer) -> LineLocation?)?

    private let records: RecordReader
    private let line: (LineLocation) -> [UInt8]?
    private let found: (AnsweredRequest) -> Void
    private let limit: Int
    private var members = LineMembers()
    private var answer = LineMembers()
    private var framer = LineFramer()
    private var halves: [LineHash: Half] = [:]
    private var source = 0
    private var isKept = false

    /// `line` gives the bytes at a location, nil where they are gone; `found` hears of each pair. At most `limit` ids
    /// are remembered.
    package init(
        options: RecordReader.Options, limit: Int = 4_000_000, line: @escaping (LineLocation) -> [UInt8]?,
        found: @escaping (AnsweredRequest) -> Void
    ) {
        records = RecordReader(options: options)
        self.limit = limit
        self.line = line
        self.found = found
    }

    package func begin(source: Int, canBeReadAgain: Bool) {
        self.source = source
        isKept = !canBeReadAgain
        framer = LineFramer()
    }

    package func feed(_ chunk: UnsafeRawBufferPointer) { framer.feed(chunk) { take($0) } }

    /// The file is over.
    package func end() { framer.finish { take($0) } }

    /// All files are over: what still waits has no other half.
    package func finish() {
        for half in halves.values {
            switch half {
            case .request(_, let place): tally.add(.noAnswer, at: place)
            case .answer(_, let place): tally.add(.noRequest, at: place)
            case .ambiguous, .joined: break
            }
        }
        halves = [:]
    }

    private func take(_ line: LineFramer.Line) {
        let place = LinePlace(source: source, line: line.number)
        lines += 1
        guard !line.isTooLong else { return tally.add(.line(.tooLong), at: place) }
        guard line.bytes.contains(where: { $0 != 32 && $0 != 9 }) else { return }
        do throws(UnusablePair) {
            try read(line, place)
        } catch {
            tally.add(error, at: place)
        }
    }

    private func read(_ line: LineFramer.Line, _ place: LinePlace) throws(UnusablePair) {
        do throws(JSONFault) {
            try members.read(line.bytes)
        } catch {
            throw .line(UnusableLine(error))
        }
        let isAnswered = members.has(.response) && !members.isNull(.response)
        if members.has(.customID), members.object(.body) == nil, isAnswered || members.has(.error) {
            _ = try response(in: line.bytes)
            return try join(id(), .answer(try location(line), place), place)
        }
        if isAnswered {
            let response = try response(in: line.bytes)
            return give(try request(in: line.bytes), response)
        }
        guard members.has(.customID) else {
            _ = try request(in: line.bytes)
            throw .noAnswer
        }
        _ = try request(in: line.bytes)
        try join(id(), .request(try location(line), place), place)
    }

    private func join(_ id: LineHash, _ half: Half, _ place: LinePlace) throws(UnusablePair) {
        switch (halves[id], half) {
        case (nil, _):
            guard halves.count < limit else { throw .tooMany }
            halves[id] = half
        case (.request(let request, _), .answer(let answer, _)), (.answer(let answer, _), .request(let request, _)):
            halves[id] = .joined
            try join(request, answer)
        case (.request, .request):
            halves[id] = .ambiguous
            throw .ambiguous
        default: throw .ambiguous
        }
    }

    private func join(_ request: LineLocation, _ answer: LineLocation) throws(UnusablePair) {
        guard let question = line(request), let reply = line(answer) else { throw .noRequest }
        var id: [UInt8] = []
        let read: Result<(Dialect, [UInt8]), UnusablePair> = question.withUnsafeBytes { bytes in
            do throws(UnusablePair) {
                try readMembers(bytes)
                id = members.raw(.customID).map { [UInt8]($0) } ?? []
                return .success(try self.request(in: bytes))
            } catch {
                return .failure(error)
            }
        }
        let response: Result<[UInt8], UnusablePair> = reply.withUnsafeBytes { bytes in
            do throws(UnusablePair) {
                try readMembers(bytes)
                // The index knows ids by their hashes only.
                guard let other = members.raw(.customID), other.elementsEqual(id) else { throw .noRequest }
                return .success(try self.response(in: bytes))
            } catch {
                return .failure(error)
            }
        }
        give(try read.get(), try response.get())
    }

    private func readMembers(_ line: UnsafeRawBufferPointer) throws(UnusablePair) {
        do throws(JSONFault) {
            try members.read(line)
        } catch {
            throw .line(UnusableLine(error))
        }
    }

    private func give(_ request: (Dialect, [UInt8]), _ response: [UInt8]) {
        pairs += 1
        found(AnsweredRequest(dialect: request.0, request: request.1, response: response))
    }

    /// The request on a line whose members were read.
    private func request(in line: UnsafeRawBufferPointer) throws(UnusablePair) -> (Dialect, [UInt8]) {
        do throws(UnusableLine) {
            let record = try records.read(line)
            return (record.dialect, records.withBody(of: record, in: line) { [UInt8]($0) })
        } catch {
            throw .line(error)
        }
    }

    /// The answer on a line whose members were read: `response` itself, or its `body` where it also has a status.
    private func response(in line: UnsafeRawBufferPointer) throws(UnusablePair) -> [UInt8] {
        guard members.isNull(.error), let range = members.object(.response) else { throw .failedAnswer }
        let whole = UnsafeRawBufferPointer(rebasing: line[range])
        do throws(JSONFault) {
            try answer.read(whole)
        } catch {
            throw .line(UnusableLine(error))
        }
        guard let status = answer.raw(.statusCode) else { return [UInt8](whole) }
        guard let code = Int(status.text), (200..<300).contains(code), let body = answer.object(.body) else {
            throw .failedAnswer
        }
        return [UInt8](UnsafeRawBufferPointer(rebasing: whole[body]))
    }

    private func id() -> LineHash {
        LineHash(members.raw(.customID) ?? UnsafeRawBufferPointer(start: nil, count: 0))
    }

    private func location(_ line: LineFramer.Line) throws(UnusablePair) -> LineLocation {
        guard isKept else {
            return LineLocation(
                source: UInt16(truncatingIfNeeded: source), offset: line.offset,
                length: UInt32(truncatingIfNeeded: line.bytes.count))
        }
        guard let location = keep?(line.bytes) else { throw .tooMany }
        return location
    }
}
