#if THREAD_SANITIZER
    import Synchronization

    /// `Mutex` for builds with the thread sanitizer.
    ///
    /// A contended `Mutex` is handed over by the kernel (a futex with priority inheritance), which the sanitizer cannot
    /// see and therefore reports as a race. This one also passes an atomic from one holder to the next, which it can.
    /// Each target names it `Mutex`, so that its own name hides the one of `Synchronization`.
    package struct TracedMutex<Value: ~Copyable>: ~Copyable, Sendable {
        private let mutex: Synchronization.Mutex<Value>
        private let handover = Atomic(0)

        package init(_ value: consuming sending Value) { mutex = Synchronization.Mutex(value) }

        package borrowing func withLock<Result: ~Copyable, Failure: Error>(
            _ body: (inout sending Value) throws(Failure) -> sending Result
        ) throws(Failure) -> sending Result {
            try mutex.withLock { (value: inout sending Value) throws(Failure) -> sending Result in
                _ = handover.load(ordering: .acquiring)
                defer { handover.store(1, ordering: .releasing) }
                return try body(&value)
            }
        }
    }
#endif
