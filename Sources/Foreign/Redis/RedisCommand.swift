import CHiredis
import Core

/// A command and its arguments.
package struct RedisCommand: Sendable {
    package var arguments: [Bytes]
    /// Which argument is the key that a cluster routes by; nil where any server will do.
    package var keyIndex: Int?
    /// What it is answered with. Anything else belongs to another command, and the connection is given up: one reply
    /// that was lost would make each that follows the answer of the command before, for as long as commands come.
    package var answers: RedisReply.Kinds

    package init(_ arguments: [Bytes], keyIndex: Int? = nil, answers: RedisReply.Kinds = .any) {
        self.arguments = arguments
        self.keyIndex = keyIndex
        self.answers = answers
    }

    package init(_ words: String...) { self.init(words.map { Bytes($0) }) }

    var key: Bytes? { keyIndex.flatMap { arguments.indices.contains($0) ? arguments[$0] : nil } }

    /// What it takes on the wire, nearly.
    var byteCount: Int { arguments.reduce(16) { $0 + $1.count + 16 } }

    /// The wire form, nil where memory is out.
    func encoded() -> EncodedCommand? {
        var text: UnsafeMutablePointer<CChar>?
        let sizes = arguments.map(\.count)
        // The addresses are good for as long as the arguments are kept.
        var addresses = arguments.map { argument in
            argument.withUnsafeBytes { $0.baseAddress?.assumingMemoryBound(to: CChar.self) }
        }
        let count = withExtendedLifetime(arguments) {
            redisFormatCommandArgv(&text, CInt(arguments.count), &addresses, sizes)
        }
        guard count > 0, let text else { return nil }
        return EncodedCommand(text: text, count: Int(count))
    }
}

/// A command as hiredis wrote it; freed by `redisFreeCommand`.
struct EncodedCommand {
    let text: UnsafeMutablePointer<CChar>
    let count: Int
}
