import Core
import TestKit
import Testing

@testable import Foreign

@Suite struct HashSlotTests {
    /// The check value of CRC-16/XMODEM, and slots that `CLUSTER KEYSLOT` of Redis 7.0 gives.
    @Test func knownAnswers() {
        #expect(Array("123456789".utf8).withUnsafeBytes { HashSlot.crc16($0) } == 0x31C3)
        let slots: [(String, UInt16)] = [
            ("", 0), ("foo", 12182), ("bar", 5061), ("123456789", 12739), ("{user1000}.following", 3443),
            ("{user1000}.followers", 3443), ("user1000", 3443), ("foo{}{bar}", 8363), ("foo{{bar}}zap", 4015),
            ("{bar", 4015), ("foo{bar}{zap}", 5061),
        ]
        for (key, slot) in slots { #expect(HashSlot.of(Bytes(key)) == slot, "\(key)") }
    }
}

@Suite struct SlotMapTests {
    static let source = RedisEndpoint.network(host: "10.0.0.9", port: 7000)

    static func range(_ first: Int64, _ last: Int64, _ host: RedisReply, _ port: Int64) -> RedisReply {
        .array([
            .integer(first), .integer(last), .array([host, .integer(port), .bulk(Bytes("id")), .array([])]),
            .array([.bulk(Bytes("10.0.0.8")), .integer(1), .bulk(Bytes("replica"))]),
        ])
    }

    @Test func readsRanges() throws {
        let reply = RedisReply.array([
            Self.range(0, 99, .bulk(Bytes("10.0.0.1")), 7001), Self.range(200, 200, .null, 7002),
            Self.range(300, 16_383, .bulk(.empty), 7003),
        ])
        let map = try #require(SlotMap(reply, from: Self.source))
        let owners: [(UInt16, RedisEndpoint?)] = [
            (0, .network(host: "10.0.0.1", port: 7001)), (99, .network(host: "10.0.0.1", port: 7001)), (100, nil),
            (200, .network(host: "10.0.0.9", port: 7002)), (16_383, .network(host: "10.0.0.9", port: 7003)),
        ]
        for (slot, owner) in owners { #expect(map.master(of: slot) == owner, "\(slot)") }
        #expect(map.coverage == 101 + 16_384 - 300)
        #expect(map.masters.count == 3)
    }

    @Test func moves() throws {
        var map = try #require(SlotMap(.array([Self.range(0, 9, .null, 7001)]), from: Self.source))
        let other = RedisEndpoint.network(host: "h", port: 1)
        map.move(5, to: other)
        #expect(map.master(of: 5) == other)
        #expect(map.master(of: 6) == .network(host: "10.0.0.9", port: 7001))
    }

    @Test(arguments: [
        RedisReply.null, .array([.null]), .array([.array([.integer(0), .integer(1)])]),
        .array([range(-1, 5, .null, 1)]), .array([range(5, 4, .null, 1)]), .array([range(0, 16_384, .null, 1)]),
        .array([range(0, 1, .null, 0)]), .array([range(0, 1, .null, 65_536)]),
        .array([range(0, 1, .bulk(Bytes("a b")), 1)]), .array([range(0, 1, .integer(3), 1)]),
        .array([.array([.integer(0), .integer(1), .array([])])]),
    ]) func refusesWhatIsNoMap(_ reply: RedisReply) {
        #expect(SlotMap(reply, from: Self.source) == nil)
    }

    @Test func redirections() {
        let cases: [(String, Redirection.Kind?, UInt16, String)] = [
            ("MOVED 3999 127.0.0.1:6381", .moved, 3999, "127.0.0.1:6381"),
            ("ASK 1 ::1:80", .ask, 1, "[::1]:80"),
            ("MOVED 5 :6400", .moved, 5, "10.0.0.9:6400"),
            ("MOVED 16384 127.0.0.1:6381", nil, 0, ""), ("MOVED 1 host:0", nil, 0, ""), ("MOVED 1 host", nil, 0, ""),
            ("MOVED 1 ho/st:1", nil, 0, ""), ("MOVED -1 host:1", nil, 0, ""), ("MOVED 1  host:1", nil, 0, ""),
            ("ERR MOVED 1 host:1", nil, 0, ""), ("", nil, 0, ""), ("MOVED 1 host:99999", nil, 0, ""),
        ]
        for (message, kind, slot, server) in cases {
            let redirection = Redirection(message, from: Self.source)
            #expect(redirection?.kind == kind, "\(message)")
            guard let redirection else { continue }
            #expect(redirection.slot == slot && redirection.endpoint.description == server, "\(message)")
        }
    }
}

@Suite struct ReconnectBackoffTests {
    @Test func doublesWithinItsBoundsAndStartsAgain() {
        let random = SeededSource(seed: 7)
        var backoff = ReconnectBackoff(first: 100, longest: 1000)
        for whole: Int64 in [100, 200, 400, 800, 1000, 1000, 1000] {
            let wait = backoff.next(random)
            #expect((whole - whole / 2...whole).contains(wait), "\(wait) of \(whole)")
        }
        for _ in 0..<200 { #expect(backoff.next(random) <= 1000) }
        backoff.reset()
        #expect(backoff.next(random) <= 100)
    }
}

@Suite struct RedisPipelineTests {
    /// Random steps against a plain list: every command ends once, with its own answer or with nothing.
    @Test(arguments: 0..<20 as Range<UInt64>) func behavesAsAList(_ seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var pipeline = RedisPipeline()
        var model: [(id: Int, deadline: Int64, bytes: Int, isLive: Bool)] = []
        var ended: [Int: Int] = [:]
        var now: Int64 = 0
        for id in 0..<5000 {
            now += Int64(random.next() % 3)
            switch random.next() % 8 {
            case 0..<4:
                let deadline = now + 1 + Int64(random.next() % 20)
                pipeline.append(now: now, deadline: deadline, bytes: id % 7, answers: .any) { _ in
                    ended[id, default: 0] += 1
                }
                model.append((id, deadline, id % 7, true))
            case 4..<7:
                let taken = pipeline.takeFirst()
                #expect((taken == nil) == model.isEmpty)
                guard let taken else { break }
                let first = model.removeFirst()
                #expect((taken.completion != nil) == first.isLive)
                taken.completion?(.success(.null))
                #expect(ended[first.id] == 1)
            default:
                let (expired, next) = pipeline.expire(now: now)
                let due = model.indices.filter { model[$0].isLive && model[$0].deadline <= now }
                #expect(expired.count == due.count)
                for completion in expired { completion(.failure(.timeout)) }
                for index in due {
                    model[index].isLive = false
                    #expect(ended[model[index].id] == 1)
                }
                #expect(next == model.filter(\.isLive).map(\.deadline).min())
            }
            #expect(pipeline.count == model.count)
            #expect(pipeline.bytes == model.reduce(0) { $0 + $1.bytes })
        }
        let left = pipeline.takeAll()
        #expect(left.count == model.count { $0.isLive } && pipeline.isEmpty)
    }
}

@Suite struct RedisReplyReaderTests {
    /// All replies of a text that comes in pieces of so many bytes; nil where the reader refuses it.
    private func read(_ bytes: [UInt8], piece: Int, limit: Int = 1 << 16) -> [RedisReply]? {
        guard let reader = RedisReplyReader(limit: limit) else { return nil }
        var replies: [RedisReply] = []
        do throws(KeyValueFailure) {
            for start in stride(from: 0, to: bytes.count, by: piece) {
                let part = Bytes(Array(bytes[start..<min(bytes.count, start + piece)]))
                try part.withUnsafeBytes { (view) throws(KeyValueFailure) in try reader.feed(view) }
                while let reply = try reader.next() { replies.append(reply) }
            }
            return replies
        } catch {
            return nil
        }
    }

