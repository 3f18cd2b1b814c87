import Glibc

/// Standard output and standard error.
package enum Console {
    package enum Stream: Sendable {
        case output, error

        var descriptor: CInt { self == .output ? STDOUT_FILENO : STDERR_FILENO }
    }

    /// Whether a person is looking, rather than a file or another program.
    package static func isTerminal(_ stream: Stream) -> Bool { isatty(stream.descriptor) == 1 }

    /// Writes all of it; false where the other end is gone or the disk is full.
    @discardableResult
    package static func write(_ bytes: [UInt8], to stream: Stream) -> Bool {
        bytes.withUnsafeBytes { buffer in
            var rest = buffer[...]
            while !rest.isEmpty {
                let count = Glibc.write(
                    stream.descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count < 0 && errno == EINTR { continue }
                guard count > 0 else { return false }
                rest = rest.dropFirst(count)
            }
            return true
        }
    }

    @discardableResult
    package static func write(_ text: String, to stream: Stream) -> Bool { write([UInt8](text.utf8), to: stream) }

    /// Ends the process.
    package static func exit(_ code: CInt) -> Never { Glibc.exit(code) }
}
