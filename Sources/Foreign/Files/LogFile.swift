import Glibc

/// A file that is read once from front to back in chunks, plain or gzip, told apart by their first bytes. Plain files
/// can also be read again at a place. Belongs to one thread.
package final class LogFile {
    /// What people call the file.
    package var name: String { InputFile.name(path) }
    /// Whether `read(at:count:)` works: a plain file, and no pipe.
    package let canBeReadAgain: Bool
    /// In bytes, where it is known before reading; of a gzip file, compressed.
    package let size: Int?
    /// Bytes read from the file so far.
    package private(set) var position = 0

    /// Whether all was lent that a file that can be read again held when it was opened. Some have no size to go by.
    package var isReadAsOpened: Bool {
        guard canBeReadAgain, rest.isEmpty, let size, size > 0 else { return false }
        return position >= size
    }

    private let path: String
    private let descriptor: CInt
    private var gunzip: Gunzip?
    /// Given back at the end of the file, for many files may be held to be read again.
    private var buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: chunkSize, alignment: 64)
    /// Of gzip files alone.
    private var inflated = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    /// What of `buffer` was read and not yet given.
    private var rest = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    private var isAtEnd = false

    private static let chunkSize = 256 << 10

    /// `-` is standard input.
    package init(_ path: String) throws(InputFile.Unreadable) {
        self.path = path
        descriptor = try LogFile.open(path)
        var status = stat()
        let isRegular = fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
        size = isRegular ? Int(status.st_size) : nil
        var count = LogFile.fill(descriptor, buffer)
        if count == 1 {
            // A pipe may give a single byte at first, and gzip is told by two.
            let more = LogFile.fill(descriptor, UnsafeMutableRawBufferPointer(rebasing: buffer[1...]))
            count = more < 0 ? more : count + more
        }
        let isGzip = count >= 2 && buffer[0] == 0x1F && buffer[1] == 0x8B
        canBeReadAgain = isRegular && path != "-" && !isGzip
        guard count >= 0 else { throw InputFile.failure(path) }
        position = count
        isAtEnd = count == 0
        rest = UnsafeMutableRawBufferPointer(rebasing: buffer[..<count])
        if isGzip {
            gunzip = try LogFile.gunzip(path)
            inflated = .allocate(byteCount: LogFile.chunkSize, alignment: 64)
        }
    }

    private static func open(_ path: String) throws(InputFile.Unreadable) -> CInt {
        let descriptor = path == "-" ? STDIN_FILENO : Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw InputFile.failure(path) }
        return descriptor
    }

    deinit {
        giveBack()
        if descriptor > STDERR_FILENO { close(descriptor) }
    }

    /// Lends the next bytes; false at the end. After an error there is nothing more, and what was lent before stays
    /// good.
    package func next(_ use: (UnsafeRawBufferPointer) -> Void) throws(InputFile.Unreadable) -> Bool {
        do throws(InputFile.Unreadable) {
            if try gunzip != nil ? nextInflated(use) : nextPlain(use) { return true }
        } catch {
            giveBack()
            throw error
        }
        giveBack()
        return false
    }

    /// Bytes of a file that can be read again; nil where they are not there any more.
    package func read(at offset: Int, count: Int) -> [UInt8]? { LogFile.read(descriptor, at: offset, count: count) }

    static func read(_ descriptor: CInt, at offset: Int, count: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count {
            let got = bytes.withUnsafeMutableBytes {
                pread(
                    descriptor, UnsafeMutableRawBufferPointer(rebasing: $0[done...]).baseAddress, count - done,
                    offset + done)
            }
            if got < 0 && errno == EINTR { continue }
            guard got > 0 else { return nil }
            done += got
        }
        return bytes
    }

    private func giveBack() {
        isAtEnd = true
        rest = UnsafeMutableRawBufferPointer(start: nil, count: 0)
        gunzip = nil
        buffer.deallocate()
        inflated.deallocate()
        buffer = rest
        inflated = rest
    }

    private func nextPlain(_ use: (UnsafeRawBufferPointer) -> Void) throws(InputFile.Unreadable) -> Bool {
        guard try refill() else { return false }
        use(UnsafeRawBufferPointer(rest))
        rest = UnsafeMutableRawBufferPointer(start: nil, count: 0)
        return true
    }

    private func refill() throws(InputFile.Unreadable) -> Bool {
        guard rest.isEmpty, !isAtEnd else { return !rest.isEmpty }
        let count = LogFile.fill(descriptor, buffer)
        guard count >= 0 else { throw InputFile.failure(path) }
        position += count
        isAtEnd = count == 0
        rest = UnsafeMutableRawBufferPointer(rebasing: buffer[..<count])
        return count > 0
    }

    private func nextInflated(_ use: (UnsafeRawBufferPointer) -> Void) throws(InputFile.Unreadable) -> Bool {
        while true {
            let progress: Gunzip.Progress?
            do throws(Gunzip.Failure) {
                progress = try gunzip?.step(&rest, into: inflated)
            } catch {
                throw InputFile.Unreadable(
                    name: name, reason: error == .damaged ? "is damaged gzip" : "needs more memory than there is")
            }
            switch progress {
            case .wrote(let count):
                use(UnsafeRawBufferPointer(rebasing: inflated[..<count]))
                return true
            case .atBoundary:
                guard try refill() else { return false }
            case .needsInput:
                guard try refill() else {
                    throw InputFile.Unreadable(name: name, reason: "is gzip that ends too early")
                }
            case nil: return false
            }
        }
    }

    private static func gunzip(_ path: String) throws(InputFile.Unreadable) -> Gunzip {
        do throws(Gunzip.Failure) {
            return try Gunzip()
        } catch {
            throw InputFile.Unreadable(name: InputFile.name(path), reason: "needs more memory than there is")
        }
    }

    /// How many bytes were read, below zero for an error.
    private static func fill(_ descriptor: CInt, _ buffer: UnsafeMutableRawBufferPointer) -> Int {
        while true {
            let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            if count >= 0 || errno != EINTR { return count }
        }
    }
}
