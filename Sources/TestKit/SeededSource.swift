import Core
import Synchronization

/// Chance that a seed replays, for whoever takes it as a port.
package final class SeededSource: RandomSource {
    private let random: Mutex<SeededRandom>

    package init(seed: UInt64) { random = Mutex(SeededRandom(seed: seed)) }

    package func next() -> UInt64 { random.withLock { $0.next() } }
}
