import Core
import Dialects

/// What goes over the wire for an answer, when, and what is wrong with it.
struct DeliveryPlan {
    private(set) var pieces: [Delivery.Piece]
    private(set) var last = BodyRead.end
    /// The declared length; nil: in chunks.
    private(set) var length: Int64?

    init(
        _ answer: SimulatedAnswer, _ request: SimulatedRequest, _ fault: Fault?, _ options: SimulatorOptions,
        firstToken: Int64
    ) {
        if request.wantsStream {
            pieces = answer.events.map { event in
                Delivery.Piece(due: firstToken + options.time(ofToken: event.tokens), bytes: event.bytes)
            }
            spoilStream(fault, answer.events, isAnthropic: request.dialect.isAnthropic)
        } else {
            let due = firstToken + options.time(ofToken: answer.tokens)
            pieces = [Delivery.Piece(due: due, bytes: answer.whole.serialised)]
            spoilWhole(fault)
        }
        if options.isBusy { addKeepAlive(until: pieces.first?.due ?? 0, isStream: request.wantsStream) }
    }

    private mutating func spoilStream(_ fault: Fault?, _ events: [SimulatedAnswer.Event], isAnthropic: Bool) {
        let half = pieces.count / 2
        switch fault {
        case .halfEvent:
            pieces.removeLast(pieces.count - half - 1)
            pieces[half].bytes.removeLast(pieces[half].bytes.count / 2)
            last = .broken
        case .shortBody:
            pieces.removeLast(pieces.count - half)
            last = .broken
        case .truncated: pieces.removeLast(pieces.count - half)
        case .noDone: pieces = zip(pieces, events).filter { !$0.1.isTerminal }.map(\.0)
        case .errorEvent:
            pieces.removeLast(pieces.count - half)
            var bytes = Array((isAnthropic ? "event: error\ndata: " : "data: ").utf8)
            let error = ErrorAnswer(500, "a simulated failure in the stream")
            error.body(for: isAnthropic ? .messages : .chat).write(to: &bytes)
            pieces.append(Delivery.Piece(due: pieces.last?.due ?? 0, bytes: bytes + Array("\n\n".utf8)))
        case .gzip:
            let all = StoredGzip.wrap(pieces.flatMap(\.bytes))
            pieces = [Delivery.Piece(due: pieces.last?.due ?? 0, bytes: all)]
        case nil, .status, .reset, .hang: break
        }
    }

    private mutating func spoilWhole(_ fault: Fault?) {
        switch fault {
        case .gzip: pieces[0].bytes = StoredGzip.wrap(pieces[0].bytes)
        case .halfEvent, .shortBody:
            length = Int64(pieces[0].bytes.count)
            pieces[0].bytes.removeLast(pieces[0].bytes.count / 2)
            last = .broken
            return
        case .truncated: pieces[0].bytes.removeLast(pieces[0].bytes.count / 2)
        case nil, .status, .reset, .hang, .noDone, .errorEvent: break
        }
        length = Int64(pieces[0].bytes.count)
    }

    /// What DeepSeek does while a request waits: comments in a stream, blank lines before a whole answer.
    private mutating func addKeepAlive(until due: Int64, isStream: Bool) {
        let line = Array((isStream ? ": keep-alive\n\n" : "\n").utf8)
        let waiting = (0..<4).map { Delivery.Piece(due: due / 4 * Int64($0), bytes: line) }
        pieces = waiting + pieces
        length = nil
    }
}
