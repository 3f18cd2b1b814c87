import Core
import Glibc

/// A model's folder in the file system.
package struct ModelDirectory: ModelFolder {
    package let name: String

    /// - Parameter path: `~/` stands for the home of whoever runs the process.
    package init(path: String) {
        if path.hasPrefix("~/"), let home = getenv("HOME") {
            name = String(cString: home) + path.dropFirst(1)
        } else {
            name = path
        }
    }

    package func open(_ path: String) throws(ModelFileFault) -> (any ModelFile)? {
        guard !path.split(separator: "/").contains(".."), !path.hasPrefix("/") else {
            throw ModelFileFault("lies outside of the model's folder")
        }
        let descriptor = Glibc.open(name + "/" + path, O_RDONLY | O_CLOEXEC)
        if descriptor < 0 && (errno == ENOENT || errno == ENOTDIR) { return nil }
        guard descriptor >= 0 else { throw ModelDirectory.failure() }
        return try OpenFile(descriptor)
    }

    fileprivate static func failure() -> ModelFileFault {
        ModelFileFault("cannot be read: \(String(cString: strerror(errno)))")
    }
}

/// A descriptor that is closed with its last reference; `pread` may be called by any thread.
private final class OpenFile: ModelFile {
    let size: Int
    private let descriptor: Int32

    init(_ descriptor: Int32) throws(ModelFileFault) {
        self.descriptor = descriptor
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw ModelFileFault("is not a file")
        }
        size = Int(status.st_size)
    }

    deinit { close(descriptor) }

    func read(at offset: Int, into target: UnsafeMutableRawBufferPointer) throws(ModelFileFault) {
        var done = 0
        while done < target.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: target[done...])
            let count = pread(descriptor, rest.baseAddress, rest.count, off_t(offset + done))
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw ModelDirectory.failure() }
            guard count > 0 else { throw ModelFileFault("is shorter than it was when it was opened") }
            done += count
        }
    }
}
