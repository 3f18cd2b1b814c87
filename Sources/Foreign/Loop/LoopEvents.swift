import CEvent
import Glibc

/// What to be told about a descriptor.
package struct Interest: OptionSet, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let read = Interest(rawValue: 1)
    package static let write = Interest(rawValue: 2)

    var eventFlags: Int16 {
        var flags: Int32 = 0
        if contains(.read) { flags |= EV_READ }
        if contains(.write) { flags |= EV_WRITE }
        return Int16(flags)
    }

    init(eventFlags: Int16) {
        var interest: Interest = []
        if Int32(eventFlags) & EV_READ != 0 { interest.insert(.read) }
        if Int32(eventFlags) & EV_WRITE != 0 { interest.insert(.write) }
        self = interest
    }
}

/// A libevent event and the closure it calls, freed together. Belongs to its loop's thread.
package final class LoopEvent {
    private let event: OpaquePointer
    private let handler: (Interest) -> Void
    /// The event base must outlive its events.
    private let loop: EventLoop

    fileprivate init(loop: EventLoop, descriptor: CInt, flags: Int16, handler: @escaping (Interest) -> Void) {
        self.loop = loop
        self.handler = handler
        // Two steps, because the callback's context is the object that is being made. event_new fails only when
        // memory is out, which Swift does not survive either.
        event = event_new(loop.base, -1, 0, nil, nil)!
        event_assign(
            event, loop.base, descriptor, flags,
            { _, flags, context in
                // `self`, retained for the call: the handler may drop the last other reference.
                let event = Unmanaged<LoopEvent>.fromOpaque(context!).takeUnretainedValue()
                event.handler(Interest(eventFlags: flags))
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    deinit { event_free(event) }

    /// Starts (or restarts) waiting, at most `timeout` nanoseconds where given.
    package func arm(after timeout: Int64? = nil) {
        guard let timeout else {
            event_add(event, nil)
            return
        }
        var interval = timeval(
            tv_sec: Int(max(0, timeout) / 1_000_000_000), tv_usec: Int(max(0, timeout) % 1_000_000_000 / 1000))
        event_add(event, &interval)
    }

    package func disarm() { event_del(event) }

    /// Calls the handler at the loop's next turn.
    package func activate() { event_active(event, 0, 0) }
}

extension EventLoop {
    /// Watches a descriptor until the result is dropped. Call on the loop's thread (or before it runs).
    package func watch(
        _ descriptor: CInt, for interest: Interest, handler: @escaping (Interest) -> Void
    ) -> LoopEvent {
        let event = LoopEvent(
            loop: self, descriptor: descriptor, flags: interest.eventFlags | Int16(EV_PERSIST), handler: handler)
        event.arm()
        return event
    }

    /// Calls `handler` when the other side of a connection has closed or reset it, without reading from it. Call on the
    /// loop's thread (or before it runs).
    package func watchClose(of descriptor: CInt, handler: @escaping () -> Void) -> LoopEvent {
        // libevent reports a reset as readable and never as closed, so both are waited for; at the edge only, because
        // bytes that nobody reads yet, and an error that nobody takes, would keep the loop turning.
        let flags = Int16(EV_READ | EV_CLOSED | EV_ET | EV_PERSIST)
        let event = LoopEvent(loop: self, descriptor: descriptor, flags: flags) { _ in
            if isClosedByPeer(descriptor) { handler() }
        }
        event.arm()
        return event
    }

    /// A timer that fires once each time it is armed. Call on the loop's thread (or before it runs).
    package func timer(_ handler: @escaping () -> Void) -> LoopEvent {
        LoopEvent(loop: self, descriptor: -1, flags: 0) { _ in handler() }
    }

    /// Calls `handler` on the loop's thread each time the process receives `signal`; one loop per process may do so.
    package func watchSignal(_ signal: CInt, handler: @escaping () -> Void) -> LoopEvent {
        let event = LoopEvent(loop: self, descriptor: signal, flags: Int16(EV_SIGNAL | EV_PERSIST)) { _ in handler() }
        event.arm()
        return event
    }
}

private func isClosedByPeer(_ descriptor: CInt) -> Bool {
    var state = pollfd(fd: descriptor, events: Int16(POLLRDHUP), revents: 0)
    return poll(&state, 1, 0) == 1 && Int32(state.revents) & (POLLRDHUP | POLLERR | POLLHUP) != 0
}
