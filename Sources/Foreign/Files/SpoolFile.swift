import Glibc

/// A file without a name that ends with the process, for what would take too much memory. Belongs to one thread.
package final class SpoolFile {
    private let descriptor: CInt
    private let limit: Int
    private var count = 0

    /// Holds at most `limit` bytes, in `TMPDIR` or /tmp. Nil where no file can be made there.
    package init?(limit: Int) {
        self.limit = limit
        let directory = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        descriptor = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0o600)
        if descriptor < 0 { return nil }
    }

    deinit { close(descriptor) }

    /// Where the bytes stand now; nil where there is no room for them.
    package func append(_ bytes: UnsafeRawBufferPointer) -> Int? {
        guard count + bytes.count <= limit else { return nil }
        var done = 0
        while done < bytes.count {
            let written = pwrite(
                descriptor, UnsafeRawBufferPointer(rebasing: bytes[done...]).baseAddress, bytes.count - done,
                count + done)
            if written < 0 && errno == EINTR { continue }
            guard written > 0 else { return nil }
            done += written
        }
        defer { count += bytes.count }
        return count
    }

    package func read(at offset: Int, count: Int) -> [UInt8]? { LogFile.read(descriptor, at: offset, count: count) }
}
