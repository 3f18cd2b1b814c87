import Glibc

/// A small file that only its owner can read, to which lines are added one by one: each is with the system when
/// `append` returns, and so outlives the process, however that ends. Belongs to one thread at a time.
package final class StateFile {
    package let path: String
    private let descriptor: CInt

    /// Opens the file, with the directories above it where they are missing.
    package init(_ path: String) throws(InputFile.Unreadable) {
        self.path = path
        StateFile.makeDirectories(above: path)
        descriptor = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw InputFile.Unreadable(name: path, reason: "cannot be written: \(String(cString: strerror(errno)))")
        }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// All of it, nil where it is longer than `limit` bytes or cannot be read.
    package func read(limit: Int) -> [UInt8]? {
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_size <= limit else { return nil }
        return LogFile.read(descriptor, at: 0, count: Int(status.st_size))
    }

    package func empty() { ftruncate(descriptor, 0) }

    /// Whether all of it was written.
    package func append(_ text: String) -> Bool {
        let bytes = [UInt8](text.utf8)
        return bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) } == bytes.count
    }

    package func remove() { unlink(path) }

    static func makeDirectories(above path: String) {
        for (index, character) in path.enumerated() where character == "/" && index > 0 {
            mkdir(String(path.prefix(index)), 0o700)
        }
    }
}
