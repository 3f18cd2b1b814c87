import Core

extension Entry.Facts {
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
