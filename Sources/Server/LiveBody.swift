import Core
import Engine
import Foreign

/// The body of an answer that is still arriving, read from a seat on its flight.
final class LiveBody: HTTPBodySource {
    private var seat: FlightSeat?
    private let onEnd: (Entry?) -> Void

    /// `onEnd` is given the answer as it was kept, if it was.
    init(seat: FlightSeat, onEnd: @escaping (Entry?) -> Void) {
        self.seat = seat
        self.onEnd = onEnd
    }

    func read(into target: UnsafeMutableRawBufferPointer) -> BodyRead { seat?.read(into: target) ?? .broken }

    func ended(isComplete: Bool) {
        let entry = seat?.entry
        // Gives the seat up at once, whoever else still holds this object.
        seat = nil
        onEnd(entry)
    }
}
