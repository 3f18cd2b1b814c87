import CCurl
import CEvent
import Glibc

/// The sockets of one multi handle, found by their local port, which is all that libcurl 7.88 tells of the connection
/// it is about to use. Belongs to the loop's thread.
final class CurlSockets {
    private var ports: [Int: CInt] = [:]
    /// Opened, and not connected when last looked at.
    private var fresh: Set<CInt> = []

    /// Whether the connection from that port holds bytes, or its end, that nobody has read.
    func hasUnreadBytes(localPort: Int) -> Bool {
        if ports[localPort] == nil { learnPorts() }
        guard let descriptor = ports[localPort] else { return false }
        var byte: UInt8 = 0
        // The socket does not block: libcurl makes all of its own so.
        return recv(descriptor, &byte, 1, CInt(MSG_PEEK)) >= 0
    }

    private func learnPorts() {
        for descriptor in fresh {
            // Room for either family; both have the port in bytes 2 and 3.
            var address = sockaddr_storage()
            var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
            let port = withUnsafeMutableBytes(of: &address) { bytes in
                let pointer = bytes.assumingMemoryBound(to: sockaddr.self).baseAddress
                guard getsockname(descriptor, __SOCKADDR_ARG(__sockaddr__: pointer), &length) == 0 else { return 0 }
                return Int(bytes[2]) << 8 | Int(bytes[3])
            }
            guard port != 0 else { continue }
            ports[port] = descriptor
            fresh.remove(descriptor)
        }
    }

    /// Lets `easy` open and close its sockets through this object, which must outlive the multi handle.
    func attach(to easy: CurlEasy) {
        let context = UnsafeRawPointer(Unmanaged.passUnretained(self).toOpaque())
        easy.set(CURLOPT_OPENSOCKETDATA, pointer: context)
        refrain_curl_set_open_socket(easy.handle) { context, _, address in
            // Both are always given.
            let address = address!.pointee
            let type = address.socktype | CInt(SOCK_CLOEXEC.rawValue)
            let descriptor = socket(address.family, type, address.`protocol`)
            if descriptor >= 0 { CurlSockets.from(context).fresh.insert(descriptor) }
            return descriptor
        }
        easy.set(CURLOPT_CLOSESOCKETDATA, pointer: context)
        refrain_curl_set_close_socket(easy.handle) { context, descriptor in
            CurlSockets.from(context).forget(descriptor)
            return close(descriptor)
        }
    }

    private static func from(_ context: UnsafeMutableRawPointer?) -> CurlSockets {
        // Always the object that `attach` set.
        Unmanaged<CurlSockets>.fromOpaque(context!).takeUnretainedValue()
    }

    private func forget(_ descriptor: CInt) {
        guard fresh.remove(descriptor) == nil, let port = ports.first(where: { $0.value == descriptor })?.key else {
            return
        }
        ports[port] = nil
    }
}
