#if THREAD_SANITIZER
    /// See `TracedMutex`.
    typealias Mutex<Value: ~Copyable> = TracedMutex<Value>
#endif
