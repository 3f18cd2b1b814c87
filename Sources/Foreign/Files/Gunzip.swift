import CZlib

/// Undoes gzip (RFC 1952) as the bytes come, through zlib; several members in a row are one content.
struct Gunzip: ~Copyable {
    enum Failure: Error {
        /// Not gzip, or its checksum is wrong.
        case damaged
        case outOfMemory
    }

    enum Progress: Equatable {
        /// So many bytes were written and there is more to do.
        case wrote(Int)
        /// All input is used up, and a member is not over.
        case needsInput
        /// All input is used up, and a member is over: the content may end here.
        case atBoundary
    }

    /// On the heap, because zlib keeps a pointer to it.
    private let stream: UnsafeMutablePointer<z_stream>
    private var isBetweenMembers = true
    /// What went wrong behind the bytes that were given last.
    private var failure: Failure?

    /// 15 bits of window, and 16 more to ask for gzip's frame.
    private static let windowBits: CInt = 31

    init() throws(Failure) {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        guard refrain_inflate_init(stream, Gunzip.windowBits) == Z_OK else {
            stream.deallocate()
            throw .outOfMemory
        }
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
    }

    /// Reads from `input` on, taking away what is used, until something is written or the input is used up.
    mutating func step(
        _ input: inout UnsafeMutableRawBufferPointer, into target: UnsafeMutableRawBufferPointer
    ) throws(Failure) -> Progress {
        let room = min(target.count, 1 << 30)
        if let failure { throw failure }
        while true {
            guard !input.isEmpty else { return isBetweenMembers ? .atBoundary : .needsInput }
            if isBetweenMembers {
                // What follows a member is another one, or padding of zeros.
                if input[0] == 0 {
                    input = UnsafeMutableRawBufferPointer(rebasing: input.dropFirst())
                    continue
                }
                guard inflateReset(stream) == Z_OK else { throw .damaged }
                isBetweenMembers = false
            }
            let offered = min(input.count, 1 << 30)
            stream.pointee.next_in = input.baseAddress?.assumingMemoryBound(to: UInt8.self)
            stream.pointee.avail_in = UInt32(offered)
            stream.pointee.next_out = target.baseAddress?.assumingMemoryBound(to: UInt8.self)
            stream.pointee.avail_out = UInt32(room)
            let status = inflate(stream, Z_NO_FLUSH)
            input = UnsafeMutableRawBufferPointer(rebasing: input.dropFirst(offered - Int(stream.pointee.avail_in)))
            let written = room - Int(stream.pointee.avail_out)
            switch status {
            case Z_STREAM_END: isBetweenMembers = true
            case Z_OK, Z_BUF_ERROR: break
            case Z_MEM_ERROR: failure = .outOfMemory
            default: failure = .damaged
            }
            if written > 0 { return .wrote(written) }
            if let failure { throw failure }
        }
    }
}
