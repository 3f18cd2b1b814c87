import Core
import Glibc

/// A file that is written as a whole: beside its place first, so that a crash leaves the old one or the new one there.
/// Only its owner can read it. Belongs to one thread at a time.
package final class SnapshotFile {
    private let path: String
    private let descriptor: CInt

    private init(_ path: String, _ descriptor: CInt) {
        self.path = path
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    /// nil where there is no such file.
    package static func open(_ path: String) throws(InputFile.Unreadable) -> SnapshotFile? {
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        if descriptor < 0 && errno == ENOENT { return nil }
        guard descriptor >= 0 else { throw InputFile.failure(path) }
        return SnapshotFile(path, descriptor)
    }

    /// Fills `target` with the next bytes; how many, fewer only at the end.
    package func read(into target: UnsafeMutableRawBufferPointer) throws(InputFile.Unreadable) -> Int {
        var done = 0
        while done < target.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: target[done...])
            let count = Glibc.read(descriptor, rest.baseAddress, rest.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw InputFile.failure(path) }
            if count == 0 { break }
            done += count
        }
        return done
    }

    /// Puts a new file in the place of what is there, unless `body` or the system fails; then what is there stays.
    ///
    /// - Parameter body: is lent a function that appends bytes and says whether it could; whether the file is whole.
    package static func replace(
        _ path: String, _ body: ((Bytes) -> Bool) -> Bool
    ) throws(InputFile.Unreadable) {
        StateFile.makeDirectories(above: path)
        let beside = path + ".new"
        let descriptor = Glibc.open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw unwritable(path) }
        let file = SnapshotFile(beside, descriptor)
        guard body({ file.append($0) }), fsync(descriptor) == 0, rename(beside, path) == 0 else {
            let failure = unwritable(path)
            unlink(beside)
            throw failure
        }
    }

    private func append(_ bytes: Bytes) -> Bool {
        bytes.withUnsafeBytes { source in
            var done = 0
            while done < source.count {
                let rest = UnsafeRawBufferPointer(rebasing: source[done...])
                let count = write(descriptor, rest.baseAddress, rest.count)
                if count < 0 && errno == EINTR { continue }
                guard count > 0 else { return false }
                done += count
            }
            return true
        }
    }

    private static func unwritable(_ path: String) -> InputFile.Unreadable {
        InputFile.Unreadable(name: path, reason: "cannot be written: \(String(cString: strerror(errno)))")
    }
}
