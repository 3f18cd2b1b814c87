import Core

/// Commands that were sent and wait for their answers, which come in the same order.
///
/// A command whose deadline passes is ended and keeps its place, so that its late answer is not taken for another's.
struct RedisPipeline {
    /// Called exactly once, on the loop's thread.
    typealias Completion = (Result<RedisReply, KeyValueFailure>) -> Void

    struct Place {
        let sentAt: Int64
        let deadline: Int64
        let bytes: Int
        let answers: RedisReply.Kinds
        /// nil once the command was ended.
        var completion: Completion?
    }

    private var places: [Place] = []
    private var head = 0
    /// Of the commands in it.
    private(set) var bytes = 0

    var count: Int { places.count - head }
    var isEmpty: Bool { count == 0 }

    /// Since when the next answer is owed.
    var owedSince: Int64? { isEmpty ? nil : places[head].sentAt }

    /// `now` and `deadline` in monotonic nanoseconds.
    mutating func append(
        now: Int64, deadline: Int64, bytes: Int, answers: RedisReply.Kinds, _ completion: @escaping Completion
    ) {
        places.append(
            Place(sentAt: now, deadline: deadline, bytes: bytes, answers: answers, completion: completion))
        self.bytes += bytes
    }

    /// Takes the place of the answer that has come, nil where none was owed.
    mutating func takeFirst() -> Place? {
        guard !isEmpty else { return nil }
        let place = places[head]
        places[head].completion = nil
        head += 1
        bytes -= place.bytes
        if head == places.count {
            places.removeAll(keepingCapacity: places.count <= 1024)
            head = 0
        } else if head >= 1024 {
            places.removeFirst(head)
            head = 0
        }
        return place
    }

    /// Takes the commands whose time is over. The second value is when to look again.
    mutating func expire(now: Int64) -> (expired: [Completion], next: Int64?) {
        var expired: [Completion] = []
        var next: Int64?
        for index in head..<places.count {
            guard let completion = places[index].completion else { continue }
            if places[index].deadline <= now {
                expired.append(completion)
                places[index].completion = nil
            } else {
                next = min(next ?? .max, places[index].deadline)
            }
        }
        return (expired, next)
    }

    /// Empties it; who still waited.
    mutating func takeAll() -> [Completion] {
        defer { self = RedisPipeline() }
        return places[head...].compactMap(\.completion)
    }
}
