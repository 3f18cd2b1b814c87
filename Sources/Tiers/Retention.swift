import Core

extension Entry.Facts {
    /// Whether an answer can have been kept with them. Without encryption anybody who writes to a store can make a
    /// checksum that fits; no times may be such that counting with them overflows, and no error be served as an answer.
    var isPlausible: Bool {
        createdAt >= 0 && ttl >= 0 && !createdAt.addingReportingOverflow(ttl).overflow && (200..<300).contains(status)
    }

    /// Whether an entry is beyond its lifetime and retention. One that claims to come from a future farther away than
    /// that counts as dead too: after a clock was set back it would otherwise live for as long as the step.
    ///
    /// `now` is in milliseconds since 1970, `retainStale`, which is not negative, in milliseconds.
    func isDead(now: Int64, retainStale: Int64) -> Bool {
        let (sum, isEndless) = max(0, ttl).addingReportingOverflow(retainStale)
        let life = isEndless ? Int64.max : sum
        let (age, overflow) = now.subtractingReportingOverflow(createdAt)
        return overflow || age >= life || age < -life
    }
}
