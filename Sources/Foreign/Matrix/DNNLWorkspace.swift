import CDNNL
import Core

/// What one thread needs to multiply: a stream, a block of converted inputs and oneDNN's scratchpad.
final class DNNLWorkspace: MatrixWorkspace {
    private let engine: DNNLEngine
    private let stream: DNNLStream
    private let precision: MatrixPrecision
    private let inputs: Int
    private let converted: UnsafeMutableBufferPointer<UInt16>
    private let scratch: UnsafeMutableRawPointer
    private let scratchSize: Int

    init(_ engine: DNNLEngine, _ precision: MatrixPrecision, inputs: Int, scratch size: Int) throws(MatrixFault) {
        self.engine = engine
        self.precision = precision
        self.inputs = inputs
        stream = try DNNLStream(engine)
        let count = precision == .bf16 ? DNNLProducts.block * inputs : 0
        let memory = UnsafeMutableRawPointer.allocate(byteCount: max(64, count * 2), alignment: 64)
        converted = UnsafeMutableBufferPointer(
            start: memory.initializeMemory(as: UInt16.self, repeating: 0, count: count), count: count)
        scratchSize = max(64, size)
        scratch = .allocate(byteCount: scratchSize, alignment: 64)
    }

    deinit {
        converted.deallocate()
        scratch.deallocate()
    }

    func apply(
        _ layer: any MatrixLayer, to input: UnsafePointer<Float>, rows: Int, into output: UnsafeMutablePointer<Float>
    ) throws(MatrixFault) {
        guard let layer = layer as? DNNLLayer, layer.inputs <= inputs, layer.products.scratchSize <= scratchSize else {
            throw MatrixFault("a workspace was made for other layers")
        }
        DNNL.stayOnThisThread()
        var done = 0
        while done < rows {
            let count = min(DNNLProducts.block, MatrixRows.padded(rows - done))
            try run(layer, input + done * layer.inputs, count, output + done * layer.outputs)
            done += count
        }
    }

    private func run(
        _ layer: DNNLLayer, _ input: UnsafePointer<Float>, _ rows: Int, _ output: UnsafeMutablePointer<Float>
    ) throws(MatrixFault) {
        let product = layer.products.product(rows: rows)
        let start: UnsafeMutableRawPointer
        if precision == .bf16, let target = converted.baseAddress {
            BFloat16.convert(input, count: rows * layer.inputs, into: target)
            start = UnsafeMutableRawPointer(target)
        } else {
            // oneDNN takes inputs as mutable too and does not write to them.
            start = UnsafeMutableRawPointer(mutating: input)
        }
        let source = try DNNLMemory(product.source, engine, at: start)
        let target = try DNNLMemory(product.target, engine, at: output)
        let scratchpad = try DNNLMemory(product.scratch, engine, at: scratch)
        let arguments: InlineArray<5, dnnl_exec_arg_t> = [
            dnnl_exec_arg_t(arg: DNNL_ARG_SRC_0, memory: source.handle),
            dnnl_exec_arg_t(arg: DNNL_ARG_WEIGHTS_0, memory: layer.weights.handle),
            dnnl_exec_arg_t(arg: DNNL_ARG_BIAS, memory: layer.bias.handle),
            dnnl_exec_arg_t(arg: DNNL_ARG_DST_0, memory: target.handle),
            dnnl_exec_arg_t(arg: DNNL_ARG_SCRATCHPAD, memory: scratchpad.handle),
        ]
        try arguments.span.withUnsafeBufferPointer { (arguments) throws(MatrixFault) in
            try DNNL.check(
                dnnl_primitive_execute(product.handle, stream.handle, Int32(arguments.count), arguments.baseAddress),
                "a product")
        }
        try DNNL.check(dnnl_stream_wait(stream.handle), "waiting for a product")
    }

    func multiply(
        _ a: MatrixView, _ b: MatrixView, transposed: Bool, scale: Float, rows: Int, columns: Int, depth: Int,
        into c: UnsafeMutablePointer<Float>, stride: Int
    ) throws(MatrixFault) {
        DNNL.stayOnThisThread()
        let plain = CChar(UInt8(ascii: "N"))
        try DNNL.check(
            dnnl_sgemm(
                plain, transposed ? CChar(UInt8(ascii: "T")) : plain, Int64(rows), Int64(columns), Int64(depth), scale,
                a.start, Int64(a.stride), b.start, Int64(b.stride), 0, c, Int64(stride)), "a product")
    }
}

/// The upper half of a single-precision number (Intel, "BFLOAT16 – Hardware Numerics Definition", 2018).
enum BFloat16 {
    /// Rounds to nearest, ties to even. The numbers must be finite.
    static func convert(
        _ source: UnsafePointer<Float>, count: Int, into target: UnsafeMutablePointer<UInt16>
    ) {
        let from = UnsafeRawPointer(source)
        let to = UnsafeMutableRawPointer(target)
        var index = 0
        while index + 8 <= count {
            let bits = from.loadUnaligned(fromByteOffset: index * 4, as: SIMD8<UInt32>.self)
            let rounded = bits &+ 0x7FFF &+ (bits &>> 16 & 1)
            let upper = SIMD8<UInt16>(truncatingIfNeeded: rounded &>> 16)
            to.storeBytes(of: upper, toByteOffset: index * 2, as: SIMD8<UInt16>.self)
            index += 8
        }
        while index < count {
            let bits = source[index].bitPattern
            target[index] = UInt16(truncatingIfNeeded: (bits &+ 0x7FFF &+ (bits >> 16 & 1)) >> 16)
            index += 1
        }
    }
}
