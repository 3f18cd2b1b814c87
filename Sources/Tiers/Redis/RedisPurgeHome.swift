import Core
import Synchronization

/// Marks as fields of one hash, announced on a channel.
///
/// Beside the marks, the hash holds `highest`, the highest number that was ever given to a group, and `revision`, which
/// changes whenever a mark rises. Both start from the time of day, so that a Redis that lost everything does not come to
/// the same again. The hash does not expire; a Redis that evicts keys without expiry may lose it, and gets it back from
/// the sidecars that join what they know.
///
/// The server's user needs `EVAL`, `HGET`, `HSET`, `HDEL`, `HSCAN`, `HLEN` and `PUBLISH`, the hash and the channel.
package final class RedisPurgeHome: PurgeHome {
    package struct Options: Sendable {
        /// The name of the hash.
        package var map = "refrain:v1:purges"
        package var channel = "refrain:v1:purges"
        /// Marks beyond so many are folded into one on everything.
        package var mostMarks = 50_000

        package init() {}
    }

    private let store: any ScriptedMapStore
    private let map: Bytes
    private let options: Options
    private let clock: any Clock
    private let log: any Log
    private let told = Mutex<Set<String>>([])

    /// Numbers are doubles in Lua, exact up to here.
    private static let numberLimit: UInt64 = 1 << 53
    /// Marks that one call of a script takes.
    private static let batch = 1000

    package init(store: any ScriptedMapStore, options: Options = Options(), clock: any Clock, log: any Log) {
        self.store = store
        self.options = options
        self.clock = clock
        self.log = log
        map = Bytes(options.map)
    }

    /// Reads what the channel carries; nil where it is no mark.
    package static func mark(in message: Bytes) -> PurgeMark? {
        let text = message.text
        guard let blank = text.firstIndex(of: " "), let number = number(in: text[..<blank]),
            let group = PurgeGroup(name: String(text[text.index(after: blank)...]))
        else { return nil }
        return PurgeMark(group, number)
    }

    // MARK: PurgeHome

    package func marks(deadline: Int64) async throws(PurgeHomeFailure) -> [PurgeMark] {
        let fields = try await call { () throws(KeyValueFailure) in
            try await store.fields(of: map, limit: options.mostMarks * 4, deadline: deadline)
        }
        var (marks, unreadable) = read(fields)
        if !unreadable.isEmpty {
            // Somebody else wrote them. They were purges, so now everything of the group is one, once: joining mends them.
            let highest = marks.reduce(UInt64(max(0, clock.wall()))) { max($0, $1.number) }
            let mended = unreadable.map { PurgeMark($0, min(highest + 1, RedisPurgeHome.numberLimit - 1)) }
            _ = try await write(mended, deadline: deadline)
            marks += mended
        }
        return await fold(marks, deadline: deadline)
    }

    package func revision(deadline: Int64) async throws(PurgeHomeFailure) -> UInt64 {
        let text = try await call { () throws(KeyValueFailure) in
            try await store.field(RedisPurgeHome.revisionField, of: map, deadline: deadline)
        }
        return text.flatMap { RedisPurgeHome.number(in: $0.text) } ?? 0
    }

    package func raise(
        _ group: PurgeGroup, above floor: UInt64, deadline: Int64
    ) async throws(PurgeHomeFailure) -> PurgeMark {
        let now = UInt64(max(0, clock.wall()))
        let arguments = [options.channel, String(now), group.name, String(max(now, floor))].map { Bytes($0) }
        let answer = try await run(RedisPurgeHome.raiseScript, arguments, deadline: deadline)
        guard let number = answer.first.flatMap({ RedisPurgeHome.number(in: $0.text) }) else {
            throw PurgeHomeFailure("Redis: it gave no number for the purge")
        }
        await foldIfCrowded(answer, deadline: deadline)
        return PurgeMark(group, number)
    }

    package func join(_ marks: [PurgeMark], deadline: Int64) async throws(PurgeHomeFailure) {
        let sound = marks.filter { $0.number < RedisPurgeHome.numberLimit }
        let answer = try await write(sound, deadline: deadline)
        await foldIfCrowded(answer, deadline: deadline)
        guard sound.count == marks.count else {
            throw PurgeHomeFailure("a purge's number of 2^53 or more cannot be kept in Redis")
        }
    }

    // MARK: Steps

    /// What the fields say, and the groups whose number cannot be read.
    private func read(_ fields: [MapField]) -> (marks: [PurgeMark], unreadable: [PurgeGroup]) {
        var marks: [PurgeMark] = []
        var unreadable: [PurgeGroup] = []
        var unknown = 0
        for field in fields {
            if field.name == RedisPurgeHome.revisionField || field.name == RedisPurgeHome.highestField { continue }
            guard let group = PurgeGroup(name: field.name.text) else {
                unknown += 1
                continue
            }
            if let number = RedisPurgeHome.number(in: field.text.text) {
                marks.append(PurgeMark(group, number))
            } else {
                unreadable.append(group)
            }
        }
        if unknown > 0 { tell("purges-unknown", LogField("map", options.map), LogField("fields", unknown)) }
        return (marks, unreadable)
    }

    /// Joins marks with those that are there; the last answer of the script.
    private func write(_ marks: [PurgeMark], deadline: Int64) async throws(PurgeHomeFailure) -> [Bytes] {
        let now = String(max(0, clock.wall()))
        var answer: [Bytes] = []
        for start in stride(from: 0, to: marks.count, by: RedisPurgeHome.batch) {
            let part = marks[start..<min(marks.count, start + RedisPurgeHome.batch)]
            let arguments = [options.channel, now] + part.flatMap { [$0.group.name, String($0.number)] }
            answer = try await run(RedisPurgeHome.joinScript, arguments.map { Bytes($0) }, deadline: deadline)
        }
        return answer
    }

    /// Reading the marks folds them.
    private func foldIfCrowded(_ answer: [Bytes], deadline: Int64) async {
        guard answer.count > 1, let fields = Int(answer[1].text), fields > options.mostMarks + 2 else { return }
        _ = try? await marks(deadline: deadline)
    }

    /// Where it cannot be done there, it is done for the caller alone, and again the next time.
    private func fold(_ marks: [PurgeMark], deadline: Int64) async -> [PurgeMark] {
        let folding = PurgeFolding(marks, limit: options.mostMarks) { $0.group == .older ? nil : $0.number }
        guard folding.number > 0 else { return marks }
        let everything = PurgeMark(.everything, folding.number)
        do throws(PurgeHomeFailure) {
            // First the mark that stands for them.
            _ = try await write([everything], deadline: deadline)
            let names = folding.folded.map(\.group).filter { $0 != .everything }.map(\.name)
            for start in stride(from: 0, to: names.count, by: RedisPurgeHome.batch) {
                let part = names[start..<min(names.count, start + RedisPurgeHome.batch)]
                let arguments = [options.channel, String(folding.number)] + part
                _ = try await run(RedisPurgeHome.dropScript, arguments.map { Bytes($0) }, deadline: deadline)
            }
        } catch {
            tell("purges-crowded", LogField("map", options.map), LogField("reason", error.description))
        }
        return folding.kept + [everything]
    }

    /// The script's answer: what it says of itself, how many fields there are, and why the channel could not be told.
    private func run(
        _ script: Bytes, _ arguments: [Bytes], deadline: Int64
    ) async throws(PurgeHomeFailure) -> [Bytes] {
        let answer = try await call { () throws(KeyValueFailure) in
            try await store.run(script, on: map, arguments: arguments, deadline: deadline)
        }
        if answer.count > 2 {
            tell("purges-unannounced", LogField("channel", options.channel), LogField("reason", answer[2].text))
        }
        return answer
    }

    private func call<Result>(
        _ body: () async throws(KeyValueFailure) -> Result
    ) async throws(PurgeHomeFailure) -> Result {
        do throws(KeyValueFailure) {
            return try await body()
        } catch {
            throw PurgeHomeFailure("Redis: \(error)")
        }
    }

    /// One line for each event in the life of this home: what causes it does not pass by itself.
    private func tell(_ event: String, _ fields: LogField...) {
        if told.withLock({ $0.insert(event).inserted }) { log.write(.warning, event, fields) }
    }

    private static func number(in text: some StringProtocol) -> UInt64? {
        guard text.utf8.allSatisfy({ (48...57).contains($0) }), let number = UInt64(text), number < numberLimit else {
            return nil
        }
        return number
    }

    // MARK: Scripts

    private static let revisionField = Bytes("revision")
    private static let highestField = Bytes("highest")

    /// What is no number of ours counts as none. Announcing must not undo the mark: who may not publish still purges, and
    /// the others find it by the revision. A Redis without memory takes no `HSET` but in a script that has written: after a
    /// removal, which it does take, a full one can still be told of purges. `ARGV[1]` is the channel.
    private static let prelude = """
        local refusal
        local function number(field)
            local n = tonumber(redis.call('HGET', KEYS[1], field))
            if n and n >= 0 and n < 2^53 then return math.floor(n) end
            return 0
        end
        local function answer(value) return {value, redis.call('HLEN', KEYS[1]), refusal} end
        local function text(n) return string.format('%.0f', n) end
        local function set(field, n)
            redis.call('HDEL', KEYS[1], field)
            redis.call('HSET', KEYS[1], field, text(n))
        end
        local function mark(group, n)
            set(group, n)
            local reply = redis.pcall('PUBLISH', ARGV[1], text(n) .. ' ' .. group)
            if type(reply) == 'table' and reply.err then refusal = reply.err end
        end
        local function revise(now) set('revision', math.max(number('revision'), now) + 1) end

        """

    /// `ARGV`: channel, time of day, group, floor. Answers with the number.
    private static let raiseScript = Bytes(
        prelude + """
            local n = math.max(number('highest'), number(ARGV[3]), tonumber(ARGV[4])) + 1
            if n >= 2^53 then return redis.error_reply('ERR the numbers of purges are used up') end
            set('highest', n)
            revise(tonumber(ARGV[2]))
            mark(ARGV[3], n)
            return answer(text(n))
            """)

    /// `ARGV`: channel, time of day, and a group and a number for each mark. Answers with how many rose.
    private static let joinScript = Bytes(
        prelude + """
            local highest, rose = number('highest'), 0
            for i = 3, #ARGV, 2 do
                local n = tonumber(ARGV[i + 1])
                if n > number(ARGV[i]) then
                    mark(ARGV[i], n)
                    rose = rose + 1
                    if ARGV[i] ~= 'older' then highest = math.max(highest, n) end
                end
            end
            if rose > 0 then
                set('highest', highest)
                revise(tonumber(ARGV[2]))
            end
            return answer(rose)
            """)

    /// `ARGV`: channel, a number, and groups, whose marks go if they are not above the number.
    private static let dropScript = Bytes(
        prelude + """
            for i = 3, #ARGV do
                if number(ARGV[i]) <= tonumber(ARGV[2]) then redis.call('HDEL', KEYS[1], ARGV[i]) end
            end
            return {}
            """)
}
