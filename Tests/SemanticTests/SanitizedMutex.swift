#if THREAD_SANITIZER
    import Core

    /// See `TracedMutex`.
    typealias Mutex<Value: ~Copyable> = TracedMutex<Value>
#endif
