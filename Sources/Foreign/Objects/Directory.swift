import Core
import Glibc

/// Files below one folder, addressed by object names. Every function blocks; the folder is held open, so that it stays
/// the same one even if it is moved.
final class Directory: Sendable {
    private let root: CInt
    /// For messages.
    let path: String

    struct Status {
        /// In bytes.
        var size: Int64
        /// In milliseconds since 1970.
        var modifiedAt: Int64
        var isFile: Bool
        var isFolder: Bool
    }

    /// Makes the folder if it is not there.
    init(path: String) throws(ObjectFailure) {
        guard !path.isEmpty, !path.utf8.contains(0) else {
            throw ObjectFailure(.unavailable, "the directory's path is empty or holds a zero byte")
        }
        self.path = path
        // What is there already, or cannot be made, is found out when the whole path is opened.
        for end in path.indices where path[end] == "/" { mkdir(String(path[..<end]), 0o700) }
        mkdir(path, 0o700)
        root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard root >= 0 else { throw Directory.failure("opening \(path)") }
        guard faccessat(root, ".", R_OK | W_OK | X_OK, 0) == 0 else {
            let failure = Directory.failure("\(path) is not writable")
            close(root)
            throw failure
        }
    }

    deinit { close(root) }

    // MARK: Reading

