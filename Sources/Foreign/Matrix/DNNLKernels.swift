import CDNNL
import Core
import Synchronization

/// oneDNN multiplies: machine code made for this processor and for the shapes of the model, weights packed once.
package final class DNNLKernels: MatrixKernels {
    package let precision: MatrixPrecision
    private let engine: DNNLEngine
    private let products = Mutex<[LayerShape: DNNLProducts]>([:])

    /// - Parameter precision: nil for bf16 where the processor has it, else single precision.
    package init(precision: MatrixPrecision? = nil) throws(MatrixFault) {
        self.precision = precision ?? (DNNL.hasBF16 ? .bf16 : .fp32)
        engine = try DNNLEngine()
    }

    package func layer(_ layer: DenseLayer) throws(MatrixFault) -> any MatrixLayer {
        guard layer.inputs > 0, layer.outputs > 0, layer.weights.count == layer.inputs * layer.outputs,
            layer.bias.count == layer.outputs
        else { throw MatrixFault("a layer's weights do not have the size that it declares") }
        DNNL.stayOnThisThread()
        let shape = LayerShape(inputs: layer.inputs, outputs: layer.outputs, end: layer.end)
        return try DNNLLayer(layer, try products(of: shape), engine)
    }

    package func workspace() throws(MatrixFault) -> any MatrixWorkspace {
        let (inputs, scratch) = products.withLock { all in
            (all.keys.map(\.inputs).max() ?? 0, all.values.map(\.scratchSize).max() ?? 0)
        }
        return try DNNLWorkspace(engine, precision, inputs: inputs, scratch: scratch)
    }

    /// Layers are made one after the other when a model is loaded, so nothing is compiled twice.
    private func products(of shape: LayerShape) throws(MatrixFault) -> DNNLProducts {
        if let known = products.withLock({ $0[shape] }) { return known }
        let type = precision == .bf16 ? dnnl_bf16 : dnnl_f32
        let made = try DNNLProducts(shape, type: type, engine)
        products.withLock { $0[shape] = made }
        return made
    }
}

/// Weights and bias in oneDNN's own order.
final class DNNLLayer: MatrixLayer {
    let inputs: Int
    let outputs: Int
    let products: DNNLProducts
    let weights: DNNLMemory
    let bias: DNNLMemory

    init(_ layer: DenseLayer, _ products: DNNLProducts, _ engine: DNNLEngine) throws(MatrixFault) {
        inputs = layer.inputs
        outputs = layer.outputs
        self.products = products
        let product = products.largest
        weights = try DNNLMemory(product.weights, engine)
        bias = try DNNLMemory(product.bias, engine)
        // The checkpoint's rows are the product's columns.
        let asRead = try DNNL.matrix(layer.inputs, layer.outputs, dnnl_f32, dnnl_ba)
        try DNNLLayer.copy(layer.weights, asRead, into: weights, product.weights, engine)
        try DNNLLayer.copy(layer.bias, product.bias, into: bias, product.bias, engine)
    }

    /// Converts and reorders.
    private static func copy(
        _ numbers: [Float], _ from: dnnl_memory_desc_t, into target: DNNLMemory, _ to: dnnl_memory_desc_t,
        _ engine: DNNLEngine
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
                dnnl_exec_arg_t(arg: DNNL_ARG_DST_0, memory: target.handle),
            ]
            try DNNL.check(
                dnnl_primitive_execute(conversion, stream.handle, Int32(arguments.count), arguments), "a conversion")
            try DNNL.check(dnnl_stream_wait(stream.handle), "waiting for a conversion")
        }
    }
}

/// An order of execution; one thread at a time.
final class DNNLStream {
    let handle: dnnl_stream_t

    init(_ engine: DNNLEngine) throws(MatrixFault) {
        var made: dnnl_stream_t?
        try DNNL.check(
            dnnl_stream_create(&made, engine.handle, dnnl_stream_default_flags.rawValue), "making a stream")
        guard let made else { throw MatrixFault("oneDNN made no stream") }
        handle = made
    }

    deinit { dnnl_stream_destroy(handle) }
}
