import CHiredis
import Core

/// hiredis's reader of replies, which makes Swift values at once, with bounds of ours. One for each connection.
struct RedisReplyReader: ~Copyable {
    private let reader: UnsafeMutablePointer<redisReader>
    private let functions: UnsafeMutablePointer<redisReplyObjectFunctions>
    /// In bytes, of one reply.
    private let limit: Int

    /// Elements of one array: a cluster's slots, at the worst, are one range each.
    private static let mostElements: CInt = 16_384

    /// nil where memory is out.
    init?(limit: Int) {
        self.limit = limit
        functions = .allocate(capacity: 1)
        functions.initialize(to: RedisReplyReader.swiftValues)
        guard let reader = redisReaderCreateWithFunctions(functions) else {
            functions.deallocate()
            return nil
        }
        self.reader = reader
    }

    deinit {
        redisReaderFree(reader)
        functions.deallocate()
    }

    /// Takes what came; it is copied.
    func feed(_ bytes: UnsafeRawBufferPointer) throws(KeyValueFailure) {
        let text = bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
        guard redisReaderFeed(reader, text, bytes.count) == REDIS_OK else { throw .malformed }
    }

    /// The next whole reply, nil while there is none.
    func next() throws(KeyValueFailure) -> RedisReply? {
        var object: UnsafeMutableRawPointer?
        guard redisReaderGetReply(reader, &object) == REDIS_OK else { throw .malformed }
        guard let object else {
            // What is left is the beginning of one reply.
            guard reader.pointee.len - reader.pointee.pos <= limit else { throw .tooLarge }
            return nil
        }
        return Unmanaged<ReplyObject>.fromOpaque(object).takeRetainedValue().reply
    }

    // MARK: hiredis's callbacks

    /// A reply, or a part of one that its parent also holds.
    private final class ReplyObject {
        private enum Content {
            case value(RedisReply)
            case elements([ReplyObject?])
        }

        private var content: Content

        init(_ value: RedisReply) { content = .value(value) }
        init(elements: Int) { content = .elements(Array(repeating: nil, count: elements)) }

        /// hiredis reads no array whose arrays are nested deeper than seven.
        var reply: RedisReply {
            switch content {
            case .value(let value): value
            case .elements(let elements): .array(elements.map { $0?.reply ?? .null })
            }
        }

        func adopt(_ child: ReplyObject, at index: Int) {
            guard case .elements(var elements) = content, elements.indices.contains(index) else { return }
            content = .elements([])
            elements[index] = child
            content = .elements(elements)
        }
    }

    private static let swiftValues = redisReplyObjectFunctions(
        createString: { task, text, count in
            let bytes = UnsafeRawBufferPointer(start: text, count: count)
            let reply: RedisReply =
                switch task?.pointee.type {
                case REDIS_REPLY_ERROR: .error(String(decoding: bytes, as: UTF8.self))
                case REDIS_REPLY_STATUS: .status(String(decoding: bytes, as: UTF8.self))
                default: .bulk(Bytes(copying: bytes))
                }
            return hand(ReplyObject(reply), to: task)
        },
        createArray: { task, count in
            // Refused before anything is allocated: the count is the other side's word.
            guard count >= 0, count <= mostElements else { return nil }
            return hand(ReplyObject(elements: Int(count)), to: task)
        },
        createInteger: { task, value in hand(ReplyObject(.integer(value)), to: task) },
        createNil: { task in hand(ReplyObject(.null), to: task) },
        freeObject: { object in
            if let object { Unmanaged<ReplyObject>.fromOpaque(object).release() }
        })

    /// The root of a reply is hiredis's until `next` or `freeObject` takes it; everything else is its parent's.
    private static func hand(
        _ object: ReplyObject, to task: UnsafePointer<redisReadTask>?
    ) -> UnsafeMutableRawPointer {
        guard let parent = task?.pointee.parent?.pointee.obj else { return Unmanaged.passRetained(object).toOpaque() }
        Unmanaged<ReplyObject>.fromOpaque(parent).takeUnretainedValue().adopt(object, at: Int(task?.pointee.idx ?? 0))
        return Unmanaged.passUnretained(object).toOpaque()
    }
}
