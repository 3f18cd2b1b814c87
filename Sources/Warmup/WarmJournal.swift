import Core

/// What of a plan is done, so that a run that was cut off can go on: a line that names the run, then the key of each
/// prompt whose answer is cached, written after the answer came.
///
/// A prompt that was under way when the run was cut off has no line and is asked again. The model is not: the sidecar
/// finishes what it began and has the answer, or joins the second request to the first. Written before asking, a line
/// would lose prompts that were never answered. Keys are digests of whole requests, so a journal holds no prompt.
package enum WarmJournal {
    /// Names a run by what it is about: the sidecar, the credential, the logs and how they are read. Not by its
    /// prompts, so that it can go on with a larger budget, or when the log has grown.
    package static func plan(of purpose: [String], digest: some Digesting) -> CacheKey {
        let text = purpose.reduce(into: "refrain-warm") { $0 += "\n\($1.utf8.count) \($1)" }
        return Bytes(text).withUnsafeBytes { digest.sha256($0) }
    }

    private static let mark = "refrain warm 1 "

    /// Whether a file that holds these bytes may be written over: it is empty, or a journal.
    package static func isJournal(_ bytes: [UInt8]) -> Bool { bytes.isEmpty || bytes.starts(with: mark.utf8) }

    package static func head(_ plan: CacheKey) -> String { "\(mark)\(plan.hex)\n" }

    package static func line(_ key: CacheKey) -> String { key.hex + "\n" }

    /// The keys in a journal of this plan; nil where it is another one's. A line that was cut off is passed over.
    package static func read(_ bytes: [UInt8], plan: CacheKey) -> Set<CacheKey>? {
        let head = Array(head(plan).utf8)
        guard bytes.starts(with: head) else { return nil }
        var done: Set<CacheKey> = []
        for line in bytes[head.count...].split(separator: 10) {
            if let key = CacheKey(hex: String(decoding: line, as: UTF8.self)) { done.insert(key) }
        }
        return done
    }
}
