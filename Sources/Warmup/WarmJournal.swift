import Core

/// What of a plan is done, so that a run that was cut off can go on: a line for the plan, then the key of each prompt
/// whose answer is cached, written after the answer came.
///
/// A prompt that was under way when the run was cut off has no line and is asked again. The model is not: the sidecar
/// finishes what it began and has the answer, or joins the second request to the first. Written before asking, a line
/// would lose prompts that were never answered. Keys are digests of whole requests, so a journal holds no prompt.
package enum WarmJournal {
    /// Names the plan: its prompts in order, and what else the run is about.
    package static func plan(
        of prompts: [WarmPlan.Prompt], for purpose: String, digest: some Digesting
    ) -> CacheKey {
        var text = "refrain-warm\n\(purpose.utf8.count) \(purpose)\n"
        for prompt in prompts { text += prompt.key.hex + "\n" }
        return Bytes(text).withUnsafeBytes { digest.sha256($0) }
    }

    package static func head(_ plan: CacheKey) -> String { "refrain warm 1 \(plan.hex)\n" }

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