    @Test(arguments: [1, 2, 7, 4096]) func readsEveryKind(piece: Int) {
        let text =
            "+OK\r\n-ERR no\r\n:-42\r\n$5\r\nab\r\nc\r\n$0\r\n\r\n$-1\r\n*-1\r\n*0\r\n*3\r\n:1\r\n*2\r\n$1\r\na\r\n$-1\r\n+x\r\n"
        #expect(
            read(Array(text.utf8), piece: piece) == [
                .status("OK"), .error("ERR no"), .integer(-42), .bulk(Bytes("ab\r\nc")), .bulk(.empty), .null, .null,
                .array([]), .array([.integer(1), .array([.bulk(Bytes("a")), .null]), .status("x")]),
            ])
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\n", "*2147483647\r\n", "*16385\r\n", "\0\0\0\0", "%1\r\n+a\r\n+b\r\n",
        "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n",
    ]) func refusesWhatIsNoReply(_ text: String) {
        #expect(read(Array(text.utf8), piece: 4096) == nil)
    }

    @Test func stopsAtTheLimitBeforeTheReplyIsWhole() {
        let announced = Array("$2000000000\r\n".utf8) + [UInt8](repeating: 120, count: 5000)
        #expect(read(announced, piece: 512, limit: 4096) == nil)
        #expect(
            read(Array("$2000\r\n".utf8) + [UInt8](repeating: 120, count: 2000) + [13, 10], piece: 512)?.count == 1)
    }

    @Test(arguments: 0..<8 as Range<UInt64>) func survivesDamage(_ seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let text = Array("*3\r\n$4\r\nabcd\r\n*2\r\n:12\r\n$-1\r\n-ERR x\r\n+OK\r\n$3\r\nxyz\r\n:7\r\n".utf8)
        for _ in 0..<20_000 {
            var bytes = text
            for _ in 0...Int(random.next() % 4) {
                let place = Int(random.next() % UInt64(bytes.count))
                switch random.next() % 3 {
                case 0: bytes[place] = UInt8(truncatingIfNeeded: random.next())
                case 1: bytes.remove(at: place)
                default: bytes.insert(Array("*$:+-0123456789\r\n".utf8)[Int(random.next() % 17)], at: place)
                }
            }
            // In pieces or whole, the same bytes are the same replies, or are refused.
            let whole = read(bytes, piece: bytes.count)
            let pieces = read(bytes, piece: 1 + Int(random.next() % 5))
            #expect(whole == pieces, "seed \(seed): \(bytes)")
        }
    }
}
