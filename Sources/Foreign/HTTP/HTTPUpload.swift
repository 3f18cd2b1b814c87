import Core
import Synchronization

/// A request body on its way from the client to a reader, through a bounded ring.
///
/// The loop's thread writes; the reader may be anywhere. When the ring is full the connection is suspended, which
/// stops the client through TCP, and goes on when half of the ring is free again.
///
/// Sendable because the ring's memory is touched under `state`'s lock alone and its address never changes; `resume`
/// is called outside of the lock and hops to the loop itself.
package final class HTTPUpload: RequestBodySource, @unchecked Sendable {
    /// Bytes held between client and reader.
    static let capacity = 256 * 1024

    private enum Ending { case open, complete, broken }

    private struct State {
        var start = 0
        var count = 0
        var ending = Ending.open
        var isClientWaiting = false
        var ready: (@Sendable () -> Void)?
    }

    private let ring = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 16)
    private let state = Mutex(State())
    /// Lets the client go on; from any thread.
    private let resume: @Sendable () -> Void

    init(resume: @escaping @Sendable () -> Void) { self.resume = resume }

    deinit { ring.deallocate() }

    package func read(into target: UnsafeMutableRawBufferPointer) -> BodyRead {
        let (read, mustResume) = state.withLock { state -> (BodyRead, Bool) in
            guard state.count > 0, state.ending != .broken else {
                switch state.ending {
                case .open: return (.later, false)
                case .complete: return (.end, false)
                case .broken: return (.broken, false)
                }
            }
            let count = HTTPUpload.take(from: ring, &state.start, &state.count, into: target)
            let mustResume = state.isClientWaiting && state.count <= HTTPUpload.capacity / 2
            if mustResume { state.isClientWaiting = false }
            return (.bytes(count), mustResume)
        }
        if mustResume { resume() }
        return read
    }

    package func whenReady(_ ready: @escaping @Sendable () -> Void) {
        let isReady = state.withLock { state in
            let isReady = state.count > 0 || state.ending != .open
            state.ready = isReady ? nil : ready
            return isReady
        }
        if isReady { ready() }
    }

    /// Takes as much of `bytes` as there is room for and returns how much that is; when it is not all, the client
    /// must wait for `resume`.
    func write(_ bytes: UnsafeRawBufferPointer) -> Int {
        let (written, ready) = state.withLock { state -> (Int, (@Sendable () -> Void)?) in
            let written = min(bytes.count, HTTPUpload.capacity - state.count)
            let position = (state.start + state.count) % HTTPUpload.capacity
            let first = min(written, HTTPUpload.capacity - position)
            UnsafeMutableRawBufferPointer(rebasing: ring[position..<position + first])
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<first]))
            ring.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[first..<written]))
            state.count += written
            state.isClientWaiting = written < bytes.count
            defer { state.ready = nil }
            return (written, state.ready)
        }
        ready?()
        return written
    }

    func finish(isComplete: Bool) {
        let ready = state.withLock { state -> (@Sendable () -> Void)? in
            guard state.ending == .open else { return nil }
            state.ending = isComplete ? .complete : .broken
            defer { state.ready = nil }
            return state.ready
        }
        ready?()
    }

    private static func take(
        from ring: UnsafeMutableRawBufferPointer, _ start: inout Int, _ count: inout Int,
        into target: UnsafeMutableRawBufferPointer
    ) -> Int {
        let taken = min(count, target.count)
        let first = min(taken, capacity - start)
        target.copyMemory(from: UnsafeRawBufferPointer(rebasing: ring[start..<start + first]))
        UnsafeMutableRawBufferPointer(rebasing: target[first...])
            .copyMemory(from: UnsafeRawBufferPointer(rebasing: ring[..<(taken - first)]))
        start = (start + taken) % capacity
        count -= taken
        return taken
    }
}
