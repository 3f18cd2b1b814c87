import Glibc

/// A file that is read at once.
package enum InputFile {
    package struct Unreadable: Error, CustomStringConvertible {
        /// What people call the file.
        package let name: String
        /// Completes a sentence about it.
        package let reason: String

        package var description: String { "\(name) \(reason)" }
    }

    /// The path that stands for standard input.
    package static let standardInput = "-"

    /// What people call a path on a command line.
    package static func name(_ path: String) -> String { path == standardInput ? "standard input" : path }

    /// The whole file, or standard input for `-`. Longer ones than `limit` bytes are refused.
    package static func read(_ path: String, limit: Int) throws(Unreadable) -> [UInt8] {
        let descriptor = path == standardInput ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(path) }
        defer { if path != standardInput { close(descriptor) } }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw failure(path) }
            if count == 0 { return bytes }
            bytes += buffer[..<count]
            guard bytes.count <= limit else {
                throw Unreadable(name: name(path), reason: "is larger than \(limit) bytes")
            }
        }
    }

    static func failure(_ path: String) -> Unreadable {
        Unreadable(name: name(path), reason: "cannot be read: \(String(cString: strerror(errno)))")
    }
}
