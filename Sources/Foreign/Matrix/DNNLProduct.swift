import CDNNL
import Core

/// What makes two layers run the same machine code.
struct LayerShape: Hashable, Sendable {
    var inputs: Int
    var outputs: Int
    var end: DenseLayer.End
    var precision: MatrixPrecision
}

/// What a product reads and writes.
struct LayerTypes: Sendable {
    var inputs: dnnl_data_type_t
    var weights: dnnl_data_type_t
    var outputs: dnnl_data_type_t
    /// Whether the product adds the bias and does what follows; sums of bytes are finished elsewhere.
    var finishes: Bool

    init(_ precision: MatrixPrecision) {
        switch precision {
        case .fp32: (inputs, weights, outputs, finishes) = (dnnl_f32, dnnl_f32, dnnl_f32, true)
        case .bf16: (inputs, weights, outputs, finishes) = (dnnl_bf16, dnnl_bf16, dnnl_f32, true)
        case .int8: (inputs, weights, outputs, finishes) = (dnnl_u8, dnnl_s8, dnnl_s32, false)
        }
    }
}

/// One dense layer's product for one number of rows, compiled by oneDNN for this processor.
///
/// Sendable because nothing of it changes after `init`, and oneDNN lets threads run one primitive at once as long as
/// each brings its own scratchpad, which `dnnl_scratchpad_mode_user` asks for.
final class DNNLProduct: @unchecked Sendable {
    let handle: dnnl_primitive_t
    let source: dnnl_memory_desc_t
    let weights: dnnl_memory_desc_t
    let bias: dnnl_memory_desc_t
    let target: dnnl_memory_desc_t
    let scratch: dnnl_memory_desc_t

    /// - Parameter layout: the order of the weights, nil to let the library choose.
    init(
        _ shape: LayerShape, rows: Int, layout: dnnl_memory_desc_t?, _ engine: DNNLEngine
    ) throws(MatrixFault) {
        let types = LayerTypes(shape.precision)
        var source = try DNNL.matrix(rows, shape.inputs, types.inputs, dnnl_ab)
        var free: dnnl_memory_desc_t
        if let layout {
            free = layout
        } else {
            free = try DNNL.matrix(shape.inputs, shape.outputs, types.weights, dnnl_format_tag_any)
        }
        var bias = try DNNL.matrix(1, shape.outputs, dnnl_f32, dnnl_ab)
        var target = try DNNL.matrix(rows, shape.outputs, types.outputs, dnnl_ab)
        var operation = dnnl_matmul_desc_t()
        let status =
            types.finishes
            ? dnnl_matmul_desc_init(&operation, &source, &free, &bias, &target)
            : dnnl_matmul_desc_init(&operation, &source, &free, nil, &target)
        try DNNL.check(status, "a product's description")
        let attributes = try DNNLProduct.attributes(types.finishes ? shape.end : .plain)
        defer { dnnl_primitive_attr_destroy(attributes) }
        var plan: dnnl_primitive_desc_t?
        try DNNL.check(
            dnnl_primitive_desc_create(&plan, &operation, attributes, engine.handle, nil), "planning a product")
        defer { dnnl_primitive_desc_destroy(plan) }
        guard let weights = dnnl_primitive_desc_query_md(plan, dnnl_query_weights_md, 0),
            let scratch = dnnl_primitive_desc_query_md(plan, dnnl_query_scratchpad_md, 0)
        else { throw MatrixFault("oneDNN does not say what a product needs") }
        self.source = source
        self.weights = weights.pointee
        self.bias = bias
        self.target = target
        self.scratch = scratch.pointee
        var made: dnnl_primitive_t?
        try DNNL.check(dnnl_primitive_create(&made, plan), "compiling a product")
        guard let made else { throw MatrixFault("oneDNN made no product") }
        handle = made
    }

    deinit { dnnl_primitive_destroy(handle) }

    var scratchSize: Int { withUnsafePointer(to: scratch) { dnnl_memory_desc_get_size($0) } }

    private static func attributes(_ end: DenseLayer.End) throws(MatrixFault) -> dnnl_primitive_attr_t? {
        var operations: dnnl_post_ops_t?
        try DNNL.check(dnnl_post_ops_create(&operations), "listing what follows a product")
        defer { dnnl_post_ops_destroy(operations) }
        switch end {
        case .plain: break
        case .gelu:
            try DNNL.check(
                dnnl_post_ops_append_eltwise(operations, 1, dnnl_eltwise_gelu_erf, 0, 0), "appending GELU")
        case .accumulate: try DNNL.check(dnnl_post_ops_append_sum(operations, 1), "appending a sum")
        }
        var attributes: dnnl_primitive_attr_t?
        try DNNL.check(dnnl_primitive_attr_create(&attributes), "a product's attributes")
        do throws(MatrixFault) {
            try DNNL.check(
                dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user), "a product's scratchpad"
            )
            try DNNL.check(dnnl_primitive_attr_set_post_ops(attributes, operations), "what follows a product")
        } catch {
            dnnl_primitive_attr_destroy(attributes)
            throw error
        }
        return attributes
    }
}

/// The products of one shape for every number of rows that is run: whole groups up to a block.
final class DNNLProducts: Sendable {
    /// More rows are cut into blocks of this many: larger ones are no faster, and their inputs leave the cache.
    static let block = 64

    let precision: MatrixPrecision
    private let byGroups: [DNNLProduct]

    init(_ shape: LayerShape, _ engine: DNNLEngine) throws(MatrixFault) {
        // The largest decides on the order of the weights, the others take it over, so that weights are held once.
        let largest = try DNNLProduct(shape, rows: DNNLProducts.block, layout: nil, engine)
        var products: [DNNLProduct] = []
        for rows in stride(from: MatrixRows.multiple, to: DNNLProducts.block, by: MatrixRows.multiple) {
            products.append(try DNNLProduct(shape, rows: rows, layout: largest.weights, engine))
        }
        byGroups = products + [largest]
        precision = shape.precision
    }

    var largest: DNNLProduct { byGroups[byGroups.count - 1] }
    var scratchSize: Int { byGroups.map(\.scratchSize).max() ?? 0 }

    /// For a whole number of groups, no more than a block.
    func product(rows: Int) -> DNNLProduct { byGroups[rows / MatrixRows.multiple - 1] }
}
