import Glibc
import Synchronization

/// The whole terminal, taken over for a while: keys are read one by one, and what was on it comes back at the end,
/// whatever ends it short of `kill -9`. One at a time.
package final class TerminalScreen {
    private let before: termios

    /// Set by the signals that ask to stop.
    private static let isAsked = Atomic(false)

    private static let enter = "\u{1B}[?1049h\u{1B}[?25l"
    private static let leave = "\u{1B}[?25h\u{1B}[?1049l"

    /// nil where standard input or output is no terminal.
    package init?() {
        var state = termios()
        guard Console.isTerminal(.output), tcgetattr(STDIN_FILENO, &state) == 0 else { return nil }
        before = state
        TerminalScreen.isAsked.store(false, ordering: .relaxed)
        // Only sets a flag, which is safe in a handler; the wait below ends early then.
        for number in Signals.stopping + [SIGHUP] {
            signal(number) { _ in TerminalScreen.isAsked.store(true, ordering: .relaxed) }
        }
        // Ctrl-C is a key like others, so that it ends the screen in order.
        state.c_lflag &= ~tcflag_t(ECHO | ICANON | ISIG)
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &state)
        Console.write(TerminalScreen.enter, to: .output)
    }

    deinit {
        var state = before
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &state)
        Console.write(TerminalScreen.leave, to: .output)
        for number in Signals.stopping + [SIGHUP] { signal(number, SIG_DFL) }
    }

    /// Columns and rows; 80 by 24 where the terminal does not say.
    package var size: (columns: Int, rows: Int) {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else {
            return (80, 24)
        }
        return (Int(size.ws_col), Int(size.ws_row))
    }

    /// Shows lines from the top, each no longer than a row; false where the terminal is gone.
    package func draw(_ lines: [String]) -> Bool {
        let rows = lines.map { $0 + "\u{1B}[K" }.joined(separator: "\r\n")
        return Console.write("\u{1B}[H" + rows + "\u{1B}[J", to: .output)
    }

    package enum Event: Sendable {
        case key(UInt8)
        case timeout
        /// A signal asked to stop, or there will be no keys any more.
        case stop
    }

    /// Waits for a key at most this long. Blocks its thread.
    package func wait(_ limit: Duration) -> Event {
        var input = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
        let count = poll(
            &input, 1,
            CInt(clamping: limit.components.seconds * 1000 + limit.components.attoseconds / 1_000_000_000_000_000))
        if TerminalScreen.isAsked.load(ordering: .relaxed) { return .stop }
        // A window that changed its size interrupts the wait: draw it anew.
        guard count > 0 else { return .timeout }
        var byte: UInt8 = 0
        return read(STDIN_FILENO, &byte, 1) == 1 ? .key(byte) : .stop
    }
}
