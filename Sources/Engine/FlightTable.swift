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

    /// Requests that come after a purge must not join a flight from before it. Flights are let go of unlocked.
    func purge(_ key: CacheKey) { _ = flights.withLock { $0.removeValue(forKey: key) } }

    func purgeAll() {
        _ = flights.withLock { flights in
            defer { flights = [:] }
            return flights
        }
    }
}
