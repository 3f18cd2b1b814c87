import CDNNL
import Core
import Synchronization

/// What oneDNN's functions say about themselves, as errors.
enum DNNL {
    /// The library by the name of its interface.
    static let file = "libdnnl.so.2"

    /// The files that are open.
    private static let opened = Mutex<Set<String>>([])

    /// Loads oneDNN, before anything else is called of it: linked, it would cost every process megabytes.
    static func open(_ file: String) throws(MatrixFault) {
        try opened.withLock { (opened) throws(MatrixFault) in
            guard !opened.contains(file) else { return }
            if let reason = refrain_dnnl_open(file) {
                throw MatrixFault("oneDNN is not there (\(String(cString: reason))): install Debian's package libdnnl2")
            }
            opened.insert(file)
        }
    }

    static func check(_ status: dnnl_status_t, _ what: StaticString) throws(MatrixFault) {
        guard status != dnnl_success else { return }
        throw MatrixFault("oneDNN: \(what) failed with status \(status.rawValue)")
    }

    /// Whether the processor multiplies bytes itself (AVX-512 VNNI), and all of `CLanes` runs.
    static let hasBytes = has(dnnl_cpu_isa_avx512_core_vnni)

    /// Whether the processor multiplies bf16 itself: emulated, it is slower than single precision.
    static let hasBF16 = has(dnnl_cpu_isa_avx512_core_bf16)

    private static func has(_ wanted: dnnl_cpu_isa_t) -> Bool {
        dnnl_get_effective_cpu_isa().rawValue & wanted.rawValue == wanted.rawValue
    }

    /// Keeps the library's products on the calling thread.
    static func stayOnThisThread() { refrain_dnnl_set_threads(1) }

    static func matrix(
        _ rows: Int, _ columns: Int, _ type: dnnl_data_type_t, _ layout: dnnl_format_tag_t
    ) throws(MatrixFault) -> dnnl_memory_desc_t {
        var description = dnnl_memory_desc_t()
        let sizes = [Int64(rows), Int64(columns)]
        try check(dnnl_memory_desc_init_by_tag(&description, 2, sizes, type, layout), "a matrix's description")
        return description
    }
}

/// The processor as oneDNN sees it.
///
/// Sendable because the handle is made in `init` and never changes; oneDNN's engines may be used by any thread.
final class DNNLEngine: @unchecked Sendable {
    let handle: dnnl_engine_t

    init() throws(MatrixFault) {
        var made: dnnl_engine_t?
        try DNNL.check(dnnl_engine_create(&made, dnnl_cpu, 0), "making an engine")
        guard let made else { throw MatrixFault("oneDNN made no engine") }
        handle = made
    }

    deinit { dnnl_engine_destroy(handle) }
}

/// A matrix of oneDNN over memory that somebody lends, or over memory of its own.
///
/// Sendable because the handle never changes after `init`, and what it points to is written before the object is shared
/// and only read afterwards.
final class DNNLMemory: @unchecked Sendable {
    let handle: dnnl_memory_t
    private let owned: UnsafeMutableRawPointer?

    /// Over borrowed memory, which must outlive this.
    init(
        _ description: borrowing dnnl_memory_desc_t, _ engine: DNNLEngine, at address: UnsafeMutableRawPointer
    ) throws(MatrixFault) {
        handle = try DNNLMemory.make(description, engine, address)
        owned = nil
    }

    /// Over zeroed memory of its own, in whole cache lines.
    init(_ description: borrowing dnnl_memory_desc_t, _ engine: DNNLEngine) throws(MatrixFault) {
        let size = withUnsafePointer(to: description) { max(64, dnnl_memory_desc_get_size($0)) }
        let memory = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 64)
        memory.initializeMemory(as: UInt8.self, repeating: 0, count: size)
        do throws(MatrixFault) {
            handle = try DNNLMemory.make(description, engine, memory)
        } catch {
            memory.deallocate()
            throw error
        }
        owned = memory
    }

    deinit {
        dnnl_memory_destroy(handle)
        owned?.deallocate()
    }

    /// Converts and reorders `numbers` into this. Before it is shared.
    func fill<Number>(
        _ numbers: [Number], _ from: dnnl_memory_desc_t, as to: dnnl_memory_desc_t, _ engine: DNNLEngine
    ) throws(MatrixFault) {
        var numbers = numbers
        var (from, to) = (from, to)
        let stream = try DNNLStream(engine)
        var plan: dnnl_primitive_desc_t?
        try DNNL.check(
            dnnl_reorder_primitive_desc_create(&plan, &from, engine.handle, &to, engine.handle, nil),
            "planning a conversion")
        defer { dnnl_primitive_desc_destroy(plan) }
        var conversion: dnnl_primitive_t?
        try DNNL.check(dnnl_primitive_create(&conversion, plan), "compiling a conversion")
        defer { dnnl_primitive_destroy(conversion) }
        try numbers.withUnsafeMutableBufferPointer { (numbers) throws(MatrixFault) in
            guard let start = UnsafeMutableRawPointer(numbers.baseAddress) else { return }
            let source = try DNNLMemory(from, engine, at: start)
            let arguments = [
                dnnl_exec_arg_t(arg: DNNL_ARG_SRC_0, memory: source.handle),
                dnnl_exec_arg_t(arg: DNNL_ARG_DST_0, memory: handle),
            ]
            try DNNL.check(
                dnnl_primitive_execute(conversion, stream.handle, Int32(arguments.count), arguments), "a conversion")
            try DNNL.check(dnnl_stream_wait(stream.handle), "waiting for a conversion")
        }
    }

    private static func make(
        _ description: borrowing dnnl_memory_desc_t, _ engine: DNNLEngine, _ address: UnsafeMutableRawPointer
    ) throws(MatrixFault) -> dnnl_memory_t {
        var made: dnnl_memory_t?
        let status = withUnsafePointer(to: description) { dnnl_memory_create(&made, $0, engine.handle, address) }
        try DNNL.check(status, "making a matrix")
        guard let made else { throw MatrixFault("oneDNN made no matrix") }
        return made
    }
}