    /// The content and when it was modified last, nil where there is no such file. `touched` is called with that, and
    /// where it returns a time, the file gets that one.
    func read(
        _ name: String, limit: Int, touch: (Int64) -> Int64?
    ) throws(ObjectFailure) -> Bytes? {
        // Not blocking: somebody may have put a pipe there.
        let file = Directory.retrying { openat(root, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK) }
        guard file >= 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw Directory.failure("reading \(name)")
        }
        defer { close(file) }
        var raw = stat()
        guard fstat(file, &raw) == 0 else { throw Directory.failure("reading \(name)") }
        let status = Directory.status(raw)
        guard status.isFile else { throw ObjectFailure(.malformed, "\(name) is not a file") }
        guard status.size <= Int64(limit) else {
            throw ObjectFailure(.tooLarge, "\(name) has \(status.size) bytes, more than \(limit)")
        }
        if let time = touch(status.modifiedAt) { Directory.setTime(of: file, to: time) }
        return try Bytes(capacity: Int(status.size)) { (target) throws(ObjectFailure) in
            try Directory.fill(target, from: file, name)
        }
    }

    /// A file that somebody cut meanwhile gives less.
    private static func fill(
        _ target: UnsafeMutableRawBufferPointer, from file: CInt, _ name: String
    ) throws(ObjectFailure) -> Int {
        var count = 0
        while count < target.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: target[count...])
            let part = retrying { Glibc.read(file, rest.baseAddress, rest.count) }
            guard part >= 0 else { throw failure("reading \(name)") }
            if part == 0 { break }
            count += part
        }
        return count
    }

    func status(_ name: String) -> Status? {
        var raw = stat()
        return fstatat(root, name, &raw, AT_SYMLINK_NOFOLLOW) == 0 ? Directory.status(raw) : nil
    }

    /// The names in a folder, `""` being the root, in no order; none where it cannot be read.
    func names(in folder: String) -> [String] {
        let descriptor = openat(
            root, folder.isEmpty ? "." : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { return [] }
        // Takes the descriptor over.
        guard let stream = fdopendir(descriptor) else {
            close(descriptor)
            return []
        }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(validating: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            // One that is not UTF-8 is none of ours.
            if let name, name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    // MARK: Writing

    /// Writes a file under a temporary name beside `name`, which is held locked until `commit` or `discard`.
    func prepare(
        _ name: String, _ content: Bytes, temporary: String, modifiedAt: Int64, isSynced: Bool
    ) throws(ObjectFailure) -> PreparedFile {
        let temporary = Directory.folder(of: name) + temporary
        let file = try create(temporary, for: name)
        let prepared = PreparedFile(descriptor: file, temporary: temporary)
        do throws(ObjectFailure) {
            guard flock(file, LOCK_EX | LOCK_NB) == 0 else { throw Directory.failure("locking \(temporary)") }
            try content.withUnsafeBytes { (bytes) throws(ObjectFailure) in
                try Directory.write(bytes, to: file, name)
            }
            Directory.setTime(of: file, to: modifiedAt)
            if isSynced, fdatasync(file) != 0 { throw Directory.failure("writing \(name)") }
        } catch {
            discard(prepared)
            throw error
        }
        return prepared
    }

    private func create(_ temporary: String, for name: String) throws(ObjectFailure) -> CInt {
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW
        var file = Directory.retrying { openat(root, temporary, flags, 0o600) }
        if file < 0, errno == ENOENT {
            makeFolders(above: name)
            file = Directory.retrying { openat(root, temporary, flags, 0o600) }
        }
        guard file >= 0 else { throw Directory.failure("writing \(name)") }
        return file
    }

    /// Gives the file its name, in the place of what had it.
    func commit(_ prepared: PreparedFile, as name: String) throws(ObjectFailure) {
        guard renameat(root, prepared.temporary, root, name) == 0 else {
            let failure = Directory.failure("writing \(name)")
            discard(prepared)
            throw failure
        }
        close(prepared.descriptor)
    }

    private func discard(_ prepared: PreparedFile) {
        unlinkat(root, prepared.temporary, 0)
        close(prepared.descriptor)
    }

    /// Makes the names in a file's folder reach the disk.
    func sync(folderOf name: String) throws(ObjectFailure) {
        let folder = Directory.folder(of: name)
        let descriptor = openat(root, folder.isEmpty ? "." : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Directory.failure("syncing \(name)") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw Directory.failure("syncing \(name)") }
    }

    private func makeFolders(above name: String) {
        var folder = ""
        for part in name.split(separator: "/").dropLast() {
            folder += folder.isEmpty ? part : "/" + part
            // Whether it worked is seen when the file is made.
            mkdirat(root, folder, 0o700)
        }
    }

    /// Whether there was a file.
    func remove(_ name: String) throws(ObjectFailure) -> Bool {
        if unlinkat(root, name, 0) == 0 { return true }
        if errno == ENOENT || errno == ENOTDIR { return false }
        throw Directory.failure("removing \(name)")
    }

    /// Removes a temporary file unless somebody is still writing it; writers hold a lock, which ends with their process.
    func removeLeftover(_ name: String) -> Bool {
        let file = openat(root, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard file >= 0 else { return false }
        defer { close(file) }
        return flock(file, LOCK_EX | LOCK_NB) == 0 && unlinkat(root, name, 0) == 0
    }

    // MARK: Details

    /// With its slash; empty for the root.
    private static func folder(of name: String) -> String {
        name.lastIndex(of: "/").map { String(name[...$0]) } ?? ""
    }

    private static func write(
        _ bytes: UnsafeRawBufferPointer, to file: CInt, _ name: String
    ) throws(ObjectFailure) {
        var rest = bytes
        while !rest.isEmpty {
            let count = retrying { Glibc.write(file, rest.baseAddress, rest.count) }
            guard count > 0 else { throw failure("writing \(name)") }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    /// Only the order of eviction depends on it, so a failure is not one of the call.
    private static func setTime(of file: CInt, to milliseconds: Int64) {
        let time = timespec(
            tv_sec: time_t(milliseconds / 1000), tv_nsec: Int(max(0, milliseconds % 1000)) * 1_000_000)
        futimens(file, [time, time])
    }

    private static func status(_ raw: stat) -> Status {
        Status(
            size: Int64(raw.st_size),
            modifiedAt: Int64(raw.st_mtim.tv_sec) * 1000 + Int64(raw.st_mtim.tv_nsec) / 1_000_000,
            isFile: raw.st_mode & S_IFMT == S_IFREG, isFolder: raw.st_mode & S_IFMT == S_IFDIR)
    }

    private static func retrying<Number: SignedInteger>(_ call: () -> Number) -> Number {
        while true {
            let result = call()
            if result >= 0 || errno != EINTR { return result }
        }
    }

    private static func failure(_ action: @autoclosure () -> String) -> ObjectFailure {
        let code = errno
        let kind: ObjectFailure.Kind =
            switch code {
            case EACCES, EPERM, EROFS: .denied
            case ENOSPC, EDQUOT, EFBIG: .full
            case EMFILE, ENFILE, ENOMEM: .busy
            case ENOENT, ENOTDIR, ESTALE, ENODEV: .unavailable
            default: .broken
            }
        return ObjectFailure(kind, "\(action()): \(String(cString: strerror(code)))")
    }
}

/// A complete file that has no name of its own yet.
struct PreparedFile {
    let descriptor: CInt
    let temporary: String
}
