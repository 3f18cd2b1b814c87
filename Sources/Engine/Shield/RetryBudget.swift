import Core

/// How many calls may be made that nobody asked for: further attempts and hedges.
///
/// The rule of Finagle's `RetryBudget` (Twitter, 2015): a share of the requests of the last ten seconds, and a few a
/// second so that little traffic can retry too. Counted in ten slots of a second: in the ten that end with a retry
/// there are no more retries than `ratio * requests + perSecond * 10`, so retries never multiply the load of an
/// upstream in trouble.
struct RetryBudget: Sendable {
    static let seconds = 10

    private let ratio: Double
    private let reserve: Double
    private var requests: [Int]
    private var retries: [Int]
    private var requestSum = 0
    private var retrySum = 0
    /// The second that the newest slot stands for.
    private var second: Int64 = 0

    init(ratio: Double, perSecond: Double) {
        self.ratio = max(0, ratio)
        reserve = max(0, perSecond) * Double(RetryBudget.seconds)
        requests = Array(repeating: 0, count: RetryBudget.seconds)
        retries = requests
    }

    /// The same counts under other rules.
    init(ratio: Double, perSecond: Double, from other: RetryBudget) {
        self.init(ratio: ratio, perSecond: perSecond)
        (requests, retries, second) = (other.requests, other.retries, other.second)
        (requestSum, retrySum) = (other.requestSum, other.retrySum)
    }

    mutating func noteRequest(now: Int64) {
        advance(to: now)
        requests[slot] += 1
        requestSum += 1
    }

    /// Takes one retry, if there is one.
    mutating func takeRetry(now: Int64) -> Bool {
        advance(to: now)
        guard Double(retrySum + 1) <= ratio * Double(requestSum) + reserve else { return false }
        retries[slot] += 1
        retrySum += 1
        return true
    }

    private var slot: Int { Int(second % Int64(RetryBudget.seconds)) }

    private mutating func advance(to now: Int64) {
        let newest = max(0, now / Duration64.nanosecondsPerSecond)
        guard newest > second else { return }
        for _ in 0..<min(newest - second, Int64(RetryBudget.seconds)) {
            second += 1
            clear()
        }
        // After a long pause all slots are empty, and it does not matter which of them is the newest.
        second = newest
    }

    private mutating func clear() {
        requestSum -= requests[slot]
        retrySum -= retries[slot]
        requests[slot] = 0
        retries[slot] = 0
    }
}
