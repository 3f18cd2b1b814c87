import Glibc

/// The process's signals.
package enum Signals {
    /// Those that ask a process to stop politely.
    package static let stopping: [CInt] = [SIGTERM, SIGINT]

    /// A write to a closed connection is to fail, not to end the process.
    package static func ignoreBrokenPipes() { signal(SIGPIPE, SIG_IGN) }
}
