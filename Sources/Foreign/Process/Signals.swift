import Glibc

/// The process's signals.
package enum Signals {
    /// Those that ask a process to stop politely.
    package static let stopping: [CInt] = [SIGTERM, SIGINT]

    /// The one that asks to open log files and settings anew.
    package static let reloading: CInt = SIGHUP

    /// A write to a closed connection is to fail, not to end the process.
    package static func ignoreBrokenPipes() { signal(SIGPIPE, SIG_IGN) }
}
