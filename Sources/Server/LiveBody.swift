import Core
import Engine
import Foreign

/// The body of an answer that is still arriving, read from a seat on its flight.
final class LiveBody: HTTPBodySource {
    private var seat: FlightSeat?
    private let onEnd: (_ isComplete: Bool) -> Void

    init(seat: FlightSeat, onEnd: @escaping (_ isComplete: Bool) -> Void) {
        self.seat = seat
        self.onEnd = onEnd
    }

    func read(into target: UnsafeMutableRawBufferPointer) -> BodyRead { seat?.read(into: target) ?? .broken }

    func ended(isComplete: Bool) {
        // Gives the seat up at once, whoever else still holds this object.
        seat = nil
        onEnd(isComplete)
    }
}
