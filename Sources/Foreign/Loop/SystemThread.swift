import Glibc

/// A thread of our own, for what must not run on anybody else's. Either `join` or `detach` it, once.
package struct SystemThread: Sendable {
    private let identifier: pthread_t

    /// Starts it; the system shows the first 15 bytes of its name.
    init(name: String, _ body: @escaping @Sendable () -> Void) throws(LoopError) {
        final class Start {
            let name: String
            let body: @Sendable () -> Void
            init(_ name: String, _ body: @escaping @Sendable () -> Void) {
                self.name = name
                self.body = body
            }
        }
        var identifier = pthread_t()
        // Retained here and released by the new thread, or below if there is none.
        let start = Unmanaged.passRetained(Start(name, body))
        let status = pthread_create(
            &identifier, nil,
            { context in
                // Always the retained `Start`.
                let start = Unmanaged<Start>.fromOpaque(context!).takeRetainedValue()
                pthread_setname_np(pthread_self(), String(start.name.prefix(15)))
                start.body()
                return nil
            }, start.toOpaque())
        guard status == 0 else {
            start.release()
            throw LoopError("pthread_create: \(String(cString: strerror(status)))")
        }
        self.identifier = identifier
    }

    /// Lets all others go first that want the processor; for the calling thread and those that it starts from now on.
    package static func giveWay() {
        // On Linux a thread has a priority of its own.
        _ = nice(10)
    }

    package func join() { pthread_join(identifier, nil) }

    /// Whether it ended in time.
    package func join(within limit: Duration) -> Bool {
        var deadline = timespec()
        clock_gettime(CLOCK_REALTIME, &deadline)
        deadline.tv_sec += Int(limit.components.seconds)
        return pthread_timedjoin_np(identifier, nil, &deadline) == 0
    }

    /// Lets it end by itself.
    func detach() { pthread_detach(identifier) }
}
