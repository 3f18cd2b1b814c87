import CDNNL
import Core
import Synchronization

/// oneDNN multiplies: machine code made for this processor and for the shapes of the model, weights packed once.
package final class DNNLKernels: MatrixKernels {
    package let precision: MatrixPrecision
    private let engine: DNNLEngine
    private let products = Mutex<[LayerShape: DNNLProducts]>([:])

    /// Those that this processor computes in.
    package static var precisions: [MatrixPrecision] {
        get throws(MatrixFault) {
            try DNNL.open(DNNL.file)
            return DNNL.hasBytes ? MatrixPrecision.allCases : [.fp32]
        }
    }

    /// - Parameter precision: nil for bytes where the processor multiplies them itself, else single precision.
    package convenience init(precision: MatrixPrecision? = nil) throws(MatrixFault) {
        try self.init(precision: precision, library: DNNL.file)
    }

    /// - Parameter library: oneDNN's file, as the loader looks for it.
    package init(precision: MatrixPrecision?, library: String) throws(MatrixFault) {
        try DNNL.open(library)
        self.precision = precision ?? (DNNL.hasBytes ? .int8 : .fp32)
        guard self.precision != .int8 || DNNL.hasBytes else {
            throw MatrixFault("this processor does not multiply bytes (AVX-512 VNNI); use fp32")
        }
        engine = try DNNLEngine()
    }

    package func layer(_ layer: DenseLayer) throws(MatrixFault) -> any MatrixLayer {
        guard layer.inputs > 0, layer.outputs > 0, layer.weights.count == layer.inputs * layer.outputs,
            layer.bias.count == layer.outputs
        else { throw MatrixFault("a layer's weights do not have the size that it declares") }
        DNNL.stayOnThisThread()
        let precision = precision(of: layer)
        // What follows sums of bytes is no part of the product: layers that differ in that share one.
        let end = LayerTypes(precision).finishes ? layer.end : .plain
        let shape = LayerShape(inputs: layer.inputs, outputs: layer.outputs, end: end, precision: precision)
        let products = try products(of: shape)
        return precision == .int8 ? try ByteLayer(layer, products, engine) : try DNNLLayer(layer, products, engine)
    }

    /// Bytes hold inputs of a known distribution. Others, those behind GELU above all, have a few large numbers among
    /// many small ones, which bytes would drop.
    private func precision(of layer: DenseLayer) -> MatrixPrecision {
        guard precision == .int8, layer.expected == nil else { return precision }
        return DNNL.hasBF16 ? .bf16 : .fp32
    }

    package func workspace(_ attention: AttentionShape) throws(MatrixFault) -> any MatrixWorkspace {
        let sizes = products.withLock { all in
            DNNLWorkspace.Sizes(
                inputs: all.keys.map(\.inputs).max() ?? 0, outputs: all.keys.map(\.outputs).max() ?? 0,
                scratch: all.values.map(\.scratchSize).max() ?? 0)
        }
        return try DNNLWorkspace(engine, sizes, attention)
    }

    /// Layers are made one after the other when a model is loaded, so nothing is compiled twice.
    private func products(of shape: LayerShape) throws(MatrixFault) -> DNNLProducts {
        if let known = products.withLock({ $0[shape] }) { return known }
        let made = try DNNLProducts(shape, engine)
        products.withLock { $0[shape] = made }
        return made
    }
}

/// Weights and bias in oneDNN's own order.
final class DNNLLayer: MatrixLayer {
    let inputs: Int
    let outputs: Int
    let products: DNNLProducts
    let precision: MatrixPrecision
    let weights: DNNLMemory
    let bias: DNNLMemory

    init(_ layer: DenseLayer, _ products: DNNLProducts, _ engine: DNNLEngine) throws(MatrixFault) {
        inputs = layer.inputs
        outputs = layer.outputs
        self.products = products
        precision = products.precision
        let product = products.largest
        weights = try DNNLMemory(product.weights, engine)
        bias = try DNNLMemory(product.bias, engine)
        // The checkpoint's rows are the product's columns.
        let asRead = try DNNL.matrix(layer.inputs, layer.outputs, dnnl_f32, dnnl_ba)
        try weights.fill(layer.weights, asRead, as: product.weights, engine)
        try bias.fill(layer.bias, product.bias, as: product.bias, engine)
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
