import CDNNL
import CLanes
import Core

/// What one thread needs to multiply: a stream, a block of converted inputs, oneDNN's scratchpad and room for attention.
final class DNNLWorkspace: MatrixWorkspace {
    /// The largest of all layers.
    struct Sizes {
        var inputs: Int
        var outputs: Int
        /// In bytes.
        var scratch: Int
    }

    private let engine: DNNLEngine
    private let stream: DNNLStream
    private let sizes: Sizes
    /// Inputs as bf16 or as bytes.
    private let converted: UnsafeMutableRawPointer
    /// Sums of products of bytes.
    private let sums: UnsafeMutablePointer<Int32>
    private let scratch: UnsafeMutableRawPointer
    private let attention: AttentionShape
    /// Keys, values and scores of one head.
    private let panels: UnsafeMutablePointer<Float>
    /// Of each row of bytes.
    private var scales = [Float](repeating: 0, count: DNNLProducts.block)
    private var zeros = [Int32](repeating: 0, count: DNNLProducts.block)

    init(_ engine: DNNLEngine, _ sizes: Sizes, _ attention: AttentionShape) throws(MatrixFault) {
        self.engine = engine
        self.sizes = sizes
        self.attention = attention
        stream = try DNNLStream(engine)
        // Left as the system gives it: what is read was written before by the same call.
        func room(_ bytes: Int) -> UnsafeMutableRawPointer {
            UnsafeMutableRawPointer.allocate(byteCount: max(64, bytes), alignment: 64)
        }
        converted = room(DNNLProducts.block * sizes.inputs * 2)
        sums = room(DNNLProducts.block * sizes.outputs * 4).bindMemory(
            to: Int32.self, capacity: DNNLProducts.block * sizes.outputs)
        scratch = room(sizes.scratch)
        let numbers = refrain_lanes_attention_room(attention.window, attention.depth)
        panels = room(numbers * 4).bindMemory(to: Float.self, capacity: numbers)
    }

    deinit {
        converted.deallocate()
        sums.deallocate()
        scratch.deallocate()
        panels.deallocate()
    }

    func apply(
        _ layer: any MatrixLayer, to input: UnsafePointer<Float>, rows: Int, into output: UnsafeMutablePointer<Float>
    ) throws(MatrixFault) {
        guard layer.inputs <= sizes.inputs, layer.outputs <= sizes.outputs else {
            throw MatrixFault("a workspace was made for other layers")
        }
        DNNL.stayOnThisThread()
        var done = 0
        while done < rows {
            let count = min(DNNLProducts.block, MatrixRows.padded(rows - done))
            let (from, to) = (input + done * layer.inputs, output + done * layer.outputs)
            switch layer {
            case let layer as DNNLLayer: try run(layer, from, count, to)
            case let layer as ByteLayer: try run(layer, from, count, to)
            default: throw MatrixFault("a layer was made by other kernels")
            }
            done += count
        }
    }

    private func run(
        _ layer: DNNLLayer, _ input: UnsafePointer<Float>, _ rows: Int, _ output: UnsafeMutablePointer<Float>
    ) throws(MatrixFault) {
        // oneDNN takes inputs as mutable too and does not write to them.
        var start = UnsafeMutableRawPointer(mutating: input)
        if layer.precision == .bf16 {
            BFloat16.convert(input, count: rows * layer.inputs, into: converted)
            start = converted
        }
        try execute(layer.products.product(rows: rows), start, layer.weights, layer.bias, output)
    }

    private func run(
        _ layer: ByteLayer, _ input: UnsafePointer<Float>, _ rows: Int, _ output: UnsafeMutablePointer<Float>
    ) throws(MatrixFault) {
        #if arch(x86_64)
            let bytes = converted.assumingMemoryBound(to: UInt8.self)
            refrain_lanes_quantize(input, rows, layer.inputs, layer.factors, layer.shifts, bytes, &scales, &zeros)
            try execute(layer.products.product(rows: rows), converted, layer.weights, nil, sums)
            let end: Int32 =
                switch layer.end {
                case .plain: 0
                case .gelu: 1
                case .accumulate: 2
                }
            refrain_lanes_dequantize(
                sums, rows, layer.outputs, scales, zeros, layer.scales, layer.sums, layer.bias, end, output)
        #else
            throw MatrixFault("bytes are multiplied on x86-64 only")
        #endif
    }

    private func execute(
        _ product: DNNLProduct, _ input: UnsafeMutableRawPointer, _ weights: DNNLMemory, _ bias: DNNLMemory?,
        _ output: UnsafeMutableRawPointer
    ) throws(MatrixFault) {
        let source = try DNNLMemory(product.source, engine, at: input)
        let target = try DNNLMemory(product.target, engine, at: output)
        let scratchpad = try DNNLMemory(product.scratch, engine, at: scratch)
        let arguments: InlineArray<5, dnnl_exec_arg_t> = [
            dnnl_exec_arg_t(arg: DNNL_ARG_SRC_0, memory: source.handle),
            dnnl_exec_arg_t(arg: DNNL_ARG_WEIGHTS_0, memory: weights.handle),
            dnnl_exec_arg_t(arg: DNNL_ARG_DST_0, memory: target.handle),
            dnnl_exec_arg_t(arg: DNNL_ARG_SCRATCHPAD, memory: scratchpad.handle),
            dnnl_exec_arg_t(arg: DNNL_ARG_BIAS, memory: bias?.handle),
        ]
        let count = Int32(bias == nil ? 4 : 5)
        try arguments.span.withUnsafeBufferPointer { (arguments) throws(MatrixFault) in
            try DNNL.check(
                dnnl_primitive_execute(product.handle, stream.handle, count, arguments.baseAddress), "a product")
        }
        try DNNL.check(dnnl_stream_wait(stream.handle), "waiting for a product")
    }

    func attend(
        queries: UnsafePointer<Float>, keys: UnsafePointer<Float>, values: UnsafePointer<Float>, stride: Int, rows: Int,
        scale: Float, into output: UnsafeMutablePointer<Float>
    ) throws(MatrixFault) {
        guard rows <= attention.window else { throw MatrixFault("a workspace was made for shorter texts") }
        refrain_lanes_attend(queries, keys, values, stride, rows, attention.depth, scale, panels, output)
    }
}

/// The upper half of a single-precision number (Intel, "BFLOAT16 – Hardware Numerics Definition", 2018).
enum BFloat16 {
    /// Rounds to nearest, ties to even. The numbers must be finite.
    static func convert(_ source: UnsafePointer<Float>, count: Int, into target: UnsafeMutableRawPointer) {
        let from = UnsafeRawPointer(source)
        var index = 0
        // Widths of models are multiples of eight.
        while index < count {
            let bits = from.loadUnaligned(fromByteOffset: index * 4, as: SIMD8<UInt32>.self)
            let rounded = bits &+ 0x7FFF &+ (bits &>> 16 & 1)
            let upper = SIMD8<UInt16>(truncatingIfNeeded: rounded &>> 16)
            target.storeBytes(of: upper, toByteOffset: index * 2, as: SIMD8<UInt16>.self)
            index += 8
        }
    }
}
