import CDNNL
import Core

/// A layer whose weights are bytes.
///
/// Each output has its own scale. Inputs that come from a normalisation are centred, and the difference between columns
/// of large inputs and columns of large weights is evened out (Xiao et al., "SmoothQuant", 2023, with the deviations that
/// the normalisation itself declares in place of calibration data), so that neither loses its small numbers.
final class ByteLayer: MatrixLayer {
    let inputs: Int
    let outputs: Int
    let end: DenseLayer.End
    let products: DNNLProducts
    let weights: DNNLMemory
    let bias: [Float]
    /// Of each output's weights.
    let scales: [Float]
    let sums: [Int32]
    /// An input x is counted as x · factor - shift.
    let factors: [Float]
    let shifts: [Float]

    init(_ layer: DenseLayer, _ products: DNNLProducts, _ engine: DNNLEngine) throws(MatrixFault) {
        let (inputs, outputs) = (layer.inputs, layer.outputs)
        let factors = ByteLayer.factors(layer)
        let means = layer.expected?.means ?? Array(repeating: 0, count: inputs)
        var bias = layer.bias
        var scales = [Float](repeating: 0, count: outputs)
        var sums = [Int32](repeating: 0, count: outputs)
        var bytes = [Int8](repeating: 0, count: inputs * outputs)
        for output in 0..<outputs {
            let row = output * inputs
            var greatest: Float = 0
            var centre: Float = 0
            for input in 0..<inputs {
                greatest = max(greatest, abs(layer.weights[row + input] / factors[input]))
                centre += layer.weights[row + input] * means[input]
            }
            bias[output] += centre
            // Weights too small for a scale are zeros: divided by one that vanishes, they would be no numbers.
            let scale = greatest / 127 >= .leastNormalMagnitude ? greatest / 127 : 1
            scales[output] = scale
            for input in 0..<inputs {
                // At most 127 by the choice of the scale.
                let byte = Int8((layer.weights[row + input] / factors[input] / scale).rounded())
                bytes[row + input] = byte
                sums[output] += Int32(byte)
            }
        }
        self.inputs = inputs
        self.outputs = outputs
        self.end = layer.end
        self.products = products
        self.bias = bias
        self.scales = scales
        self.sums = sums
        self.factors = factors
        shifts = zip(means, factors).map { $0 * $1 }
        let product = products.largest
        weights = try DNNLMemory(product.weights, engine)
        // The checkpoint's rows are the product's columns.
        let asRead = try DNNL.matrix(inputs, outputs, dnnl_s8, dnnl_ba)
        try weights.fill(bytes, asRead, as: product.weights, engine)
    }

    /// For each column the root of its greatest weight by its inputs' deviation; one where neither is known.
    private static func factors(_ layer: DenseLayer) -> [Float] {
        guard let deviations = layer.expected?.deviations else { return Array(repeating: 1, count: layer.inputs) }
        return deviations.enumerated().map { column, deviation in
            var greatest: Float = 0
            for output in 0..<layer.outputs {
                greatest = max(greatest, abs(layer.weights[output * layer.inputs + column]))
            }
            let factor = (greatest / abs(deviation)).squareRoot()
            return factor.isFinite && factor > 1e-6 && factor < 1e6 ? factor : 1
        }
    }
}
