import Core

/// Products of matrices in plain loops and double precision, to check a library against.
package struct PlainKernels: MatrixKernels {
    package init() {}

    package var precision: MatrixPrecision { .fp32 }
    package func layer(_ layer: DenseLayer) throws(MatrixFault) -> any MatrixLayer { PlainLayer(layer) }
    package func workspace(_ attention: AttentionShape) throws(MatrixFault) -> any MatrixWorkspace {
        PlainWorkspace(depth: attention.depth)
    }
}

private final class PlainLayer: MatrixLayer {
    let layer: DenseLayer
    init(_ layer: DenseLayer) { self.layer = layer }
    var inputs: Int { layer.inputs }
    var outputs: Int { layer.outputs }
}

private final class PlainWorkspace: MatrixWorkspace {
    private let depth: Int
    init(depth: Int) { self.depth = depth }

    func apply(
        _ layer: any MatrixLayer, to input: UnsafePointer<Float>, rows: Int, into output: UnsafeMutablePointer<Float>
    ) throws(MatrixFault) {
        guard let layer = (layer as? PlainLayer)?.layer else { throw MatrixFault("a layer of other kernels") }
        for row in 0..<rows {
            for column in 0..<layer.outputs {
                var sum = Double(layer.bias[column])
                for index in 0..<layer.inputs {
                    sum +=
                        Double(input[row * layer.inputs + index])
                        * Double(layer.weights[column * layer.inputs + index])
                }
                let place = output + row * layer.outputs + column
                switch layer.end {
                case .plain: place.pointee = Float(sum)
                case .gelu: place.pointee = Float(PlainWorkspace.gelu(sum))
                case .accumulate: place.pointee += Float(sum)
                }
            }
        }
    }

    func attend(
        queries: UnsafePointer<Float>, keys: UnsafePointer<Float>, values: UnsafePointer<Float>, stride: Int, rows: Int,
        scale: Float, into output: UnsafeMutablePointer<Float>
    ) throws(MatrixFault) {
        for row in 0..<rows {
            let scores = (0..<rows).map { other in
                (0..<depth).reduce(0.0) { sum, index in
                    sum + Double(queries[row * stride + index]) * Double(keys[other * stride + index])
                } * Double(scale)
            }
            let greatest = scores.max() ?? 0
            let powers = scores.map { PlainWorkspace.exponential($0 - greatest) }
            let total = powers.reduce(0, +)
            for index in 0..<depth {
                let sum = (0..<rows).reduce(0.0) { $0 + powers[$1] * Double(values[$1 * stride + index]) }
                output[row * stride + index] = Float(sum / total)
            }
        }
    }

    /// x · Φ(x), the integral of the normal density by Simpson's rule.
    private static func gelu(_ x: Double) -> Double {
        let end = min(abs(x), 9)
        let steps = 200
        let width = end / Double(steps)
        func density(_ t: Double) -> Double { exponential(-t * t / 2) * 0.398_942_280_401_432_7 }
        var sum = density(0) + density(end)
        for step in 1..<steps { sum += density(Double(step) * width) * (step.isMultiple(of: 2) ? 2 : 4) }
        let half = sum * width / 3
        return x * (x < 0 ? 0.5 - half : 0.5 + half)
    }

    /// e to the x: the series at x / 1024, squared ten times.
    private static func exponential(_ x: Double) -> Double {
        let small = x / 1024
        var term = 1.0
        var sum = 1.0
        for index in 1...12 {
            term *= small / Double(index)
            sum += term
        }
        for _ in 0..<10 { sum *= sum }
        return sum
    }
}
