import Core
import Glibc
import Synchronization

/// A file that lines are added to; when it is full it becomes `NAME.1`, the one before `NAME.2`, and so on.
///
/// Only its owner may read it: it may hold what people asked.
final class RotatingFile: Sendable {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private struct State {
        /// -1 while the file cannot be opened.
        var descriptor: CInt = -1
        var size = 0
        /// Whether the file may be moved away when it is full.
        var canRotate = false
        /// The last line was cut short: the next one must not continue it.
        var isTorn = false
        /// When opening failed, in nanoseconds of the clock.
        var failedAt: Int64?
    }

    private let path: String
    private let maxSize: Int
    private let keep: Int
    private let clock: any Clock
    private let failed: @Sendable (Failure) -> Void
    private let state = Mutex(State())

    /// Between two tries to open what cannot be opened, in nanoseconds.
    private static let retryInterval = Duration64.nanosecondsPerSecond

    /// - Parameters:
    ///   - maxSize: what the file may hold; a longer line has one of its own.
    ///   - keep: how many full files are kept.
    ///   - failed: told when a line could not be written where the one before it could.
    init(
        path: String, maxSize: ByteCount, keep: Int, clock: any Clock, failed: @escaping @Sendable (Failure) -> Void
    ) throws(Failure) {
        self.path = path
        self.maxSize = maxSize.bytes
        self.keep = keep
        self.clock = clock
        self.failed = failed
        let failure = state.withLock { open(&$0) }
        if let failure { throw failure }
    }

    deinit {
        state.withLock { if $0.descriptor >= 0 { close($0.descriptor) } }
    }

    /// Adds one line, its end included; false where that is impossible.
    func put(_ line: [UInt8]) -> Bool {
        let failure: Failure? = state.withLock { state in
            let isFailing = state.failedAt != nil
            if state.canRotate, state.size > 0, state.size + line.count > maxSize {
                if let failure = rotate(&state) { return isFailing ? RotatingFile.knownFailure : failure }
            }
            if state.descriptor < 0 {
                if let since = state.failedAt, clock.monotonic() - since < RotatingFile.retryInterval {
                    return RotatingFile.knownFailure
                }
                if let failure = open(&state) { return isFailing ? RotatingFile.knownFailure : failure }
            }
            let failure = write(state.isTorn ? [10] + line : line, &state)
            return failure != nil && isFailing ? RotatingFile.knownFailure : failure
        }
        guard let failure else { return true }
        if !failure.description.isEmpty { failed(failure) }
        return false
    }

    /// Has been told already.
    private static let knownFailure = Failure(description: "")

    /// Opens the file anew, after somebody else moved it away.
    func reopen() {
        let failure = state.withLock { state in
            drop(&state)
            return open(&state)
        }
        if let failure { failed(failure) }
    }

    // MARK: Steps

    private func open(_ state: inout State) -> Failure? {
        // A pipe that nobody reads is an error, not something to wait for; once it is open, its reader may take its time.
        let descriptor = Glibc.open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0o600)
        var facts = stat()
        guard descriptor >= 0 else { return fail("opened", &state) }
        guard fstat(descriptor, &facts) == 0, fcntl(descriptor, F_SETFL, O_APPEND) == 0 else {
            defer { close(descriptor) }
            return fail("opened", &state)
        }
        state = State(descriptor: descriptor, size: Int(facts.st_size), canRotate: isPlainFile)
        return nil
    }

    /// Whether the path names a file of its own: devices, pipes and links to them are not moved away.
    private var isPlainFile: Bool {
        var facts = stat()
        return lstat(path, &facts) == 0 && facts.st_mode & S_IFMT == S_IFREG
    }

    private func write(_ line: [UInt8], _ state: inout State) -> Failure? {
        var rest = line[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(state.descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
                state.size += count
            } else if errno != EINTR {
                state.isTorn = state.isTorn || rest.count < line.count
                return fail("written", &state)
            }
        }
        state.isTorn = false
        state.failedAt = nil
        return nil
    }

    private func rotate(_ state: inout State) -> Failure? {
        // What is not there need not be moved.
        for number in stride(from: keep, to: 1, by: -1) { rename("\(path).\(number - 1)", "\(path).\(number)") }
        guard (keep == 0 ? unlink(path) : rename(path, "\(path).1")) == 0 else {
            // It stays and grows: better than lines that are lost. It is tried again when it is opened anew.
            state.canRotate = false
            failed(fail("moved away when it was full", &state))
            state.failedAt = nil
            return nil
        }
        drop(&state)
        return open(&state)
    }

    private func drop(_ state: inout State) {
        if state.descriptor >= 0 { close(state.descriptor) }
        state.descriptor = -1
        state.size = 0
    }

    private func fail(_ what: String, _ state: inout State) -> Failure {
        let reason = String(cString: strerror(errno))
        state.failedAt = clock.monotonic()
        return Failure(description: "\(path) cannot be \(what): \(reason)")
    }
}
