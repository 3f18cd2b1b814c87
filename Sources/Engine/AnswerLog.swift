import Core
import Dialects

/// The bytes of one answer in the order they came, read by several readers at different places.
///
/// Positions count from the first byte of the answer and never change. While an answer is collected everything is
/// held; once it is only relayed, what all readers have passed is let go of.
struct AnswerLog {
    /// What a run of bytes is; runs without a mark are the answer itself.
    enum Kind: Sendable {
        case answer
        /// The report of token usage, for those who asked for it.
        case usage
        /// Keep-alives: for those who listen at that moment, not part of the answer.
        case wire
    }

    private struct Mark {
        var start: Int
        var end: Int
        var kind: Kind
    }

    private var bytes: [UInt8] = []
    /// The position of `bytes[0]`.
    private(set) var start = 0
    /// In ascending order, without overlap.
    private var marks: [Mark] = []
    /// How many marks were let go of before `marks[0]`.
    private var marksGone = 0
    /// Bytes so far that are not keep-alives.
    private(set) var answerCount = 0

    var end: Int { start + bytes.count }
    var isEmpty: Bool { end == 0 }
    /// Marks that are held.
    var markCount: Int { marks.count }

    mutating func append(_ piece: BytesView, _ kind: Kind) {
        guard !piece.isEmpty else { return }
        if kind != .answer {
            if let last = marks.last, last.end == end, last.kind == kind {
                marks[marks.count - 1].end += piece.count
            } else {
                marks.append(Mark(start: end, end: end + piece.count, kind: kind))
            }
        }
        if kind != .wire { answerCount += piece.count }
        bytes.append(contentsOf: piece)
    }

    mutating func append(_ piece: StreamPiece) {
        switch piece {
        case .answer(let bytes): append(bytes, .answer)
        case .usage(let bytes): append(bytes, .usage)
        case .wire(let bytes): append(bytes, .wire)
        }
    }

    /// Where a reader stands and what it wants to see.
    struct Reader {
        var position = 0
        /// Keep-alives before this position are past.
        let joined: Int
        let wantsUsage: Bool
        /// Number of the first mark that may lie at or after `position`, counting those that are gone.
        fileprivate var nextMark = 0

        init(joined: Int, wantsUsage: Bool) {
            self.joined = joined
            self.wantsUsage = wantsUsage
        }

        /// How far a run that ends at `end` is passed over.
        fileprivate func skip(_ kind: Kind, endingAt end: Int) -> Int {
            switch kind {
            case .answer: position
            case .usage: wantsUsage ? position : end
            case .wire: max(position, min(end, joined))
            }
        }
    }

    /// Copies what the reader has not seen yet, at most `target.count` bytes; 0 when it has seen everything.
    func read(_ reader: inout Reader, into target: UnsafeMutableRawBufferPointer) -> Int {
        precondition(reader.position >= start, "AnswerLog: a reader was left behind")
        var written = 0
        while written < target.count, reader.position < end {
            var index = max(reader.nextMark - marksGone, 0)
            while index < marks.count, marks[index].end <= reader.position { index += 1 }
            reader.nextMark = index + marksGone
            var limit = end
            if index < marks.count {
                let mark = marks[index]
                if reader.position >= mark.start {
                    let next = reader.skip(mark.kind, endingAt: mark.end)
                    if next > reader.position {
                        reader.position = next
                        continue
                    }
                    limit = mark.end
                } else {
                    limit = mark.start
                }
            }
            let count = min(limit - reader.position, target.count - written)
            let from = reader.position - start
            bytes.withUnsafeBytes { source in
                UnsafeMutableRawBufferPointer(rebasing: target[written..<(written + count)])
                    .copyMemory(from: UnsafeRawBufferPointer(rebasing: source[from..<(from + count)]))
            }
            written += count
            reader.position += count
        }
        return written
    }

    /// Lets go of what lies before `position`, in steps large enough that moving the rest costs little.
    mutating func release(before position: Int) {
        let passed = min(position, end) - start
        guard passed > 0, passed == bytes.count || passed >= bytes.count / 2 else { return }
        bytes.removeFirst(passed)
        start += passed
        let gone = marks.firstIndex { $0.end > start } ?? marks.count
        marks.removeFirst(gone)
        marksGone += gone
    }

    /// The answer without its keep-alives, and where in it usage is reported. nil when parts were let go of, or when
    /// usage is reported in more than one place.
    func collected() -> Collected? {
        guard start == 0 else { return nil }
        let usages = marks.filter { $0.kind == .usage }
        guard usages.count <= 1 else { return nil }
        let wire = marks.filter { $0.kind == .wire }
        let size = end - wire.reduce(0) { $0 + $1.end - $1.start }
        let content = Bytes(capacity: size) { target in
            bytes.withUnsafeBytes { source in
                var position = 0
                var written = 0
                func copy(to limit: Int) {
                    guard limit > position else { return }
                    UnsafeMutableRawBufferPointer(rebasing: target[written...])
                        .copyMemory(from: UnsafeRawBufferPointer(rebasing: source[position..<limit]))
                    written += limit - position
                }
                for mark in wire {
                    copy(to: mark.start)
                    position = mark.end
                }
                copy(to: source.count)
                return written
            }
        }
        var usage = 0..<0
        if let mark = usages.first {
            let before = wire.reduce(0) { $1.end <= mark.start ? $0 + $1.end - $1.start : $0 }
            usage = (mark.start - before)..<(mark.end - before)
        }
        return Collected(content: content, usage: usage)
    }

    struct Collected {
        var content: Bytes
        /// Empty where usage is not reported by an event of its own.
        var usage: Range<Int>
    }
}
