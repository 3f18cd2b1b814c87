import Core
import Synchronization

/// The flights that a request may join, by key.
package final class FlightTable: Sendable {
    private let flights = Mutex<[CacheKey: Flight]>([:])

    package init() {}

    package var count: Int { flights.withLock { $0.count } }

    /// The flight under a key with a seat on it, or a new one that the caller has to start.
    func board(
        _ key: CacheKey, form: Form, wantsUsage: Bool, make: () -> Flight
    ) -> (flight: Flight, seat: FlightSeat, isLeader: Bool)? {
        let (flight, isLeader) = flights.withLock { flights in
            if let flight = flights[key] { return (flight, false) }
            let flight = make()
            flights[key] = flight
            return (flight, true)
        }
        return flight.board(form: form, wantsUsage: wantsUsage, takesAnyForm: isLeader).map { (flight, $0, isLeader) }
    }

    /// Only if it is still the one under the key: a later flight may have taken its place.
    func remove(_ flight: Flight, under key: CacheKey) {
        flights.withLock { flights in
            if flights[key] === flight { flights[key] = nil }
        }
    }

    /// Answers asked for before a purge must not be kept after it; requests that come later must not join them.
    package func purge(_ key: CacheKey) {
        flights.withLock { $0.removeValue(forKey: key) }?.markPurged()
    }

    package func purgeAll() {
        let purged = flights.withLock { flights in
            defer { flights = [:] }
            return Array(flights.values)
        }
        for flight in purged { flight.markPurged() }
    }
}
