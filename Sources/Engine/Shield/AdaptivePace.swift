import Core

/// How fast an upstream is asked: requests a second and tokens a minute, less after it refused.
///
/// Additive increase, multiplicative decrease (Chiu and Jain, 1989): a refusal takes up to three tenths off the rate,
/// every second brings a twentieth of the full rate back. How much it takes depends on the share of the latest attempts
/// that was refused, as in DCTCP (Alizadeh et al., SIGCOMM 2010): three tenths where half of them were, and next to
/// nothing for one in fifty, which has other reasons than the rate and would bring it down for good. Refusals of calls
/// that began before the last decrease are echoes of the same trouble and lower it no further. Where no rate was set,
/// the first refusal sets it to what was being asked; it is dropped when twice that went well.
struct AdaptivePace: Sendable {
    private static let largestDecrease = 0.3
    /// Of refused attempts, from which on it is taken.
    private static let fullShare = 0.5
    /// How many attempts the share is an average of, about.
    private static let memory = 50.0
    private static let increasePerSecond = 0.05
    private static let leastShare = 0.05
    /// How far a rate that was not set may grow before there is none again.
    private static let freeShare = 2.0
    /// Of the rate, in seconds: with this no second brings more than 5 % above the limit, nor does any longer span.
    private static let requestBurst = 0.05
    /// Of the rate, in seconds: a twentieth of a minute's tokens.
    private static let tokenBurst = 3.0
    private static let leastRequestsPerSecond = 0.2
    /// Where no rate was set and hardly anything was asked lately, one refusal does not prove more than this.
    private static let leastBase = 1.0

    private var plannedRequests: Double?
    private var plannedTokens: Double?
    private var requests: TokenBucket?
    private var tokens: TokenBucket?
    private var meter: RateMeter
    /// The rate that `share` is a share of.
    private var base = 0.0
    private var share = 1.0
    private var sharedAt: Int64
    private var decreasedAt = Int64.min
    /// Of the latest attempts, and how many these are.
    private var refusedShare = 0.0
    private var attempts = 0.0
    private(set) var pausedUntil = Int64.min

    init(requestsPerSecond: Double?, tokensPerMinute: Double?, now: Int64) {
        meter = RateMeter(now: now)
        sharedAt = now
        change(requestsPerSecond: requestsPerSecond, tokensPerMinute: tokensPerMinute, now: now)
    }

    mutating func change(requestsPerSecond: Double?, tokensPerMinute: Double?, now: Int64) {
        let tokensPerSecond = tokensPerMinute.map { $0 / 60 }
        if requestsPerSecond != plannedRequests {
            plannedRequests = requestsPerSecond
            requests = requestsPerSecond.map { TokenBucket(rate: $0, burst: AdaptivePace.requestBurst, now: now) }
            base = requestsPerSecond ?? 0
            share = 1
        }
        if tokensPerSecond != plannedTokens {
            plannedTokens = tokensPerSecond
            tokens = tokensPerSecond.map { TokenBucket(rate: $0, burst: AdaptivePace.tokenBurst, now: now) }
        }
        applyShare(now: now)
    }

    /// nil: no limit.
    var requestsPerSecond: Double? { requests?.rate }

    func isReady(tokens cost: Int, now: Int64) -> Bool {
        now >= pausedUntil && requests?.isReady(for: 1, now: now) ?? true
            && tokens?.isReady(for: Double(cost), now: now) ?? true
    }

    func readyAt(tokens cost: Int, now: Int64) -> Int64 {
        max(
            pausedUntil, requests?.readyAt(for: 1, now: now) ?? now,
            tokens?.readyAt(for: Double(cost), now: now) ?? now)
    }

    mutating func take(tokens cost: Int, now: Int64) {
        recover(now: now)
        meter.note(now: now)
        attempts = min(attempts + 1, AdaptivePace.memory)
        refusedShare -= refusedShare / attempts
        requests?.take(1, now: now)
        tokens?.take(Double(cost), now: now)
    }

    /// Tokens that were not used after all; a negative number where it were more.
    mutating func give(tokens: Int) { self.tokens?.give(Double(tokens)) }

    /// An attempt that began at `start` was refused. Answers the new rate where it fell.
    mutating func refused(start: Int64, now: Int64) -> Double? {
        refusedShare = min(1, refusedShare + 1 / max(1, attempts))
        guard start >= decreasedAt else { return nil }
        recover(now: now)
        decreasedAt = now
        let decrease = AdaptivePace.largestDecrease * min(1, refusedShare / AdaptivePace.fullShare)
        if requests == nil {
            base = max(AdaptivePace.leastBase, meter.rate(now: now))
            share = 1
            requests = TokenBucket(rate: base, burst: AdaptivePace.requestBurst, now: now)
        }
        share = max(AdaptivePace.leastShare, share * (1 - decrease))
        applyShare(now: now)
        return requests?.rate
    }

    mutating func pause(until time: Int64) { pausedUntil = max(pausedUntil, time) }

    /// What the upstream itself says is left.
    mutating func heard(remainingTokens: Int, now: Int64) { tokens?.lower(to: Double(remainingTokens), now: now) }

    /// Brings back what the time since the last look allows.
    private mutating func recover(now: Int64) {
        let seconds = Double(now - sharedAt) / Double(Duration64.nanosecondsPerSecond)
        // In steps of a tenth of a second, so that not every request pays for it.
        guard seconds >= 0.1 else { return }
        sharedAt = now
        let most = plannedRequests == nil ? AdaptivePace.freeShare : 1
        guard requests != nil || share < 1, share < most else { return }
        share = min(most, share + AdaptivePace.increasePerSecond * seconds)
        if plannedRequests == nil, share >= most {
            requests = nil
            share = 1
        }
        applyShare(now: now)
    }

    private mutating func applyShare(now: Int64) {
        let least = min(AdaptivePace.leastRequestsPerSecond, plannedRequests ?? .infinity)
        requests?.change(rate: max(least, base * share), burst: AdaptivePace.requestBurst, now: now)
        if let plannedTokens {
            tokens?.change(rate: plannedTokens * min(1, share), burst: AdaptivePace.tokenBurst, now: now)
        }
    }
}
