import Core
import Dialects

/// Times the reading of requests: nanoseconds for the canonical form alone and with the key, SHA-256 left out.
///
///     swift run -c release MicroBench [ROUNDS] [NAME]
///
/// ROUNDS (default 200000) repeats each body; NAME picks one, for use under a profiler; NAME `hostile` reads bodies
/// of 8 MB that are made to be dear, a few times each.
@main
struct MicroBench {
    static func main() {
        let arguments = CommandLine.arguments
        let rounds = arguments.count > 1 ? Int(arguments[1]) ?? 0 : 200_000
        guard rounds > 0 else {
            print("MicroBench: ROUNDS must be a positive number, got \(arguments[1])")
            return
        }
        print("body                bytes    read ns  read+key ns")
        if arguments.count > 2, arguments[2] == "hostile" {
            for body in BenchmarkBody.hostile { measure(body, rounds: 10) }
        } else {
            let bodies = BenchmarkBody.all.filter { arguments.count < 3 || $0.name == arguments[2] }
            for body in bodies { measure(body, rounds: rounds) }
        }
    }

    private static func measure(_ body: BenchmarkBody, rounds: Int) {
        let reader = RequestReader(rules: RequestRules())
        let scope = KeyScope(tenant: CacheKey(1, 2, 3, 4), namespace: "default")
        let digest = WordDigest()
        var check: UInt64 = 0
        body.bytes.withUnsafeBytes { bytes in
            let read = best(rounds) {
                if let facts = try? reader.read(bytes, as: .chat) { check &+= UInt64(facts.modelRange.lowerBound) }
            }
            let both = best(rounds) {
                guard let facts = try? reader.read(bytes, as: .chat) else { return }
                check ^= reader.key(scope: scope, dialect: facts.dialect, digest: digest).word0
            }
            guard check != 0 else {
                print("MicroBench: \(body.name) was refused")
                return
            }
            print(pad(body.name, 18), pad(bytes.count, 6), pad(read, 10), pad(both, 12))
        }
    }

    /// Nanoseconds per call in the fastest of ten parts, which is the one least disturbed.
    private static func best(_ rounds: Int, _ work: () -> Void) -> Int {
        let part = max(rounds / 10, 1)
        return (0..<10).map { _ in
            let elapsed = ContinuousClock().measure { for _ in 0..<part { work() } }
            return Int(elapsed / .nanoseconds(1)) / part
        }.min() ?? 0
    }

    private static func pad(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    private static func pad(_ number: Int, _ width: Int) -> String {
        let text = String(number)
        return String(repeating: " ", count: max(0, width - text.count)) + text
    }
}

/// Stands in for SHA-256 at next to no cost, so that what is measured is ours.
private struct WordDigest: Digesting {
    func sha256(_ bytes: UnsafeRawBufferPointer) -> CacheKey {
        CacheKey(UInt64(bytes.count), UInt64(bytes[0]), UInt64(bytes[bytes.count - 1]), 0)
    }

    func hmac(_ bytes: UnsafeRawBufferPointer) -> CacheKey { sha256(bytes) }
}
